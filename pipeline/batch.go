package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
)

// Attempts of a delivery after all is landed, and its first wait.
const (
	deliveryAttempts = 2
	deliveryBackoff  = 500 * time.Millisecond
)

// Stages are the parts that runs are made of. The caller opens and closes them.
type Stages struct {
	Source  fetch.Source
	Journal *journal.Journal
	Reader  *deliver.Reader
	Sinks   []deliver.Opener
	Fetch   fetch.Config
	Logger  *slog.Logger

	// Base is what stands for the pruned part of the journal.
	Base *base.Store
	// Observers tell how far all sinks have come that the journal feeds, Keep how old
	// what is landed must be to be pruned; nothing is if it is 0.
	Observers []Observer
	Keep      time.Duration

	// Known is what has changed, derived from the journal; nil where the journal
	// has no stream.
	Known *known.Store
	// Landing, if not nil, stands before the journal where answers are landed in it.
	Landing fetch.Journal
	// Around, if not nil, is called when a stream begins a poll, or to bring in
	// history: that is done with the context that it returns, and when it has
	// ended, the function is called.
	Around func(ctx context.Context, what string) (context.Context, func(error))

	// Quota and Now are for streams: the calls made today, how many there may be,
	// and when the next day begins; and the API's clock.
	Quota func() (used, limit int, reset time.Time)
	Now   func() time.Time
}

func (s *Stages) landing() fetch.Journal {
	if s.Landing != nil {
		return s.Landing
	}
	return s.Journal
}

// around calls Around, if there is one.
func (s *Stages) around(ctx context.Context, what string) (context.Context, func(error)) {
	if s.Around == nil {
		return ctx, func(error) {}
	}
	return s.Around(ctx, what)
}

// Batch is the export of one closed range. Use it for one Run.
type Batch struct {
	stages  Stages
	request Request
	plan    *Plan

	fetcher    *fetch.Fetcher
	deliveries []*deliver.Delivery
	landed     chan struct{} // closed when nothing more will be landed
	begun      atomic.Pointer[time.Time]
}

// NewBatch plans the export of what is asked: it takes up the batch that an
// earlier run over the same range left unfinished, or begins a new one. It
// reads the journal and changes nothing.
func NewBatch(ctx context.Context, s Stages, r Request) (*Batch, error) {
	p, err := plan(ctx, s.Journal, s.past(), r, s.Fetch.Window)
	if err != nil {
		return nil, err
	}
	b := &Batch{stages: s, request: r, plan: p, landed: make(chan struct{})}
	b.fetcher = fetch.New(s.Source, s.landing(), s.Fetch, s.Logger)
	for _, o := range s.Sinks {
		b.deliveries = append(b.deliveries, deliver.New(o, deliver.Options{
			Journal: s.Journal, Reader: s.Reader, Base: s.Base, Changes: s.changes(), Batch: p.Batch, Landed: b.landed,
			Logger: s.Logger, Attempts: deliveryAttempts, Backoff: deliveryBackoff,
		}))
	}
	return b, nil
}

// Plan returns what Run is about to do.
func (b *Batch) Plan() Plan { return *b.plan }

// Run fetches and delivers. It blocks until all that was asked for is landed
// and delivered, or the context ends. What it returns besides the summary joins
//   - the context's error: the run was interrupted, the next one resumes it;
//   - what ended the fetching early (*fetch.RefusedError, *fetch.QuotaError,
//     *fetch.UnavailableError): what was landed by then is delivered;
//   - *GapsError: windows that could not be had;
//   - a *deliver.SinkError for each sink that was given up: the others are
//     complete;
//   - the journal's error: nothing more can be landed.
//
// The batch counts as finished, and the same range is read anew the next time,
// only if there was no error at all.
func (b *Batch) Run(ctx context.Context) (Summary, error) {
	begun := time.Now()
	b.begun.Store(&begun)
	if _, err := b.stages.Journal.Append(ctx, journal.Record{Begin: &journal.Begin{
		ID: b.plan.Batch, Spec: b.request.Spec, Range: b.request.Range, Queries: b.request.Queries,
		Time: begun.UTC().Truncate(time.Millisecond),
	}}); err != nil {
		return Summary{}, fmt.Errorf("beginning the batch: %w", err)
	}
	err := b.fetchAndDeliver(ctx)
	gaps, readErr := b.gaps(ctx)
	if len(gaps) > 0 && ctx.Err() == nil {
		readErr = errors.Join(readErr, &GapsError{Gaps: gaps})
	}
	if err = errors.Join(err, readErr); err == nil {
		_, err = b.stages.Journal.Append(ctx, journal.Record{End: &journal.End{
			Batch: b.plan.Batch, Time: time.Now().UTC().Truncate(time.Millisecond),
		}})
	}
	if err == nil {
		b.stages.pruneQuietly(ctx, 0)
	}
	return b.summary(gaps), err
}

// fetchAndDeliver runs the fetcher and all deliveries side by side.
func (b *Batch) fetchAndDeliver(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, len(b.deliveries))
	var delivering sync.WaitGroup
	for i, d := range b.deliveries {
		delivering.Go(func() { errs[i] = d.Run(ctx) })
	}
	fetched := make(chan struct{})
	var deriveErr error
	delivering.Go(func() {
		defer close(b.landed)
		if b.stages.Known != nil {
			deriveErr = derive(ctx, b.stages.Journal, b.stages.Known, fetched)
		}
		<-fetched
	})
	err := b.fetcher.Run(ctx, b.plan.jobs)
	if _, broken := errors.AsType[*journal.WriteError](err); broken {
		cancel(err) // the disk is full or fails: the sinks would meet the same
	}
	close(fetched)
	delivering.Wait()
	if ctx.Err() != nil {
		// Every part says in its own way that it was broken off; the cause, once,
		// is enough.
		if cause := context.Cause(ctx); err == nil || errors.Is(err, context.Canceled) {
			return cause
		}
		return err
	}
	return errors.Join(err, deriveErr, errors.Join(errs...))
}

// gaps returns what of the batch's range is known as a gap now.
func (b *Batch) gaps(ctx context.Context) ([]journal.Gap, error) {
	past := b.stages.past()
	tracker := past.Coverage.Tracker()
	for r, err := range b.stages.Journal.Records(context.WithoutCancel(ctx), 0) {
		if err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		tracker.Apply(r)
	}
	return slices.DeleteFunc(tracker.Gaps(), func(g journal.Gap) bool {
		return !slices.Contains(b.request.Queries, g.Query) || !g.Window.Overlaps(b.request.Range)
	}), nil
}

// GapsError says that a batch is complete but for windows that could not be had;
// the next run tries them first.
type GapsError struct{ Gaps []journal.Gap }

func (e *GapsError) Error() string {
	s := fmt.Sprintf("%d gaps", len(e.Gaps))
	if len(e.Gaps) == 1 {
		s = "1 gap"
	}
	for i, g := range e.Gaps {
		if i == 10 {
			return s + fmt.Sprintf(" and %d more", len(e.Gaps)-i)
		}
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		s += sep + g.Window.String()
		if g.Query.Item != "" {
			s += " of item " + g.Query.Item
		}
	}
	return s
}
