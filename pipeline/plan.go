package pipeline

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Plan is what a batch is about to do.
type Plan struct {
	// Batch is its id; Resumed says that it was begun by an earlier run.
	Batch   string
	Resumed bool
	Range   window.Window
	// Missing is how much time, over all queries, is still to be asked for, and
	// Gaps the number of windows that earlier runs gave up and that are tried
	// first.
	Missing time.Duration
	Gaps    int
	// Calls is how many calls of the API are expected, if every one succeeds.
	// Known says that the journal has pages to judge by how many leads there
	// are; without, Calls is the least that it takes.
	Calls int
	Known bool
	// Pace is how long a call took in earlier batches, those at the same time and
	// repetitions counted in; 0 if there was none to judge by.
	Pace time.Duration

	jobs  []*fetch.Job
	leads map[journal.Query]*density
	width time.Duration
}

// Preview plans the export of what is asked and changes nothing. j may be nil,
// where nothing was ever landed; width is that of the first windows.
func Preview(ctx context.Context, j *journal.Journal, r Request, width time.Duration) (Plan, error) {
	past := new(base.Past)
	if j != nil {
		var err error
		if past, err = base.ReadPast(j); err != nil {
			return Plan{}, err
		}
	}
	p, err := plan(ctx, j, past, r, width)
	if err != nil {
		return Plan{}, err
	}
	return *p, nil
}

// Windows are those that the plan expects to ask for, gaps first. They are
// estimates: their widths are learned on the way.
func (p *Plan) Windows() iter.Seq2[journal.Query, window.Window] {
	return func(yield func(journal.Query, window.Window) bool) {
		for _, job := range p.jobs {
			for _, w := range job.Retry {
				if !yield(job.Query, w) {
					return
				}
			}
			for _, rest := range job.Missing {
				for w := range expectedWindows(rest, p.width, p.leads[job.Query]) {
					if !yield(job.Query, w) {
						return
					}
				}
			}
		}
	}
}

// plan reads the journal and works out what the request still needs.
func plan(ctx context.Context, j *journal.Journal, past *base.Past, r Request, width time.Duration) (*Plan, error) {
	tracker := past.Coverage.Tracker()
	leadsPerSecond := densities(past)
	var pace pace
	var records iter.Seq2[journal.Record, error] = func(func(journal.Record, error) bool) {}
	if j != nil {
		records = j.Records(ctx, 0)
	}
	for record, err := range records {
		if err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		tracker.Apply(record)
		pace.apply(record)
		if p := record.Page; p != nil {
			if leadsPerSecond[p.Query] == nil {
				leadsPerSecond[p.Query] = &density{}
			}
			leadsPerSecond[p.Query].add(p)
		}
	}
	begun, ok := tracker.Unfinished(r.Spec, r.Queries)
	stale := ok && r.Fresh > 0 && time.Since(begun.Begun) > r.Fresh
	p := &Plan{Range: r.Range, Resumed: ok && !stale && !r.Restart, Known: true, Pace: pace.perCall(), leads: leadsPerSecond, width: width}
	if p.Resumed {
		p.Batch = begun.ID
	} else {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, fmt.Errorf("making an id for the batch: %w", err)
		}
		p.Batch = id.String()
	}
	// The tracker is told of the batch as the journal is about to be.
	tracker.Apply(journal.Record{Begin: &journal.Begin{ID: p.Batch, Spec: r.Spec, Range: r.Range, Queries: r.Queries}})
	batch, _ := tracker.Batch(p.Batch)
	for _, q := range r.Queries {
		job := &fetch.Job{Batch: p.Batch, Query: q, Missing: batch.Missing(q), Retry: openGaps(&tracker, q, batch)}
		p.jobs = append(p.jobs, job)
		p.Gaps += len(job.Retry)
		p.Calls += len(job.Retry)
		known := leadsPerSecond[q]
		p.Known = p.Known && known != nil
		for _, w := range job.Missing {
			p.Missing += w.Length()
			p.Calls += expectedCalls(w, width, known)
		}
		for _, w := range job.Retry {
			p.Missing += w.Length()
		}
	}
	return p, nil
}

// openGaps returns the gaps of the query, whichever batch left them, but for
// what this one reads anyway.
func openGaps(tracker *coverage.Tracker, q journal.Query, batch *coverage.Batch) []window.Window {
	var gaps, missing window.Set
	for _, w := range batch.Missing(q) {
		missing.Add(w)
	}
	for _, g := range tracker.GapsOf(q) {
		for _, w := range missing.Missing(g) {
			gaps.Add(w)
		}
	}
	return gaps.Windows()
}

// density is how many leads pages held per second of their windows.
type density struct {
	leads   int
	seconds float64
}

// densities are what the pruned pages held.
func densities(past *base.Past) map[journal.Query]*density {
	all := make(map[journal.Query]*density)
	for _, q := range past.Queries {
		if q.Seconds > 0 {
			all[q.Query] = &density{leads: q.Leads, seconds: q.Seconds}
		}
	}
	return all
}

func (d *density) add(p *journal.Page) {
	d.leads += p.Leads
	d.seconds += p.Window.Length().Seconds()
}

// maxExpectedCalls ends the estimate of absurd ranges.
const maxExpectedCalls = 1_000_000

// expectedCalls is how many windows it takes to read the rest.
func expectedCalls(rest window.Window, width time.Duration, d *density) int {
	calls := 0
	for range expectedWindows(rest, width, d) {
		calls++
	}
	return calls
}

// expectedWindows plays the sizing of windows through, for leads that are spread
// evenly.
func expectedWindows(rest window.Window, width time.Duration, d *density) iter.Seq[window.Window] {
	perSecond := 0.0
	if d != nil && d.seconds > 0 {
		perSecond = float64(d.leads) / d.seconds
	}
	return func(yield func(window.Window) bool) {
		sizer, rest := window.NewSizer(width), rest
		for calls := 0; !rest.Empty() && calls < maxExpectedCalls; calls++ {
			var w window.Window
			w, rest = sizer.Next(rest)
			sizer.Answered(w, int(perSecond*w.Length().Seconds()), 0)
			if !yield(w) {
				return
			}
		}
	}
}

// pace learns from the records of a journal how long calls took. Only batches
// count: they ask without a pause from their begin, or where they are resumed, to
// their last page.
type pace struct {
	last  map[string]time.Time // of each batch: its begin, or its last page
	calls int
	took  time.Duration
}

func (p *pace) apply(r journal.Record) {
	if p.last == nil {
		p.last = make(map[string]time.Time)
	}
	switch {
	case r.Begin != nil && !r.Begin.Stream:
		p.last[r.Begin.ID] = r.Begin.Time
	case r.Page != nil:
		before, ok := p.last[r.Page.Batch]
		if !ok {
			return // a stream's
		}
		p.calls++
		// Pages are landed nearly in the order in which they came.
		if elapsed := r.Page.Received.Sub(before); elapsed > 0 {
			p.took += elapsed
			p.last[r.Page.Batch] = r.Page.Received
		}
	}
}

// perCall is 0 if nothing is known.
func (p *pace) perCall() time.Duration {
	if p.calls == 0 {
		return 0
	}
	return p.took / time.Duration(p.calls)
}
