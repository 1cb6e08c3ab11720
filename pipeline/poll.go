package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/schedule"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// quotaShare is the part of the day's calls that polls are planned with, in
// percent; the rest is for what is tried again and for history.
const quotaShare = 80

// Schedule works out how often leads of which age are read again: what a stream
// of the configuration goes by that has so many calls a day, if reading a range of
// ages takes so many windows.
func (c *StreamConfig) Schedule(calls int, windows func(from, to time.Duration) int) schedule.Plan {
	return schedule.Bands(schedule.Demand{
		Interval: c.Interval, Lookback: c.Lookback, Calls: calls * quotaShare / 100, Windows: windows,
	})
}

// poll reads once what is new and what is due to be read again.
func (s *Stream) poll(ctx context.Context) error {
	s.progress.waiting(PhasePolling, time.Time{})
	if s.walls.setBack() {
		s.stages.Logger.WarnContext(ctx, "the clock was set back: everything is read again")
		s.view.forgetReadings()
	}
	if err := s.caughtUp(ctx); err != nil {
		return err
	}
	if err := s.view.advance(ctx); err != nil {
		return err
	}
	if !s.outage.IsZero() {
		// One call tells whether it is over; polling would take many to be told the
		// same.
		if err := fetch.Probe(ctx, s.stages.Source, s.queries[0]); err != nil {
			return err
		}
	}
	c := s.config.Load()
	_, limit, _ := s.stages.Quota()
	s.plan = c.Schedule(limit, s.view.windowsOf)
	now, newest := time.Now(), s.newest()
	var jobs []*fetch.Job
	gaps := 0
	for _, q := range s.queries {
		job := s.view.job(s.id, q, s.plan, now, newest)
		gaps += len(job.Retry)
		jobs = append(jobs, job)
	}
	stats, err := s.fetch(ctx, jobs)
	// A gap that was read and held nothing new is closed by the record alone.
	if flushErr := s.flush(ctx, gaps > 0 || stats.Pages > 0); flushErr != nil {
		return errors.Join(err, flushErr)
	}
	if err != nil {
		return err
	}
	if err := s.view.advance(ctx); err != nil {
		return err
	}
	s.progress.polled(s.view.watermark(s.id, s.queries), len(s.view.tracker.Gaps()))
	level := s.stages.Logger.DebugContext
	if stats.Pages > 0 || stats.Gaps > 0 {
		level = s.stages.Logger.InfoContext
	}
	level(ctx, "polled", "up_to", newest.Format(time.RFC3339), "pages_landed", stats.Pages, "windows_unchanged", stats.Unchanged,
		"leads_read", stats.Leads, "gaps", stats.Gaps, "took", time.Since(now).Round(time.Millisecond).String())
	return nil
}

// fetch runs the jobs and takes up what they read without landing it.
func (s *Stream) fetch(ctx context.Context, jobs []*fetch.Job) (fetch.Stats, error) {
	f := fetch.NewPoller(s.stages.Source, s.stages.landing(), s.same.known, s.stages.Fetch, s.stages.Logger)
	err := f.Run(ctx, jobs)
	for _, p := range f.Polls() {
		s.view.apply(journal.Record{Poll: &p})
		s.held.add(p)
	}
	stats := f.Stats()
	s.progress.fetched(stats)
	return stats, err
}

// caughtUp waits until everything landed is in the store of known leads: only
// then can answers be compared with it.
func (s *Stream) caughtUp(ctx context.Context) error {
	end := s.stages.Journal.End()
	for {
		changed := s.stages.Known.Changed()
		if s.stages.Known.Position() >= end {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// heldPolls are polls that are not in the journal yet. What a crash loses of them
// is read again.
type heldPolls struct {
	polls []heldPoll
	since time.Time // when the first of them was added
}

type heldPoll struct {
	journal.Poll
	windows window.Set
}

func (h *heldPolls) add(p journal.Poll) {
	if len(h.polls) == 0 {
		h.since = time.Now()
	}
	for i := range h.polls {
		held := &h.polls[i]
		if held.Batch == p.Batch && held.Query == p.Query {
			held.add(p.Windows)
			if p.Received.Before(held.Received) {
				held.Received = p.Received
			}
			return
		}
	}
	held := heldPoll{Poll: p}
	held.add(p.Windows)
	h.polls = append(h.polls, held)
}

func (p *heldPoll) add(windows []window.Window) {
	for _, w := range windows {
		p.windows.Add(w)
	}
}

// holdPolls is how long polls that found nothing are held, so that the journal of
// an idle stream hardly grows. It is the most that a crash makes to be read again.
const holdPolls = 5 * time.Minute

// flush records the polls that are held, if that is urgent or it is time.
func (s *Stream) flush(ctx context.Context, urgent bool) error {
	if !urgent && time.Since(s.held.since) < holdPolls {
		return nil
	}
	for len(s.held.polls) > 0 {
		p := s.held.polls[0]
		p.Windows = p.windows.Windows()
		if _, err := s.stages.Journal.Append(ctx, journal.Record{Poll: &p.Poll}); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it is read again, and who ended the context says why
			}
			return fmt.Errorf("recording a poll: %w", err)
		}
		s.held.polls = s.held.polls[1:]
	}
	return nil
}

// wallClock notices when the clock is set back.
type wallClock struct{ last time.Time }

// clockSlack is by how much wall clock and monotonic clock may disagree from one
// poll to the next, as they do where NTP slows the clock down.
const clockSlack = 5 * time.Second

// setBack reports whether less time seems to have gone by since the last call
// than really has.
func (w *wallClock) setBack() bool {
	last, now := w.last, time.Now()
	w.last = now
	if last.IsZero() {
		return false
	}
	return now.Round(0).Sub(last.Round(0)) < now.Sub(last)-clockSlack
}

// backfillSlice is how many windows of history are read before it is asked again
// whether it is time to poll.
const backfillSlice = 4

// backfill reads a slice of the oldest history that is not complete. It reports
// whether there is more to do at once.
func (s *Stream) backfill(ctx context.Context) (more bool, err error) {
	open := s.view.backfills()
	if len(open) == 0 || !s.mayBackfill() {
		return false, nil
	}
	b := open[0]
	var jobs []*fetch.Job
	for _, q := range b.Queries {
		missing := b.Missing(q)
		if len(missing) == 0 {
			continue
		}
		sizer := cmp.Or(s.view.sizers[q], window.NewSizer(s.stages.Fetch.Window))
		// From the newest to the oldest: the young history is wanted first.
		w := missing[len(missing)-1]
		if length := backfillSlice * sizer.Size(); w.Length() > length {
			w.From = w.To.Add(-length)
		}
		jobs = append(jobs, &fetch.Job{Batch: b.ID, Query: q, Missing: []window.Window{w}, Sizer: sizer})
	}
	if len(jobs) == 0 {
		_, err := s.stages.Journal.Append(ctx, journal.Record{End: &journal.End{Batch: b.ID, Time: time.Now().UTC().Truncate(time.Millisecond)}})
		if err != nil {
			return false, fmt.Errorf("ending the backfill: %w", err)
		}
		s.stages.Logger.InfoContext(ctx, "history is complete", "range", b.Range.String())
		return true, s.view.advance(ctx)
	}
	reading, ended := s.stages.around(ctx, "history")
	stats, err := s.fetch(reading, jobs)
	ended(err)
	if flushErr := s.flush(ctx, stats.Pages > 0); flushErr != nil {
		return false, errors.Join(err, flushErr)
	}
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case passes(err):
		return false, nil // the next poll meets the same, and says so
	case err != nil:
		return false, err
	}
	return true, s.view.advance(ctx)
}

// passes reports whether the error is one that passes by itself.
func passes(err error) bool {
	_, spent := errors.AsType[*fetch.QuotaError](err)
	_, away := errors.AsType[*fetch.UnavailableError](err)
	return spent || away
}

// mayBackfill reports whether calls are left that the day's polls do not need.
func (s *Stream) mayBackfill() bool {
	used, limit, reset := s.stages.Quota()
	rest := max(0, reset.Sub(s.stages.Now()))
	polls := int(float64(s.plan.CallsPerDay) * rest.Hours() / 24)
	return limit-used-polls > limit/20
}
