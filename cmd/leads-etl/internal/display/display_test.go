package display

import (
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/leads-etl/leads-etl/schema"
)

func rowsOf(rows ...schema.Row) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// full is a row in which every nullable column has a value.
func full() schema.Row {
	var r schema.Row
	for i := range schema.Columns {
		c := &schema.Columns[i]
		switch v := c.Field(&r).(type) {
		case *schema.Opt[string]:
			*v = schema.Some("value of " + c.Name)
		case *schema.Opt[[]schema.Message]:
			*v = schema.Some([]schema.Message{{MessageID: schema.Some(int64(7)), Question: schema.Some("a question"), Response: schema.Some("an answer")}})
		}
	}
	r.Extra = schema.Some(`{"a":"secret"}`)
	return r
}

// All personal columns are masked, and no others; the row is still one.
func TestMask(t *testing.T) {
	r, before := full(), full()
	shared := r.Messages.Value
	Mask(&r)
	for i := range schema.Columns {
		c := &schema.Columns[i]
		if got := Text(c, &r); (got == Text(c, &before)) == c.Personal {
			t.Errorf("%s is shown as %q", c.Name, got)
		}
	}
	if shared[0].Question.Value != "a question" {
		t.Error("the row's own messages were changed")
	}
	if r.Messages.Value[0].MessageID.Value != 7 || r.Extra.Value != maskedExtra {
		t.Errorf("messages %+v, extra %s", r.Messages.Value, r.Extra.Value)
	}
	none := schema.Row{Email: schema.Some("")}
	if Mask(&none); none.Phone.Valid || none.Email.Value != "" {
		t.Error("what is not there was masked")
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"Schöne Grüße": "Schöne Grüße", "a\nb\tc": "a b c", "\x1b[31mred\x1b[0m": "·[31mred·[0m",
		"a\u202eb": "a·b", "a\xffb": "a·b", "zero\u200bwidth": "zero·width", "限量版": "限量版",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// However narrow, lines fit, and the lead's id is whole; however wide, nothing is
// cut.
func TestTableFits(t *testing.T) {
	r := full()
	r.LeadID = "4a3b8756-d967-5b55-a854-1b75ab7a6314"
	r.ItemTitle = schema.Some(strings.Repeat("限量版 ", 30))
	r.SubmittedTime = schema.Some(time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC))
	r.LeadStatus = schema.Some("NEW")
	for _, width := range []int{0, 80, 100, 132, 400} {
		var out strings.Builder
		table := Table{Columns: Usual(false, false), Width: width}
		n, err := table.Write(&out, rowsOf(slices.Repeat([]schema.Row{r}, 250)...))
		if err != nil || n != 250 || strings.Count(out.String(), "\n") != 251 {
			t.Fatalf("%d rows, %v:\n%s", n, err, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if w := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); width > 0 && w > width {
				t.Errorf("width %d: a line of %d: %q", width, w, line)
			}
		}
		if strings.Count(out.String(), r.LeadID) != 250 {
			t.Errorf("width %d: the id is not whole", width)
		}
		if whole := strings.Contains(out.String(), r.ItemTitle.Value[:60]); width == 0 && !whole {
			t.Error("a title is cut where there is no limit")
		}
	}
}

// The lines of a narrow terminal are not broken, of leads and of events, with the
// persons and without: what there is no room for is left out, and first what is
// empty.
func TestTableFitsNarrow(t *testing.T) {
	r := full()
	r.LeadID = "4a3b8756-d967-5b55-a854-1b75ab7a6314"
	r.EventType = schema.Snapshot
	r.ItemID = schema.Some("110500001813")
	r.SubmittedTime = schema.Some(time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC))
	r.ExtractedAt = r.SubmittedTime.Value
	r.LeadStatus = schema.Some("RESPONDED")
	for width, want := range map[int][]string{
		50: {"STATUS LEAD_ID", "STATUS ITEM_ID NAME REACH", "EVENT LEAD_ID", "EVENT ITEM_ID NAME REACH"},
		80: {"SUBMITTED STATUS ITEM_ID LEAD_ID", "SUBMITTED STATUS ITEM_ID ITEM_TITLE NAME REACH", "SEEN EVENT STATUS LEAD_ID", "SEEN EVENT STATUS ITEM_ID NAME REACH"},
	} {
		for i, columns := range [][]Column{Usual(false, false), Usual(false, true), Usual(true, false), Usual(true, true)} {
			var out strings.Builder
			table := Table{Columns: columns, Width: width}
			if _, err := table.Write(&out, rowsOf(r)); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if w := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); w > width {
					t.Errorf("width %d: a line of %d: %q", width, w, line)
				}
			}
			titles, _, _ := strings.Cut(out.String(), "\n")
			if got := strings.Join(strings.Fields(titles), " "); got != want[i] {
				t.Errorf("width %d: columns %s, want %s", width, got, want[i])
			}
		}
	}
}

func TestWrap(t *testing.T) {
	const text = "read up to 2026-11-25T18:01:34Z, 限量版 限量版 in leads-demo/marketplace=EBAY_DE"
	for width, want := range map[int]string{
		10: text,
		24: "read up to\n  2026-11-25T18:01:34Z,\n  限量版 限量版 in\n  leads-demo/marketplace=EBAY_DE",
		40: "read up to 2026-11-25T18:01:34Z, 限量版\n  限量版 in leads-demo/marketplace=EBAY_DE",
		99: text,
	} {
		if got := Wrap(text, width, "  "); got != want {
			t.Errorf("width %d: %q", width, got)
		}
	}
	const marked = "\x1b[32mok\x1b[0m parquet is up to date"
	if got := Wrap(marked, 24, "  "); got != marked {
		t.Errorf("colors take room: %q", got)
	}
}
