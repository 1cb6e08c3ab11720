package coverage

import (
	"cmp"
	"slices"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Gaps returns what could not be had and was not landed since: for each Gap
// record the parts of its window that no complete page of the same query has
// covered after it, with the record's other fields. Where several records name
// the same instant, the newest counts, so that the windows of one query do not
// overlap. They are ordered by window and then by query. The slice is the
// caller's.
func (t *Tracker) Gaps() []journal.Gap { return t.gaps.open() }

// GapsOf returns the windows of the query's gaps, in order.
func (t *Tracker) GapsOf(q journal.Query) []window.Window {
	var set window.Set
	for _, g := range t.gaps.byQuery[q] {
		set.Add(g.Window)
	}
	return set.Windows()
}

// gapBook follows the open gaps through the records, which it is given in
// order; short pages are not among them.
type gapBook struct {
	byQuery map[journal.Query][]journal.Gap
}

func (b *gapBook) missed(g journal.Gap) {
	if b.byQuery == nil {
		b.byQuery = map[journal.Query][]journal.Gap{}
	}
	b.byQuery[g.Query] = without(b.byQuery[g.Query], g.Window)
	if !g.Window.Empty() {
		b.byQuery[g.Query] = append(b.byQuery[g.Query], g)
	}
}

func (b *gapBook) landed(q journal.Query, w window.Window) {
	open := b.byQuery[q]
	if len(open) == 0 {
		return
	}
	if open = without(open, w); len(open) == 0 {
		delete(b.byQuery, q)
		return
	}
	b.byQuery[q] = open
}

// without returns the gaps less the instants of w.
func without(gaps []journal.Gap, w window.Window) []journal.Gap {
	var covered window.Set
	covered.Add(w)
	var left []journal.Gap
	for _, g := range gaps {
		for _, missing := range covered.Missing(g.Window) {
			g.Window = missing
			left = append(left, g)
		}
	}
	return left
}

func (b *gapBook) open() []journal.Gap {
	var all []journal.Gap
	for _, gaps := range b.byQuery {
		all = append(all, gaps...)
	}
	slices.SortFunc(all, func(a, b journal.Gap) int {
		return cmp.Or(
			a.Window.From.Compare(b.Window.From),
			a.Window.To.Compare(b.Window.To),
			cmp.Compare(a.Query.Item, b.Query.Item),
			cmp.Compare(a.Query.Status, b.Query.Status),
			cmp.Compare(btoi(a.Query.Messages), btoi(b.Query.Messages)),
		)
	})
	return all
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
