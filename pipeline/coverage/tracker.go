// Package coverage derives from the journal's records which parts of which
// batch are landed: what a run still has to ask for, and which stretches of
// time are complete enough to be written as a table.
//
// What must not be here: I/O. The package sees records one after the other and
// keeps nothing that the journal does not say.
package coverage

import (
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Tracker follows the batches of a journal. Feed it every record, in order. The
// zero value is ready. It is not safe for concurrent use.
type Tracker struct {
	open []*Batch // in the order in which they began
	gaps gapBook
}

// Batch is a batch that has begun and not ended.
type Batch struct {
	// Begin is the newest record of its beginning.
	journal.Begin
	// Begun is when it began first.
	Begun   time.Time
	queries []*progress
}

// progress is how far one query of a batch has come. Every page counts that was
// landed since the batch began, whichever batch asked for it: it is as fresh as
// the batch wants it.
type progress struct {
	query  journal.Query
	landed window.Set
	dealt  window.Set // landed, or recorded as a gap at some time
}

// Apply takes in the next record.
func (t *Tracker) Apply(r journal.Record) {
	switch {
	case r.Begin != nil:
		t.begin(*r.Begin)
	case r.Page != nil && !r.Page.Short:
		t.landed(r.Page.Query, r.Page.Window)
	case r.Poll != nil:
		for _, w := range r.Poll.Windows {
			t.landed(r.Poll.Query, w)
		}
	case r.Gap != nil:
		t.gaps.missed(*r.Gap)
		t.each(r.Gap.Query, func(p *progress) { p.dealt.Add(r.Gap.Window) })
	case r.End != nil:
		t.open = slices.DeleteFunc(t.open, func(b *Batch) bool { return b.ID == r.End.Batch })
	}
}

// landed takes in that w was answered completely: what the answer held is in the
// journal, whether with this record or since before.
func (t *Tracker) landed(q journal.Query, w window.Window) {
	t.gaps.landed(q, w)
	t.each(q, func(p *progress) {
		p.landed.Add(w)
		p.dealt.Add(w)
	})
}

func (t *Tracker) begin(begin journal.Begin) {
	i := slices.IndexFunc(t.open, func(b *Batch) bool { return b.ID == begin.ID })
	if i < 0 {
		i = len(t.open)
		t.open = append(t.open, &Batch{Begun: begin.Time})
	}
	b := t.open[i]
	b.Begin = begin
	for _, q := range begin.Queries {
		if b.progress(q) == nil {
			b.queries = append(b.queries, &progress{query: q})
		}
	}
}

func (t *Tracker) each(q journal.Query, apply func(*progress)) {
	for _, b := range t.open {
		if p := b.progress(q); p != nil {
			apply(p)
		}
	}
}

// Unfinished returns the newest batch, no stream, that was begun with the spec
// and those queries and has not ended.
func (t *Tracker) Unfinished(spec string, queries []journal.Query) (*Batch, bool) {
	return t.newest(false, spec, queries)
}

// Stream is Unfinished for streams.
func (t *Tracker) Stream(spec string, queries []journal.Query) (*Batch, bool) {
	return t.newest(true, spec, queries)
}

func (t *Tracker) newest(stream bool, spec string, queries []journal.Query) (*Batch, bool) {
	for _, b := range slices.Backward(t.open) {
		if b.Begin.Stream == stream && b.Spec == spec && slices.Equal(b.Queries, queries) {
			return b, true
		}
	}
	return nil, false
}

// Open returns the batches that have not ended, in the order in which they
// began. The slice is the caller's, the batches are not.
func (t *Tracker) Open() []*Batch { return slices.Clone(t.open) }

// Batch returns the open batch with that id.
func (t *Tracker) Batch(id string) (*Batch, bool) {
	i := slices.IndexFunc(t.open, func(b *Batch) bool { return b.ID == id })
	if i < 0 {
		return nil, false
	}
	return t.open[i], true
}

// Dealt reports whether what the batch asks for of w, if anything, is landed or
// known as a gap.
func (b *Batch) Dealt(w window.Window) bool {
	w = b.Range.Intersect(w)
	for _, p := range b.queries {
		if !p.dealt.Covers(w) {
			return false
		}
	}
	return true
}

// Missing returns what of the range has not been landed for the query and is
// not known as a gap, in order.
func (b *Batch) Missing(q journal.Query) []window.Window {
	if p := b.progress(q); p != nil {
		return p.dealt.Missing(b.Range)
	}
	return []window.Window{b.Range}
}

// Landed reports whether every second of the range is landed for every query.
func (b *Batch) Landed() bool {
	for _, p := range b.queries {
		if !p.landed.Covers(b.Range) {
			return false
		}
	}
	return true
}

func (b *Batch) progress(q journal.Query) *progress {
	for _, p := range b.queries {
		if p.query == q {
			return p
		}
	}
	return nil
}
