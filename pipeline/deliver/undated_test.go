package deliver

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// What is kept of a page is the part of no window, alike in every column, and what
// there is no room for is not kept.
func TestUndatedIsKept(t *testing.T) {
	filled := schema.Row{
		EventID: "e", EventType: schema.Snapshot, LeadID: "l", Account: "a",
		Messages:      schema.Some([]schema.Message{{Question: schema.Some("q")}, {}}),
		FeeAmount:     schema.Some(schema.Decimal{Text: "1.50", Unscaled: 15_000}),
		ChangedFields: schema.Some([]string{"email"}), Extra: schema.Some(`{"a":1}`),
	}
	empty := schema.Row{Messages: schema.Some([]schema.Message{})}
	page := flatten.Result{
		Rows: make([]schema.Row, 3), Undated: []schema.Row{filled, empty}, Dead: []flatten.DeadLetter{{Listing: 1}}, Unfit: 5, UnfitUndated: 2,
	}
	u := newUndated(3 * sizeOf(page.Outside()))
	for seq := range journal.Seq(5) {
		u.keep(seq, page)
		u.keep(seq, page)
		got, ok := u.of(seq)
		if ok != (seq < 3) {
			t.Errorf("page %d is kept: %v", seq, ok)
		}
		if ok && !reflect.DeepEqual(got, page.Outside()) {
			t.Errorf("page %d: got %+v", seq, got)
		}
	}
	u.keep(9, flatten.Result{Rows: page.Rows})
	if _, ok := u.of(9); ok || u.bytes > u.limit {
		t.Error(fmt.Sprint("kept a page without undated leads, or ", u.bytes, " bytes"))
	}
}
