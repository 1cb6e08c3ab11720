package deliver

import (
	"cmp"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// ref is what delivery needs to know of a landed page without reading it.
type ref struct {
	seq      journal.Seq
	window   window.Window
	received time.Time
	leads    int
	undated  int
}

// index finds landed pages by the days that their windows touch. Pages come in
// the order of their numbers.
type index struct {
	pages   []ref
	byDay   map[day][]ref
	undated []ref
	// pruned is the last page that touched a day, of those that are pruned, and
	// prunedUndated the last with leads that have no time; nil for none.
	pruned        map[day]journal.Seq
	prunedUndated *journal.Seq
	losses        []journal.Loss
}

func newIndex() *index { return &index{byDay: make(map[day][]ref), pruned: make(map[day]journal.Seq)} }

func (x *index) add(seq journal.Seq, p *journal.Page) {
	r := ref{seq: seq, window: p.Window, received: p.Received, leads: p.Leads, undated: p.Undated}
	x.pages = append(x.pages, r)
	for d := range daysOf(p.Window) {
		x.byDay[d] = append(x.byDay[d], r)
	}
	if p.Undated > 0 {
		x.undated = append(x.undated, r)
	}
}

// from returns the pages with that number or a higher one. The slice is not to
// be changed.
func (x *index) from(seq journal.Seq) []ref {
	i, _ := slices.BinarySearchFunc(x.pages, seq, func(r ref, seq journal.Seq) int { return cmp.Compare(r.seq, seq) })
	return x.pages[i:]
}

// days returns all days that some page touches or touched, in order.
func (x *index) days() []day {
	days := make([]day, 0, len(x.byDay))
	for d := range x.byDay {
		days = append(days, d)
	}
	for d := range x.pruned {
		if _, ok := x.byDay[d]; !ok {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return days
}

// lastUndated returns the number of the newest page with leads that have no time.
func (x *index) lastUndated() (journal.Seq, bool) {
	switch n := len(x.undated); {
	case n > 0:
		return x.undated[n-1].seq, true
	case x.prunedUndated != nil:
		return *x.prunedUndated, true
	}
	return 0, false
}

// last returns the number of the newest page that touches the day.
func (x *index) last(d day) journal.Seq {
	pages := x.byDay[d]
	if len(pages) == 0 {
		return x.pruned[d]
	}
	return pages[len(pages)-1].seq
}

// touching returns the pages that overlap w, each once, by the start of their
// windows and then by their numbers.
func (x *index) touching(w window.Window) []ref {
	var pages []ref
	for d := range daysOf(w) {
		for _, r := range x.byDay[d] {
			if r.window.Overlaps(w) {
				pages = append(pages, r)
			}
		}
	}
	slices.SortFunc(pages, func(a, b ref) int {
		if c := a.window.From.Compare(b.window.From); c != 0 {
			return c
		}
		return cmp.Compare(a.seq, b.seq)
	})
	return slices.CompactFunc(pages, func(a, b ref) bool { return a.seq == b.seq })
}
