package display

import (
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// masked stands for what is there and not shown; maskedExtra is the same as the
// JSON object that extra has to be.
const (
	masked      = "***"
	maskedExtra = `{"masked":true}`
)

// Mask takes what is personal out of the row, by schema.Column.Personal. What is
// null stays so, and an empty text, which says nothing of anybody. Of messages
// their number, ids and times stay.
func Mask(r *schema.Row) {
	for i := range schema.Columns {
		if c := &schema.Columns[i]; c.Personal {
			mask(c, r)
		}
	}
}

func mask(c *schema.Column, r *schema.Row) {
	switch v := c.Field(r).(type) {
	case *schema.Opt[string]:
		switch {
		case !v.Valid || v.Value == "":
		case c.Type == schema.TypeJSON:
			v.Value = maskedExtra
		default:
			v.Value = masked
		}
	case *schema.Opt[[]schema.Message]:
		v.Value = slices.Clone(v.Value) // the row may share them with others
		for i := range v.Value {
			maskMessage(&v.Value[i])
		}
	default:
		panic("display: personal column " + c.Name + " has a type that cannot be masked")
	}
}

func maskMessage(m *schema.Message) {
	for _, text := range []*schema.Opt[string]{&m.Question, &m.Response} {
		if text.Valid && text.Value != "" {
			text.Value = masked
		}
	}
}

// timeForm is how people are shown times: UTC, as all of them are.
const timeForm = "2006-01-02 15:04:05Z"

// Time is a time for people.
func Time(t time.Time) string { return t.UTC().Format(timeForm) }
