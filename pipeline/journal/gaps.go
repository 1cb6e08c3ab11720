package journal

import (
	"cmp"
	"slices"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Gaps returns what could not be had and was not landed since: for each Gap
// record the parts of its window that no complete page of the same query has
// covered after it, with the record's other fields. Where several records name
// the same instant, the newest counts, so that the windows of one query do not
// overlap. They are ordered by window and then by query. The slice is the
// caller's.
func (j *Journal) Gaps() []Gap {
	j.index.mu.RLock()
	defer j.index.mu.RUnlock()
	return j.index.gaps.open()
}

// gapBook follows the open gaps through the records, which it is given in
// order.
type gapBook struct {
	byQuery map[Query][]Gap
}

func (b *gapBook) missed(g Gap) {
	if b.byQuery == nil {
		b.byQuery = map[Query][]Gap{}
	}
	b.byQuery[g.Query] = without(b.byQuery[g.Query], g.Window)
	if !g.Window.Empty() {
		b.byQuery[g.Query] = append(b.byQuery[g.Query], g)
	}
}

func (b *gapBook) landed(p PageRef) {
	open := b.byQuery[p.Query]
	if p.Short || len(open) == 0 {
		return
	}
	if open = without(open, p.Window); len(open) == 0 {
		delete(b.byQuery, p.Query)
		return
	}
	b.byQuery[p.Query] = open
}

// without returns the gaps less the instants of w.
func without(gaps []Gap, w window.Window) []Gap {
	var covered window.Set
	covered.Add(w)
	var left []Gap
	for _, g := range gaps {
		for _, missing := range covered.Missing(g.Window) {
			g.Window = missing
			left = append(left, g)
		}
	}
	return left
}

func (b *gapBook) open() []Gap {
	var all []Gap
	for _, gaps := range b.byQuery {
		all = append(all, gaps...)
	}
	slices.SortFunc(all, func(a, b Gap) int {
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
