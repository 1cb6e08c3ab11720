package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// feed is one sink's own view of the journal: what has been landed so far, and
// how far the batches are. It belongs to one goroutine.
type feed struct {
	journal *journal.Journal
	next    journal.Seq // the first record that is not taken in yet
	index   *index
	tracker coverage.Tracker
	// asOf leaves out the pages that were received after it; zero for none.
	asOf time.Time
}

// newFeed returns a view that goes on from what the pruned records say.
func newFeed(j *journal.Journal, past *base.Past) *feed {
	f := &feed{journal: j, next: past.Next, index: newIndex(), tracker: past.Coverage.Tracker()}
	f.index.prunedUndated = past.Undated
	for date, last := range past.Days {
		if t, err := time.Parse(time.DateOnly, date); err == nil {
			f.index.pruned[dayOf(t)] = last
		}
	}
	return f
}

// advance takes in what was appended since the last call. The channel that it
// returns is closed when there is more.
func (f *feed) advance(ctx context.Context) (<-chan struct{}, error) {
	changed := f.journal.Changed()
	for r, err := range f.journal.Records(ctx, f.next) {
		if err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		f.tracker.Apply(r)
		if r.Page != nil && (f.asOf.IsZero() || !r.Page.Received.After(f.asOf)) {
			f.index.add(r.Seq, r.Page)
		}
		f.next = r.Seq + 1
	}
	f.index.losses = f.journal.Losses()
	return changed, nil
}

// resume returns where in this journal an output goes on whose position is p:
// at the beginning, if p is of another journal.
func (f *feed) resume(p Position) journal.Seq {
	if p.Journal != f.journal.ID() {
		return 0
	}
	return p.Next
}
