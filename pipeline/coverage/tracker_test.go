package coverage_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

var (
	epoch = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	all   = journal.Query{Messages: true}
	item  = journal.Query{Item: "110000000001", Messages: true}
)

func span(from, to int) window.Window {
	return window.New(epoch.Add(time.Duration(from)*time.Second), epoch.Add(time.Duration(to)*time.Second))
}

func begin(id, spec string, w window.Window, queries ...journal.Query) journal.Record {
	return journal.Record{Begin: &journal.Begin{ID: id, Spec: spec, Range: w, Queries: queries}}
}

func page(q journal.Query, w window.Window) journal.Record {
	return journal.Record{Page: &journal.Page{Query: q, Window: w}}
}

func gap(q journal.Query, w window.Window) journal.Record {
	return journal.Record{Gap: &journal.Gap{Query: q, Window: w}}
}

func track(records ...journal.Record) *coverage.Tracker {
	var t coverage.Tracker
	for _, r := range records {
		t.Apply(r)
	}
	return &t
}

func unfinished(t *testing.T, tracker *coverage.Tracker, spec string, queries ...journal.Query) *coverage.Batch {
	t.Helper()
	b, ok := tracker.Unfinished(spec, queries)
	if !ok {
		t.Fatalf("no unfinished batch %q", spec)
	}
	return b
}

func TestAnInterruptedBatchMissesWhatIsNotLanded(t *testing.T) {
	b := unfinished(t, track(
		page(all, span(0, 100)), // landed before the batch began: read again
		begin("b1", "s", span(0, 100), all),
		page(all, span(20, 40)),
		page(item, span(40, 60)), // another query's
		journal.Record{Page: &journal.Page{Query: all, Window: span(60, 80), Short: true}},
	), "s", all)
	if got, want := b.Missing(all), []window.Window{span(0, 20), span(40, 100)}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	if b.Dealt(span(0, 21)) || !b.Dealt(span(20, 40)) || !b.Dealt(span(200, 300)) {
		t.Error("Dealt is wrong")
	}
}

func TestAGapIsTriedAgainAndCloses(t *testing.T) {
	records := []journal.Record{
		begin("b1", "s", span(0, 10), all),
		page(all, span(0, 5)), gap(all, span(5, 6)), page(all, span(6, 10)),
	}
	tracker := track(records...)
	b := unfinished(t, tracker, "s", all)
	if missing := b.Missing(all); len(missing) != 0 {
		t.Errorf("missing %v besides the gap", missing)
	}
	if got := tracker.GapsOf(all); !slices.Equal(got, []window.Window{span(5, 6)}) {
		t.Errorf("gaps %v", got)
	}
	if !b.Dealt(span(0, 10)) || b.Landed() {
		t.Error("a gap is dealt with, and not landed")
	}
	tracker.Apply(page(all, span(5, 6)))
	if got := tracker.GapsOf(all); len(got) != 0 || !b.Landed() {
		t.Errorf("after the gap was landed: gaps %v, landed %v", got, b.Landed())
	}
}

func TestAPollCoversWhatItRead(t *testing.T) {
	stream := begin("s1", "stream", span(0, 1000), all)
	stream.Begin.Stream = true
	tracker := track(stream, page(all, span(0, 5)), gap(all, span(5, 6)), page(all, span(6, 10)))
	poll := journal.Record{Poll: &journal.Poll{Query: all, Windows: []window.Window{span(5, 6), span(8, 20)}}}
	tracker.Apply(journal.Record{Poll: &journal.Poll{Query: item, Windows: []window.Window{span(0, 100)}}}) // another query's
	if got := tracker.GapsOf(all); !slices.Equal(got, []window.Window{span(5, 6)}) {
		t.Errorf("gaps %v", got)
	}
	tracker.Apply(poll)
	b, ok := tracker.Stream("stream", []journal.Query{all})
	if !ok {
		t.Fatal("the stream is not found")
	}
	if got := tracker.GapsOf(all); len(got) != 0 {
		t.Errorf("gaps %v after they were read", got)
	}
	if got, want := b.Missing(all), []window.Window{span(20, 1000)}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	if _, ok := tracker.Unfinished("stream", []journal.Query{all}); ok {
		t.Error("a stream is taken up as a batch")
	}
}

func TestABatchIsTakenUpOnlyBySpecAndQueries(t *testing.T) {
	tracker := track(begin("b1", "s", span(0, 10), all), begin("b2", "s", span(0, 10), item))
	for _, c := range []struct {
		spec    string
		queries []journal.Query
		want    string
	}{
		{"s", []journal.Query{all}, "b1"}, {"s", []journal.Query{item}, "b2"},
		{"other", []journal.Query{all}, ""}, {"s", []journal.Query{all, item}, ""},
	} {
		b, ok := tracker.Unfinished(c.spec, c.queries)
		if ok != (c.want != "") || ok && b.ID != c.want {
			t.Errorf("%q %v: got %v", c.spec, c.queries, b)
		}
	}
	tracker.Apply(journal.Record{End: &journal.End{Batch: "b1"}})
	if _, ok := tracker.Unfinished("s", []journal.Query{all}); ok {
		t.Error("an ended batch is taken up")
	}
}

func TestABatchTakenUpWithALaterRangeKeepsWhatIsLanded(t *testing.T) {
	b := unfinished(t, track(
		begin("b1", "last 1h", span(0, 100), all), page(all, span(0, 50)),
		begin("b1", "last 1h", span(10, 110), all),
	), "last 1h", all)
	if got, want := b.Missing(all), []window.Window{span(50, 110)}; !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	first, again := begin("b2", "s", span(0, 1), all), begin("b2", "s", span(0, 1), all)
	first.Begin.Time, again.Begin.Time = epoch, epoch.Add(time.Hour)
	if b := unfinished(t, track(first, again), "s", all); !b.Begun.Equal(epoch) || !b.Time.Equal(epoch.Add(time.Hour)) {
		t.Errorf("begun %s, taken up %s", b.Begun, b.Time)
	}
}

// Whatever is landed or given up, in whatever order: what is missing is what was
// neither landed nor given up.
func TestMissingIsNeitherLandedNorGivenUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 40
		tracker := track(begin("b", "s", span(0, limit), all))
		var landed, given [limit]bool
		for range rapid.IntRange(0, 15).Draw(t, "records") {
			from := rapid.IntRange(0, limit-1).Draw(t, "from")
			to := rapid.IntRange(from+1, limit).Draw(t, "to")
			set := &landed
			if rapid.Bool().Draw(t, "gap") {
				set = &given
				tracker.Apply(gap(all, span(from, to)))
			} else {
				tracker.Apply(page(all, span(from, to)))
			}
			for s := from; s < to; s++ {
				set[s] = true
			}
		}
		b, _ := tracker.Batch("b")
		complete := true
		for s := range limit {
			in := func(ws []window.Window) bool {
				return slices.ContainsFunc(ws, func(w window.Window) bool { return w.Overlaps(span(s, s+1)) })
			}
			if got, want := in(b.Missing(all)), !landed[s] && !given[s]; got != want {
				t.Fatalf("second %d missing: %v, want %v", s, got, want)
			}
			complete = complete && landed[s]
		}
		if b.Landed() != complete {
			t.Fatalf("Landed %v, want %v", b.Landed(), complete)
		}
	})
}
