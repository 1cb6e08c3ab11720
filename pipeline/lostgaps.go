package pipeline

import (
	"fmt"
	"iter"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// LostGaps returns the gaps that the lost records of a journal leave: what has to
// be fetched again. records are all of the journal, in order.
//
// Where a page's window is known, that is the gap. Where it is not, the gap is
// what the batches that were under way may have read there: of a batch, all of its
// range that no answer after its beginning covers; of a stream, which reads the
// same again and lands only what has changed, all that it has read.
func LostGaps(records iter.Seq[journal.Record], now time.Time) []journal.Gap {
	l := &lostGaps{now: now.UTC().Truncate(time.Millisecond), open: make(map[string]*suspect), read: make(map[journal.Query]window.Window)}
	for r := range records {
		l.apply(r)
	}
	for _, s := range l.order {
		l.settle(s)
	}
	l.orphans()
	return l.gaps
}

// suspect is a batch that has begun and not ended.
type suspect struct {
	begin journal.Begin
	// lost are the records that were lost while it was under way, which may have
	// been its.
	first, last journal.Seq
	lost        int
}

type lostGaps struct {
	now     time.Time
	tracker coverage.Tracker
	open    map[string]*suspect
	order   []*suspect // those in open, as they began
	// read is what pages and polls cover of each query, from end to end.
	read map[journal.Query]window.Window
	// alone are lost records while no batch was under way.
	alone suspect
	gaps  []journal.Gap
}

func (l *lostGaps) apply(r journal.Record) {
	if r.End != nil {
		if s := l.open[r.End.Batch]; s != nil {
			l.settle(s) // before the tracker forgets the batch
			delete(l.open, r.End.Batch)
			for i := range l.order {
				if l.order[i] == s {
					l.order = append(l.order[:i:i], l.order[i+1:]...)
					break
				}
			}
		}
	}
	l.tracker.Apply(r)
	switch {
	case r.Begin != nil:
		if l.open[r.Begin.ID] == nil {
			s := &suspect{}
			l.open[r.Begin.ID], l.order = s, append(l.order, s)
		}
		l.open[r.Begin.ID].begin = *r.Begin
	case r.Page != nil:
		l.covers(r.Page.Query, r.Page.Window)
	case r.Poll != nil:
		for _, w := range r.Poll.Windows {
			l.covers(r.Poll.Query, w)
		}
	}
	if r.Lost != nil {
		l.lost(r.Seq, r.Lost)
	}
}

func (l *lostGaps) covers(q journal.Query, w window.Window) {
	all, ok := l.read[q]
	if !ok {
		all = w
	}
	if w.From.Before(all.From) {
		all.From = w.From
	}
	if w.To.After(all.To) {
		all.To = w.To
	}
	l.read[q] = all
}

func (l *lostGaps) lost(seq journal.Seq, lost *journal.Lost) {
	if p := lost.Page; p != nil {
		l.covers(p.Query, p.Window)
		l.gap(p.Batch, p.Query, p.Window, fmt.Sprintf("the answer that was landed as record %d was damaged on disk", seq))
		return
	}
	if !lost.MayBePage() && !lost.MayBeGap() {
		return
	}
	suspects := l.order
	if len(suspects) == 0 {
		suspects = []*suspect{&l.alone}
	}
	for _, s := range suspects {
		if s.lost == 0 {
			s.first = seq
		}
		s.last = seq
		s.lost++
	}
}

func (s *suspect) reason() string {
	if s.lost == 1 {
		return fmt.Sprintf("record %d was damaged on disk, and may have been an answer for this time", s.first)
	}
	return fmt.Sprintf("%d of the records %d to %d were damaged on disk, and may have been answers for this time", s.lost, s.first, s.last)
}

// settle makes gaps of what a batch may have lost.
func (l *lostGaps) settle(s *suspect) {
	if s.lost == 0 {
		return
	}
	for _, q := range s.begin.Queries {
		if s.begin.Stream {
			l.gap(s.begin.ID, q, s.begin.Range.Intersect(l.read[q]), s.reason())
			continue
		}
		b, ok := l.tracker.Batch(s.begin.ID)
		if !ok {
			continue
		}
		for _, w := range b.Missing(q) {
			l.gap(s.begin.ID, q, w, s.reason())
		}
	}
}

// orphans makes gaps of what was lost while, as far as can be read, no batch was
// under way: everything that was ever read may have been read there.
func (l *lostGaps) orphans() {
	if l.alone.lost == 0 {
		return
	}
	for q, w := range l.read {
		l.gap("", q, w, l.alone.reason())
	}
}

func (l *lostGaps) gap(batch string, q journal.Query, w window.Window, reason string) {
	if w.Empty() {
		return
	}
	l.gaps = append(l.gaps, journal.Gap{Batch: batch, Query: q, Window: w, Reason: reason, Time: l.now})
}
