package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/schedule"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// streamView is what the journal says of a stream: what is covered, what is a
// gap, and when each moment of the past was read last. It belongs to one
// goroutine.
type streamView struct {
	journal  *journal.Journal
	next     journal.Seq
	tracker  coverage.Tracker
	readings map[journal.Query]*schedule.Readings
	sizers   map[journal.Query]*window.Sizer
}

// newStreamView returns a view that goes on from what the pruned records say.
func newStreamView(j *journal.Journal, past *base.Past, queries []journal.Query, width time.Duration) *streamView {
	v := &streamView{
		journal: j, next: past.Next, tracker: past.Coverage.Tracker(),
		readings: make(map[journal.Query]*schedule.Readings), sizers: make(map[journal.Query]*window.Sizer),
	}
	for _, q := range queries {
		v.readings[q], v.sizers[q] = new(schedule.Readings), window.NewSizer(width)
	}
	for _, q := range past.Queries {
		v.read(q.Query, base.LongAgo, q.Read...)
	}
	return v
}

// advance takes in what was landed since the last call.
func (v *streamView) advance(ctx context.Context) error {
	for r, err := range v.journal.Records(ctx, v.next) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		v.apply(r)
		v.next = r.Seq + 1
	}
	return nil
}

// apply takes in one record, which need not be in the journal yet.
func (v *streamView) apply(r journal.Record) {
	v.tracker.Apply(r)
	switch {
	case r.Page != nil && !r.Page.Short:
		v.read(r.Page.Query, r.Page.Received, r.Page.Window)
	case r.Gap != nil:
		// It was tried, and is tried at each poll: nothing else need be read for it.
		v.read(r.Gap.Query, r.Gap.Time, r.Gap.Window)
	case r.Poll != nil:
		v.read(r.Poll.Query, r.Poll.Received, r.Poll.Windows...)
	}
}

// read notes when windows were read. A time in our future is that of a clock
// that was set back since: as nobody knows how long ago it was, it does not count.
func (v *streamView) read(q journal.Query, at time.Time, windows ...window.Window) {
	readings := v.readings[q]
	if readings == nil || at.After(time.Now()) {
		return
	}
	for _, w := range windows {
		readings.Add(w, at)
	}
}

// forgetReadings makes everything due: the clock was set back, and what was read
// seems to be read in the future.
func (v *streamView) forgetReadings() {
	for q := range v.readings {
		v.readings[q] = new(schedule.Readings)
	}
}

// job returns what a poll is to read for a query: what is not covered yet up to
// newest, and what is due to be read again. Gaps are tried as they are, for a
// wider window around one would fail, and be searched for it again.
func (v *streamView) job(stream string, q journal.Query, plan schedule.Plan, now, newest time.Time) *fetch.Job {
	if n := len(plan.Bands); n > 0 {
		v.readings[q].Forget(newest.Add(-2 * plan.Bands[n-1].Age)) // twice: aligned begins earlier
	}
	job := &fetch.Job{Batch: stream, Query: q, Sizer: v.sizers[q]}
	var want, gaps window.Set
	if b, ok := v.tracker.Batch(stream); ok {
		for _, w := range b.Missing(q) {
			want.Add(w.Intersect(window.Window{From: w.From, To: newest}))
		}
	}
	want.Add(aligned(plan.Due(v.readings[q], now, newest), job.Sizer.Size()))
	for _, w := range v.tracker.GapsOf(q) {
		gaps.Add(w)
	}
	job.Retry = gaps.Windows()
	for _, w := range want.Windows() {
		job.Missing = append(job.Missing, gaps.Missing(w)...)
	}
	return job
}

// aligned begins a range that takes several windows earlier, so that it is cut at
// the same moments at each poll: the same windows give the same answers.
func aligned(due window.Window, size time.Duration) window.Window {
	if due.Length() > size {
		due.From = due.From.Truncate(size)
	}
	return due
}

// watermark is the moment before which everything of the stream is covered.
func (v *streamView) watermark(stream string, queries []journal.Query) time.Time {
	b, ok := v.tracker.Batch(stream)
	if !ok {
		return time.Time{}
	}
	var mark time.Time
	for _, q := range queries {
		// Its range has no end, so something is always missing.
		if missing := b.Missing(q); len(missing) > 0 && (mark.IsZero() || missing[0].From.Before(mark)) {
			mark = missing[0].From
		}
	}
	return mark
}

// backfillSpec begins the specs of histories that are brought in on the side.
const backfillSpec = "backfill from "

// backfills returns the histories that are not complete, in the order in which
// they were begun.
func (v *streamView) backfills() []*coverage.Batch {
	var open []*coverage.Batch
	for _, b := range v.tracker.Open() {
		if b.Begin.Stream && strings.HasPrefix(b.Spec, backfillSpec) {
			open = append(open, b)
		}
	}
	return open
}

// windowsOf estimates how many calls it takes to read so much time.
func (v *streamView) windowsOf(from, to time.Duration) int {
	calls := 0
	for _, s := range v.sizers {
		size := s.Size()
		calls += int((to - from + size - 1) / size)
		if to-from > size {
			calls++ // aligned makes it one more
		}
	}
	return max(calls, 1)
}

// everRead reports whether all of w was read for all queries, at whatever time.
func (v *streamView) everRead(w window.Window, queries []journal.Query) bool {
	for _, q := range queries {
		if _, ok := v.readings[q].Oldest(w); !ok {
			return false
		}
	}
	return true
}
