package coverage_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

func TestGapsShrink(t *testing.T) {
	var tracker coverage.Tracker
	gap := func(q journal.Query, from, to int, reason string) journal.Record {
		return journal.Record{Gap: &journal.Gap{Batch: "b", Query: q, Window: span(from, to), Reason: reason, Time: epoch}}
	}
	page := func(q journal.Query, from, to int, short bool) journal.Record {
		return journal.Record{Page: &journal.Page{Batch: "b", Query: q, Window: span(from, to), Short: short}}
	}
	windows := func() (w []window.Window) {
		for _, g := range tracker.Gaps() {
			w = append(w, g.Window)
		}
		return w
	}
	steps := []struct {
		r    journal.Record
		want []window.Window
	}{
		{page(all, 0, 100, false), nil},
		{gap(all, 10, 20, "first"), []window.Window{span(10, 20)}}, // the page before does not count
		{page(item, 0, 100, false), []window.Window{span(10, 20)}},
		{page(all, 0, 100, true), []window.Window{span(10, 20)}},
		{page(all, 13, 15, false), []window.Window{span(10, 13), span(15, 20)}},
		{gap(all, 12, 16, "second"), []window.Window{span(10, 12), span(12, 16), span(16, 20)}},
		{gap(item, 10, 11, "third"), []window.Window{span(10, 11), span(10, 12), span(12, 16), span(16, 20)}},
		{page(all, 0, 14, false), []window.Window{span(10, 11), span(14, 16), span(16, 20)}},
		{page(all, 14, 200, false), []window.Window{span(10, 11)}},
		{page(item, 10, 11, false), nil},
	}
	for i, step := range steps {
		tracker.Apply(step.r)
		if got := windows(); !slices.Equal(got, step.want) {
			t.Fatalf("step %d: gaps %v, want %v", i, got, step.want)
		}
		if i == 5 {
			reasons := []string{}
			for _, g := range tracker.Gaps() {
				reasons = append(reasons, g.Reason)
			}
			if !slices.Equal(reasons, []string{"first", "second", "first"}) {
				t.Errorf("reasons are %q", reasons)
			}
		}
	}
}

// An instant is in an open gap exactly if the last thing said of it, for that
// query, is that it could not be had.
func TestGapsAreWhatWasLastSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queries := []journal.Query{{}, {Item: "1"}, {Messages: true}}
		missing := map[journal.Query]*[40]bool{}
		for _, q := range queries {
			missing[q] = new([40]bool)
		}
		var tracker coverage.Tracker
		for range rapid.IntRange(0, 30).Draw(t, "records") {
			q := rapid.SampledFrom(queries).Draw(t, "query")
			from := rapid.IntRange(0, 39).Draw(t, "from")
			to := rapid.IntRange(from, 40).Draw(t, "to")
			kind := rapid.SampledFrom([]string{"gap", "page", "short page"}).Draw(t, "kind")
			switch kind {
			case "gap":
				tracker.Apply(gap(q, span(from, to)))
			default:
				tracker.Apply(journal.Record{Page: &journal.Page{Query: q, Window: span(from, to), Short: kind == "short page"}})
			}
			for i := from; i < to && kind != "short page"; i++ {
				missing[q][i] = kind == "gap"
			}
		}
		open := tracker.Gaps()
		for _, q := range queries {
			for i, want := range missing[q] {
				n := 0
				for _, g := range open {
					if g.Query == q && g.Window.Contains(span(i, i+1).From) {
						n++
					}
				}
				if want && n != 1 || !want && n != 0 {
					t.Fatalf("second %d of %+v is in %d gaps, missing: %v", i, q, n, want)
				}
			}
		}
	})
}
