package display

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"

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

// leastWrapped is the width below which text is not broken into lines: there would be
// too many.
const leastWrapped = 20

// color is what sets a terminal's, and takes no room.
var color = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Wrap breaks text between words, so that its lines are no wider than so many cells;
// a word that is wider has a line of its own. All but the first begin with the indent,
// which does not count.
func Wrap(text string, width int, indent string) string {
	if width < leastWrapped {
		return text
	}
	var b strings.Builder
	used := 0
	for i, word := range strings.Split(text, " ") {
		w := runewidth.StringWidth(color.ReplaceAllString(word, ""))
		switch {
		case i == 0:
		case used+1+w > width:
			b.WriteString("\n" + indent)
			used = 0
		default:
			b.WriteString(" ")
			used++
		}
		b.WriteString(word)
		used += w
	}
	return b.String()
}
