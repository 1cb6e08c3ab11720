package deliver

import (
	"context"
	"iter"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// olderAtOnce is how many rows of the base are taken in before those are handed on
// that are final: it bounds the memory.
const olderAtOnce = 1_000

// older sweeps along the rows that the pruned pages of a journal came to, for a
// table to have them beside those of the pages that are left.
type older struct {
	pull func() (base.Latest, error, bool)
	stop func()
	// row is the next one, if there is one.
	row base.Latest
	err error
	ok  bool
}

func newOlder(ctx context.Context, b *base.Base, span window.Window) *older {
	pull, stop := iter.Pull2(b.Dated(ctx, span.From, span.To))
	o := &older{pull: pull, stop: stop}
	o.next()
	return o
}

func (o *older) next() { o.row, o.err, o.ok = o.pull() }

// finish hands on the leads that were submitted before t, in order, given that the
// pages' leads of that time are all there. It reports whether there is a taker for
// more.
func (o *older) finish(t time.Time, leads versions, take func(*version) bool) (more bool, err error) {
	for {
		for n := 0; n < olderAtOnce && o.before(t); n++ {
			leads.addOlder(o.row)
			o.next()
		}
		if o.err != nil {
			return false, o.err
		}
		final := t
		if o.before(t) {
			final = o.row.Row.SubmittedTime.Value
		}
		for _, v := range leads.takeBefore(final) {
			if !take(v) {
				return false, nil
			}
		}
		if final.Equal(t) {
			return true, nil
		}
	}
}

// before reports whether the next row was submitted before t.
func (o *older) before(t time.Time) bool {
	return o.ok && o.err == nil && o.row.Row.SubmittedTime.Value.Before(t)
}

// addOlder adds what the pruned pages came to: to all that comes after, it is one
// page that showed the lead as it was seen first with this content.
func (v versions) addOlder(l base.Latest) {
	v.add(&l.Row, ref{seq: l.Page, received: l.Row.ExtractedAt})
}
