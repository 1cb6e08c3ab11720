package journal

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// seconds is the window [from, to) in seconds after the tests' epoch.
func seconds(from, to int) window.Window {
	return window.New(epoch.Add(time.Duration(from)*time.Second), epoch.Add(time.Duration(to)*time.Second))
}

func TestBatches(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	a := Begin{ID: "a", Spec: "last 1h", Range: seconds(0, 100), Queries: []Query{{Messages: true}}, Time: epoch}
	b := Begin{ID: "b", Spec: "x", Range: seconds(0, 10), Queries: []Query{{}}, Time: epoch}
	again := a
	again.Range, again.Time = seconds(50, 150), epoch.Add(time.Hour)
	appendAll(t, j,
		Record{Begin: &a},
		Record{Begin: &b},
		Record{End: &End{Batch: "b", Time: epoch.Add(time.Minute)}},
		Record{End: &End{Batch: "of a journal before", Time: epoch}},
		Record{Begin: &again},
	)
	want := []BatchState{
		{Begin: again},
		{Begin: b, Ended: true, EndTime: epoch.Add(time.Minute)},
	}
	if got := j.Batches(); !reflect.DeepEqual(got, want) {
		t.Errorf("Batches:\n%+v, want\n%+v", got, want)
	}
	j.Close()
	if got := open(t, dir, Options{}).Batches(); !reflect.DeepEqual(got, want) {
		t.Errorf("Batches after opening again:\n%+v, want\n%+v", got, want)
	}
}

func TestGapsShrink(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	item, all := Query{Item: "1"}, Query{}
	gap := func(q Query, from, to int, reason string) Record {
		return Record{Gap: &Gap{Batch: "b", Query: q, Window: seconds(from, to), Reason: reason, Time: epoch}}
	}
	page := func(q Query, from, to int, short bool) Record {
		return Record{Page: &Page{Batch: "b", Query: q, Window: seconds(from, to), Short: short}}
	}
	windows := func() (w []window.Window) {
		for _, g := range j.Gaps() {
			w = append(w, g.Window)
		}
		return w
	}
	steps := []struct {
		r    Record
		want []window.Window
	}{
		{page(all, 0, 100, false), nil},
		{gap(all, 10, 20, "first"), []window.Window{seconds(10, 20)}}, // the page before does not count
		{page(item, 0, 100, false), []window.Window{seconds(10, 20)}},
		{page(all, 0, 100, true), []window.Window{seconds(10, 20)}},
		{page(all, 13, 15, false), []window.Window{seconds(10, 13), seconds(15, 20)}},
		{gap(all, 12, 16, "second"), []window.Window{seconds(10, 12), seconds(12, 16), seconds(16, 20)}},
		{gap(item, 10, 11, "third"), []window.Window{seconds(10, 11), seconds(10, 12), seconds(12, 16), seconds(16, 20)}},
		{page(all, 0, 14, false), []window.Window{seconds(10, 11), seconds(14, 16), seconds(16, 20)}},
		{page(all, 14, 200, false), []window.Window{seconds(10, 11)}},
		{page(item, 10, 11, false), nil},
	}
	for i, step := range steps {
		appendAll(t, j, step.r)
		if got := windows(); !slices.Equal(got, step.want) {
			t.Fatalf("step %d: gaps %v, want %v", i, got, step.want)
		}
		if i == 5 {
			reasons := []string{}
			for _, g := range j.Gaps() {
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
		queries := []Query{{}, {Item: "1"}, {Messages: true}}
		missing := map[Query]*[40]bool{}
		for _, q := range queries {
			missing[q] = new([40]bool)
		}
		var book gapBook
		for range rapid.IntRange(0, 30).Draw(t, "records") {
			q := rapid.SampledFrom(queries).Draw(t, "query")
			from := rapid.IntRange(0, 39).Draw(t, "from")
			to := rapid.IntRange(from, 40).Draw(t, "to")
			kind := rapid.SampledFrom([]string{"gap", "page", "short page"}).Draw(t, "kind")
			switch kind {
			case "gap":
				book.missed(Gap{Query: q, Window: seconds(from, to)})
			default:
				book.landed(PageRef{Query: q, Window: seconds(from, to), Short: kind == "short page"})
			}
			for i := from; i < to && kind != "short page"; i++ {
				missing[q][i] = kind == "gap"
			}
		}
		open := book.open()
		for _, q := range queries {
			for i, want := range missing[q] {
				n := 0
				for _, g := range open {
					if g.Query == q && g.Window.Contains(seconds(i, i+1).From) {
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
