package pipeline

import (
	"context"
	"fmt"
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

	jobs []*fetch.Job
}

// plan reads the journal and works out what the request still needs.
func plan(ctx context.Context, j *journal.Journal, past *base.Past, r Request, width time.Duration) (*Plan, error) {
	tracker := past.Coverage.Tracker()
	leadsPerSecond := densities(past)
	for record, err := range j.Records(ctx, 0) {
		if err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		tracker.Apply(record)
		if p := record.Page; p != nil {
			if leadsPerSecond[p.Query] == nil {
				leadsPerSecond[p.Query] = &density{}
			}
			leadsPerSecond[p.Query].add(p)
		}
	}
	begun, ok := tracker.Unfinished(r.Spec, r.Queries)
	stale := ok && r.Fresh > 0 && time.Since(begun.Begun) > r.Fresh
	p := &Plan{Range: r.Range, Resumed: ok && !stale && !r.Restart, Known: true}
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

// expectedCalls plays the sizing of windows through, for leads that are spread
// evenly.
func expectedCalls(rest window.Window, width time.Duration, d *density) int {
	sizer := window.NewSizer(width)
	perSecond := 0.0
	if d != nil && d.seconds > 0 {
		perSecond = float64(d.leads) / d.seconds
	}
	calls := 0
	for !rest.Empty() && calls < maxExpectedCalls {
		var w window.Window
		w, rest = sizer.Next(rest)
		sizer.Answered(w, int(perSecond*w.Length().Seconds()), 0)
		calls++
	}
	return calls
}
