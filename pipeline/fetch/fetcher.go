package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Job is what one query of a batch still needs.
type Job struct {
	// Batch is the id that pages and gaps are recorded under.
	Batch string
	Query journal.Query
	// Retry are windows that earlier runs left as gaps; they are tried first.
	Retry []window.Window
	// Missing are the ranges that are not covered yet, or to be read again, in
	// order.
	Missing []window.Window
	// Sizer is what was learned of the query's windows before; nil to learn anew.
	Sizer *window.Sizer
}

// Known tells whether an answer, complete and not landed yet, says nothing but
// what is known: then it need not be landed. It is called concurrently.
type Known func(ctx context.Context, page *journal.Page) (bool, error)

// Journal is where answers are landed: *journal.Journal, or what stands before it
// to look on.
type Journal interface {
	Append(ctx context.Context, r journal.Record) (journal.Seq, error)
}

// Fetcher lands windows in the journal. Use it for one Run.
type Fetcher struct {
	source  Source
	journal Journal
	config  Config
	logger  *slog.Logger

	// known is nil if every answer is landed.
	known Known

	mu    sync.Mutex
	polls map[*Job]*journal.Poll // what was answered and not landed

	health health
	stats  struct {
		pages, leads, splits, gaps atomic.Int64
		unchanged                  atomic.Int64
		covered                    atomic.Int64 // seconds
	}
}

// New returns a Fetcher that lands the source's answers in j.
func New(source Source, j Journal, config Config, logger *slog.Logger) *Fetcher {
	return &Fetcher{source: source, journal: j, config: config, logger: logger}
}

// NewPoller returns a Fetcher that lands of the source's answers those that are
// not known.
func NewPoller(source Source, j Journal, known Known, config Config, logger *slog.Logger) *Fetcher {
	f := New(source, j, config, logger)
	f.known, f.polls = known, make(map[*Job]*journal.Poll)
	return f
}

// Polls returns the windows whose answers were known, of each job that has any.
// Recording them is the caller's, who may wait until more have gathered. It is to
// be called after Run, however that ended.
func (f *Fetcher) Polls() []journal.Poll {
	f.mu.Lock()
	defer f.mu.Unlock()
	var polls []journal.Poll
	for _, p := range f.polls {
		polls = append(polls, *p)
	}
	return polls
}

// Stats is what a Fetcher has done so far.
type Stats struct {
	Pages, Leads, Splits, Gaps int64
	// Unchanged answers were known, and not landed; Pages does not count them.
	Unchanged int64
	// Covered is the sum of the lengths of the windows that are dealt with,
	// landed or recorded as gaps.
	Covered time.Duration
}

// Stats returns a snapshot; it may be called while Run runs.
func (f *Fetcher) Stats() Stats {
	return Stats{
		Pages:  f.stats.pages.Load(),
		Leads:  f.stats.leads.Load(),
		Splits: f.stats.splits.Load(),
		Gaps:   f.stats.gaps.Load(),

		Unchanged: f.stats.unchanged.Load(),
		Covered:   time.Duration(f.stats.covered.Load()) * time.Second,
	}
}

// Run fetches everything that the jobs need and returns when every second of it
// is landed or recorded as a gap. It returns early, with everything landed that
// was answered by then, with the context's error, a *RefusedError, a
// *QuotaError, an *UnavailableError, or the journal's error.
func (f *Fetcher) Run(ctx context.Context, jobs []*Job) error {
	for _, j := range jobs {
		if j.Sizer == nil {
			j.Sizer = window.NewSizer(f.config.Window)
		}
	}
	q := newQueue(jobs)
	// A worker that meets the end of the quota stops the queue, not the others:
	// what is in flight has been paid for. Every other error cancels them.
	workers, workCtx := errgroup.WithContext(ctx)
	quota := make(chan error, f.config.Concurrency)
	for range f.config.Concurrency {
		workers.Go(func() error {
			for {
				t, ok := q.next(workCtx)
				if !ok {
					return nil
				}
				halves, err := f.fetch(workCtx, t)
				q.done(t, halves...)
				if _, spent := errors.AsType[*QuotaError](err); spent {
					quota <- err
					q.close()
					return nil
				}
				if err != nil {
					q.close()
					return err
				}
			}
		})
	}
	err := workers.Wait()
	close(quota)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = <-quota
	}
	return err
}

// fetch deals with one window: it lands it, records it as a gap, or returns its
// halves.
func (f *Fetcher) fetch(ctx context.Context, t task) ([]window.Window, error) {
	if err := f.health.admit(ctx); err != nil {
		return nil, err
	}
	begun := time.Now()
	page, err := f.source.Fetch(ctx, t.window, t.job.Query)
	if err == nil {
		f.health.success()
		t.job.Sizer.Answered(t.window, page.Leads, time.Since(begun))
		return nil, f.take(ctx, t, page)
	}
	failed, ok := errors.AsType[*WindowError](err)
	if !ok || ctx.Err() != nil {
		return nil, err
	}
	left, right, splits := t.window.Split()
	if doubt := f.health.failure(!splits); doubt != nil {
		if err := f.probe(ctx, t.job.Query, doubt, err); err != nil {
			return nil, err
		}
	}
	t.job.Sizer.Failed(t.window)
	if !splits {
		// Another worker may be asking whether it is the API that fails: then it is no
		// gap.
		if err := f.health.admit(ctx); err != nil {
			return nil, err
		}
		return nil, f.recordGap(ctx, t, failed)
	}
	f.stats.splits.Add(1)
	f.logger.InfoContext(ctx, "window split", "window", t.window.String(), "item", t.job.Query.Item, "reason", failed.Err)
	return []window.Window{left, right}, nil
}

// take lands a complete answer, unless it is known.
func (f *Fetcher) take(ctx context.Context, t task, page *journal.Page) error {
	if f.known != nil {
		page.Batch = t.job.Batch
		known, err := f.known(ctx, page)
		if err != nil {
			return fmt.Errorf("comparing window %s with what is known: %w", t.window, err)
		}
		if known {
			f.pass(t, page)
			return nil
		}
	}
	return f.land(ctx, t, page)
}

// pass notes an answer that is not landed.
func (f *Fetcher) pass(t task, page *journal.Page) {
	f.stats.leads.Add(int64(page.Leads))
	f.stats.unchanged.Add(1)
	f.stats.covered.Add(int64(t.window.Length() / time.Second))
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.polls[t.job]
	if p == nil {
		p = &journal.Poll{Batch: t.job.Batch, Query: t.job.Query, Received: page.Received}
		f.polls[t.job] = p
	}
	if page.Received.Before(p.Received) {
		p.Received = page.Received
	}
	p.Windows = append(p.Windows, t.window)
}

func (f *Fetcher) land(ctx context.Context, t task, page *journal.Page) error {
	page.Batch = t.job.Batch
	seq, err := f.journal.Append(ctx, journal.Record{Page: page})
	if err != nil {
		return fmt.Errorf("landing window %s: %w", t.window, err)
	}
	f.stats.pages.Add(1)
	f.stats.leads.Add(int64(page.Leads))
	if !page.Short {
		f.stats.covered.Add(int64(t.window.Length() / time.Second))
	}
	f.logger.DebugContext(ctx, "page landed", "seq", seq, "window", t.window.String(), "item", t.job.Query.Item, "leads", page.Leads, "bytes", len(page.Body))
	return nil
}

// recordGap gives up on a window of one second. What a short answer did hold is
// landed all the same: it is better than nothing, and covers nothing.
func (f *Fetcher) recordGap(ctx context.Context, t task, failed *WindowError) error {
	if failed.Short != nil {
		if err := f.land(ctx, t, failed.Short); err != nil {
			return err
		}
	}
	gap := journal.Gap{
		Batch:  t.job.Batch,
		Query:  t.job.Query,
		Window: t.window,
		Reason: failed.Err.Error(),
		Time:   time.Now().UTC().Truncate(time.Millisecond),
	}
	if _, err := f.journal.Append(ctx, journal.Record{Gap: &gap}); err != nil {
		return fmt.Errorf("recording the gap %s: %w", t.window, err)
	}
	f.stats.gaps.Add(1)
	f.stats.covered.Add(int64(t.window.Length() / time.Second))
	f.logger.WarnContext(ctx, "gap: a second could not be had", "window", t.window.String(), "item", t.job.Query.Item, "reason", failed.Err)
	return nil
}
