package pipeline

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// The windows of a plan are as many as its calls, and cover the range once.
func TestPreviewCoversTheRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(rapid.Int64Range(0, 2e9).Draw(t, "from"), 0).UTC()
		to := from.Add(time.Duration(rapid.Int64Range(1, 40_000_000).Draw(t, "seconds")) * time.Second)
		width := time.Duration(rapid.Int64Range(60, 5_000_000).Draw(t, "width")) * time.Second
		r, err := Between(from, to, to, Queries([]string{"1", "2"}, "", true))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Preview(t.Context(), nil, r, width)
		if err != nil {
			t.Fatal(err)
		}
		if p.Known || p.Pace != 0 || p.Resumed {
			t.Errorf("an empty journal knows nothing: %+v", p)
		}
		next := map[journal.Query]time.Time{}
		windows := 0
		for q, w := range p.Windows() {
			if begin, begun := next[q]; begun && !w.From.Equal(begin) || !begun && !w.From.Equal(from) || w.Empty() {
				t.Fatalf("%s does not follow %s", w, begin)
			}
			next[q] = w.To
			windows++
		}
		if windows != p.Calls || len(next) != 2 {
			t.Errorf("%d windows of %d queries, %d calls", windows, len(next), p.Calls)
		}
		for q, end := range next {
			if !end.Equal(to) {
				t.Errorf("the windows of %v end at %s, not %s", q, end, to)
			}
		}
	})
}

// The pace is that of batches at work: neither the time between two runs counts,
// nor what a stream landed.
func TestPace(t *testing.T) {
	begin := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	page := func(batch string, s int) journal.Record {
		return journal.Record{Page: &journal.Page{Batch: batch, Received: at(s), Window: window.New(at(0), at(1))}}
	}
	starts := func(batch string, s int, stream bool) journal.Record {
		return journal.Record{Begin: &journal.Begin{ID: batch, Time: at(s), Stream: stream}}
	}
	var p pace
	if p.perCall() != 0 {
		t.Error("nothing is known at first")
	}
	for _, r := range []journal.Record{
		starts("stream", 0, true), page("stream", 100),
		starts("a", 0, false), page("a", 2), page("a", 5), page("a", 4), // in flight at the same time
		starts("a", 10_000, false), page("a", 10_003), // resumed
		starts("b", 20_000, false), page("b", 20_002),
	} {
		p.apply(r)
	}
	if want := 2 * time.Second; p.perCall() != want { // 5 + 3 + 2 of 5 pages
		t.Errorf("%s a call, want %s", p.perCall(), want)
	}
}
