package display

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// Usual returns the columns that rows are shown with: leads, or events. With
// revealed, who the buyer is comes with them.
func Usual(events, revealed bool) []Column {
	var columns []Column
	if events {
		columns = append(columns,
			named("extracted_at", "seen", 2),
			named("event_type", "event", 0),
			Column{Title: "version", Text: of("lead_version"), Right: true, Rank: 4})
	}
	columns = append(columns,
		Column{Title: "submitted", Text: func(r *schema.Row) string { return optional(&r.SubmittedTime, minutes) }, Rank: rank(events, 5, 2)},
		named("lead_status", "status", rank(events, 6, 0)),
		Column{Title: "item_id", Text: of("item_id"), Rank: 3},
		Column{Title: "item_title", Text: of("item_title"), Shrinks: true, Rank: 7})
	if events {
		columns = append(columns, Column{Title: "changed", Text: of("changed_fields"), Shrinks: true, Rank: 2})
	} else {
		columns = append(columns,
			Column{Title: "fee", Text: fee, Right: true, Rank: 8},
			Column{Title: "messages", Text: of("message_count"), Right: true, Rank: 9})
	}
	if revealed {
		columns = append(columns,
			Column{Title: "name", Text: name, Shrinks: true, Rank: 1},
			Column{Title: "reach", Text: reach, Shrinks: true, Rank: 1})
	}
	return append(columns, named("lead_id", "lead_id", rank(revealed, 10, 0)))
}

func rank(condition bool, yes, no int) int {
	if condition {
		return yes
	}
	return no
}

// Named returns columns of the schema by their names. All of them are shown, cut
// where there is no room.
func Named(names []string) ([]Column, error) {
	var columns []Column
	for _, name := range names {
		c := columnOf(strings.TrimSpace(name))
		if c == nil {
			return nil, fmt.Errorf("--columns: %q is no column; 'leads-etl schema' has their names", name)
		}
		columns = append(columns, Column{Title: c.Name, Text: of(c.Name), Shrinks: c.Type == schema.TypeString || c.Nullable})
	}
	return columns, nil
}

func columnOf(name string) *schema.Column {
	i := slices.IndexFunc(schema.Columns, func(c schema.Column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &schema.Columns[i]
}

// of shows the column of that name, which there is.
func of(name string) func(*schema.Row) string {
	c := columnOf(name)
	return func(r *schema.Row) string { return Text(c, r) }
}

func named(name, title string, rank int) Column {
	return Column{Title: title, Text: of(name), Rank: rank}
}

func minutes(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

func fee(r *schema.Row) string {
	if !r.FeeAmount.Valid {
		return ""
	}
	return strings.TrimSpace(Printable(r.FeeAmount.Value.Text + " " + r.FeeCurrency.Or("")))
}

func name(r *schema.Row) string {
	return strings.TrimSpace(Printable(r.FirstName.Or("") + " " + r.LastName.Or("")))
}

// reach is the first way to reach the buyer that there is.
func reach(r *schema.Row) string {
	for _, way := range []schema.Opt[string]{r.Email, r.ExternalEmail, r.Phone, r.UserID} {
		if way.Or("") != "" {
			return Printable(way.Value)
		}
	}
	return ""
}
