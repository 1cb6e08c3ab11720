package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/schedule"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Stream polls the API and delivers what is new, changed or gone, until it is
// told to stop. Use it for one Run.
type Stream struct {
	stages  Stages
	queries []journal.Query
	config  atomic.Pointer[StreamConfig]
	// reconfigured holds a token when the configuration is another one.
	reconfigured chan struct{}

	deliveries []*deliver.Delivery
	landed     chan struct{} // closed when nothing more will be landed

	// Of the polling goroutine:
	id    string // of the stream in the journal
	from  time.Time
	view  *streamView
	plan  schedule.Plan
	held  heldPolls
	same  *sameAnswers
	walls wallClock
	// outage is when polls began to fail; zero while they do not.
	outage time.Time
	// pruned is when it was last looked whether there is something to prune.
	pruned time.Time

	progress streamProgress
}

// endOfTime ends the range of a stream.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// streamSpec is the spec of the polls of a stream.
const streamSpec = "stream"

// NewStream prepares the stream of the queries. It reads the journal and changes
// nothing. A stream begins with what was submitted within its lookback; with from
// (zero for none) history since then is brought in on the side. Stages.Known,
// Quota and Now must be set.
func NewStream(ctx context.Context, s Stages, c StreamConfig, queries []journal.Query, from time.Time) (*Stream, error) {
	st := &Stream{
		stages: s, queries: queries, from: from.UTC().Truncate(window.Second),
		reconfigured: make(chan struct{}, 1),
		landed:       make(chan struct{}),
		view:         newStreamView(s.Journal, s.past(), queries, s.Fetch.Window),
		same:         newSameAnswers(s.Known.Unchanged),
	}
	st.config.Store(&c)
	if err := st.view.advance(ctx); err != nil {
		return nil, err
	}
	for _, o := range s.Sinks {
		st.deliveries = append(st.deliveries, deliver.New(o, deliver.Options{
			Journal: s.Journal, Reader: s.Reader, Base: s.Base, Changes: s.changes(), Landed: st.landed,
			Logger: s.Logger, Attempts: drainAttempts, Backoff: deliveryBackoff,
		}))
	}
	return st, nil
}

// drainAttempts is how many failures in a row end a delivery when all is landed.
// There is a timeout as well, and a sink may well return within it.
const drainAttempts = 1000

// Reconfigure puts another configuration in force, with the next poll. It may be
// called at any time.
func (s *Stream) Reconfigure(c StreamConfig) {
	s.config.Store(&c)
	select {
	case s.reconfigured <- struct{}{}:
	default:
	}
}

// DrainError says that a stream was stopped, and some sinks could not be given
// all that is landed in the time there was. Nothing is lost: the next run, or a
// replay, delivers it.
type DrainError struct {
	Timeout time.Duration
	Sinks   []string
}

func (e *DrainError) Error() string {
	if len(e.Sinks) == 0 {
		return fmt.Sprintf("what has changed could not be worked out within %s", e.Timeout)
	}
	return fmt.Sprintf("not everything that is landed could be delivered within %s to %s", e.Timeout, strings.Join(e.Sinks, ", "))
}

// errDrained is the cause of a context that the drain timeout ended.
var errDrained = errors.New("the time for delivering what is landed is over")

// Run polls until stop is closed. Then it delivers what is landed and returns
// nil, or *DrainError if that took too long. A spent quota or an outage of the
// API does not end it. It ends with
//   - the context's error, at once, when that ends;
//   - *fetch.RefusedError: nothing will be had until somebody acts;
//   - a *deliver.SinkError for each sink that was given up;
//   - the error of the journal or of the store of known leads.
//
// What was landed by then is delivered to the sinks that can take it.
func (s *Stream) Run(ctx context.Context, stop <-chan struct{}) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	polling, endPolling := context.WithCancel(ctx)
	defer endPolling()

	var running sync.WaitGroup
	polled := make(chan struct{}) // closed when nothing more will be landed
	var deriveErr error
	running.Go(func() {
		defer close(s.landed) // what is landed is in the store now, or never will be
		defer endPolling()
		deriveErr = derive(ctx, s.stages.Journal, s.stages.Known, polled)
	})
	sinkErrs := make([]error, len(s.deliveries))
	for i, d := range s.deliveries {
		running.Go(func() {
			defer endPolling()
			sinkErrs[i] = d.Run(ctx)
		})
	}
	go func() {
		select {
		case <-stop:
			endPolling()
		case <-polling.Done():
		}
	}()

	err := s.pollOn(polling)
	timeout := s.config.Load().DrainTimeout
	overdue := time.AfterFunc(timeout, func() { cancel(errDrained) })
	defer overdue.Stop()
	s.progress.waiting(PhaseDraining, time.Time{})
	if polling.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // it was stopped; by whom, the others tell
	}
	if err == nil {
		err = s.flush(ctx, true)
	}
	close(polled)
	running.Wait()
	return errors.Join(err, s.outcome(ctx, timeout, deriveErr, sinkErrs))
}

// outcome is how the parts beside the polling ended.
func (s *Stream) outcome(ctx context.Context, timeout time.Duration, deriveErr error, sinkErrs []error) error {
	if ctx.Err() == nil {
		return errors.Join(deriveErr, errors.Join(sinkErrs...))
	}
	// Every part says in its own way that it was broken off.
	if cause := context.Cause(ctx); !errors.Is(cause, errDrained) {
		return cause
	}
	drain := &DrainError{Timeout: timeout}
	var errs []error
	for i, err := range sinkErrs {
		if _, failed := errors.AsType[*deliver.SinkError](err); failed {
			errs = append(errs, err)
		} else if err != nil {
			drain.Sinks = append(drain.Sinks, s.stages.Sinks[i].Name)
		}
	}
	return errors.Join(append(errs, drain)...)
}

// begin finds the stream in the journal, or begins it there.
func (s *Stream) begin(ctx context.Context) error {
	now := time.Now().UTC().Truncate(time.Millisecond)
	begin := journal.Begin{Spec: streamSpec, Queries: s.queries, Time: now, Stream: true}
	if known, ok := s.view.tracker.Stream(streamSpec, s.queries); ok {
		begin.ID, begin.Range = known.ID, known.Range
	} else {
		newest := s.newest()
		begin.Range = window.Window{From: newest.Add(-s.config.Load().Lookback), To: endOfTime}
	}
	var err error
	if s.id, err = s.record(ctx, begin); err != nil {
		return err
	}
	history := window.Window{From: s.from, To: begin.Range.From}
	if s.from.IsZero() || history.Empty() || s.view.everRead(history, s.queries) {
		return s.view.advance(ctx)
	}
	begin.ID, begin.Range = "", history
	begin.Spec = backfillSpec + s.from.Format(time.RFC3339)
	if known, ok := s.view.tracker.Stream(begin.Spec, s.queries); ok {
		begin.ID = known.ID
	}
	if _, err := s.record(ctx, begin); err != nil {
		return err
	}
	return s.view.advance(ctx)
}

// record appends the begin, under a new id if it has none, and returns the id.
func (s *Stream) record(ctx context.Context, begin journal.Begin) (string, error) {
	if begin.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return "", fmt.Errorf("making an id for the stream: %w", err)
		}
		begin.ID = id.String()
	}
	if _, err := s.stages.Journal.Append(ctx, journal.Record{Begin: &begin}); err != nil {
		return "", fmt.Errorf("beginning the stream: %w", err)
	}
	return begin.ID, nil
}

// newest is the moment up to which leads can be read.
func (s *Stream) newest() time.Time {
	return s.stages.Now().Add(-s.config.Load().Settle).UTC().Truncate(window.Second)
}

// pollOn polls at every interval until the context ends or polling is of no use.
func (s *Stream) pollOn(ctx context.Context) error {
	if err := s.view.advance(ctx); err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	for {
		begun := time.Now()
		polling, ended := s.stages.around(ctx, "poll")
		err := s.poll(polling)
		ended(err)
		var until time.Time
		if quota, ok := errors.AsType[*fetch.QuotaError](err); ok {
			until = quota.Until
			s.progress.held(PhaseQuota, until, quota)
			s.stages.Logger.WarnContext(ctx, "the quota is spent: polling goes on when calls are to be had again", "until", until.UTC().Format(time.RFC3339), "reason", quota.Err)
			err = nil
		}
		if err := s.outageOf(ctx, err); err != nil {
			return err
		}
		s.prune(ctx)
		if err := s.rest(ctx, begun, until); err != nil {
			return err
		}
	}
}

// outageOf takes an outage of the API for what it is: a thing that passes. Other
// errors it returns.
func (s *Stream) outageOf(ctx context.Context, err error) error {
	_, unavailable := errors.AsType[*fetch.UnavailableError](err)
	switch {
	case unavailable && s.outage.IsZero():
		s.outage = time.Now()
		s.stages.Logger.WarnContext(ctx, "the API is not to be had; polling goes on, and catches up when it is", "error", err)
		fallthrough
	case unavailable:
		s.progress.held(PhaseOutage, s.outage, err)
		return nil
	case err != nil:
		return err
	case !s.outage.IsZero():
		s.stages.Logger.InfoContext(ctx, "the API is back, and what was missed is read", "after", time.Since(s.outage).Round(time.Second).String())
		s.outage = time.Time{}
	}
	return nil
}

// outagePause bounds the pause between two tries during an outage.
const outagePause = time.Minute

// quotaPause is how long a stream that waits for its quota sleeps at most: a
// clock that is set meanwhile must not make it oversleep.
const quotaPause = time.Minute

// worthFreeing is how long a stream has to rest for memory to be given back to the
// system before, which takes some tens of milliseconds of CPU time.
const worthFreeing = 5 * time.Second

// rest waits for the next poll: an interval after the last one began, or until
// there are calls again. Meanwhile history is brought in.
func (s *Stream) rest(ctx context.Context, begun, until time.Time) error {
	for {
		wait := time.Until(begun.Add(s.interval()))
		if !until.IsZero() {
			wait = max(wait, min(until.Sub(s.stages.Now()), quotaPause))
		}
		if !s.outage.IsZero() {
			// Failed calls may count for the quota: the longer it is out, the less it
			// is asked.
			wait = max(wait, min(begun.Sub(s.outage)/4, outagePause)-time.Since(begun))
		}
		if wait <= 0 {
			return ctx.Err()
		}
		if until.IsZero() && s.outage.IsZero() {
			s.progress.waiting(PhaseIdle, time.Now().Add(wait))
			more, err := s.backfill(ctx)
			if err != nil {
				return err
			}
			if more {
				continue
			}
		}
		if wait >= worthFreeing {
			// A poll makes garbage of many times what is in use between polls, and the
			// runtime gives it back to the system only slowly. Pools let go of what is
			// in them with the second collection.
			s.stages.Reader.Free()
			runtime.GC()
			debug.FreeOSMemory()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.reconfigured:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// interval is the one in force: longer than the configured one if the quota is
// not enough for that.
func (s *Stream) interval() time.Duration {
	return max(s.config.Load().Interval, s.plan.Interval)
}
