package display

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/leads-etl/leads-etl/schema"
)

// Text is a row's value of a column in one line for people; "" for null.
func Text(c *schema.Column, r *schema.Row) string {
	switch v := c.Field(r).(type) {
	case *string:
		return Printable(*v)
	case *schema.EventType:
		return string(*v)
	case *schema.Opt[string]:
		return Printable(v.Value)
	case *int32:
		return strconv.Itoa(int(*v))
	case *schema.Opt[int32]:
		return optional(v, func(n int32) string { return strconv.Itoa(int(n)) })
	case *schema.Opt[bool]:
		return optional(v, strconv.FormatBool)
	case *time.Time:
		return Time(*v)
	case *schema.Opt[time.Time]:
		return optional(v, Time)
	case *schema.Opt[schema.Decimal]:
		return Printable(v.Value.Text)
	case *schema.Opt[[]string]:
		return Printable(strings.Join(v.Value, ","))
	case *schema.Opt[[]schema.Message]:
		return messages(v.Value)
	default:
		panic("display: column " + c.Name + " has a type that is not shown")
	}
}

func optional[T any](v *schema.Opt[T], text func(T) string) string {
	if !v.Valid {
		return ""
	}
	return text(v.Value)
}

// messages is an exchange in one line: questions, and the answers that they have.
func messages(list []schema.Message) string {
	parts := make([]string, len(list))
	for i := range list {
		m := &list[i]
		parts[i] = Printable(m.Question.Or("-"))
		if m.Response.Valid {
			parts[i] += fmt.Sprintf(" (answered: %s)", Printable(m.Response.Value))
		}
	}
	return strings.Join(parts, " | ")
}

// Printable returns text that does to a terminal nothing but show: ends of lines
// are spaces, and what moves the cursor, colours, hides or turns text around is
// "·".
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || unicode.Is(unicode.Zs, r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r),
			unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), r == unicode.ReplacementChar:
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
}
