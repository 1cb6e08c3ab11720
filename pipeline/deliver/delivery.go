package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sethvargo/go-retry"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// Opener opens one sink. Delivery calls it anew after each failure, for only a
// sink that was opened afresh knows its position for certain.
type Opener struct {
	Name string
	Open func(context.Context) (Sink, error)
}

// Options are what the deliveries of a run have in common.
type Options struct {
	Journal *journal.Journal
	Reader  *Reader
	// Base is what stands for the pruned part of the journal; nil for a journal that
	// is never pruned.
	Base *base.Store
	// Changes are the events of the journal, if it has a stream: Append sinks are
	// given these. nil if it has none: they are given the leads as they are now.
	// Everything landed must be in Changes when Landed is closed.
	Changes Changes
	// Batch is the id of the batch that is running; empty if none is.
	Batch string
	// Landed is closed when nothing more will be landed.
	Landed <-chan struct{}
	Logger *slog.Logger
	// TransactionRows is how many rows a log gathers for one transaction while
	// more are waiting; 0 stands for a sensible number.
	TransactionRows int
	// Attempts is how many failures in a row end a delivery once nothing more
	// will be landed. Until then it is tried for as long as the run goes on.
	Attempts int
	// Backoff is the wait after the first failure; it doubles up to a bound.
	Backoff time.Duration
}

// maxBackoff bounds the wait between two attempts.
const maxBackoff = 30 * time.Second

// Report is what a delivery has done so far.
type Report struct {
	Sink string
	// Rows, Files and Bytes are what was committed; Commits how often, and
	// Unchanged how many of the commits found the output as it should be.
	Rows, Files, Commits, Unchanged int
	Bytes                           int64
	// Superseded are files of a lost state that were set aside, where they are.
	Superseded []string
	// Retries counts failures after which the sink was opened again.
	Retries int
	// Events are the rows that were committed, by type.
	Events map[schema.EventType]int
	// Behind is what it does not hold yet of what is landed.
	Behind Behind
	// Committed is when something was committed last, zero if nothing was.
	Committed time.Time
	// Failing is what went wrong last, if nothing has gone well since, and Since
	// when that began; nil and zero while all is well.
	Failing error
	Since   time.Time
}

// Delivery brings one sink up to date, at its own pace.
type Delivery struct {
	opener  Opener
	options Options

	// end is where the journal ended before the run landed anything, and checked
	// says that the sink was seen not to be ahead of that.
	end     journal.Seq
	checked bool
	account account

	mu     sync.Mutex
	report Report
}

// New returns the delivery to one sink.
func New(o Opener, options Options) *Delivery {
	return &Delivery{opener: o, options: options, end: options.Journal.End(), report: Report{Sink: o.Name}}
}

// Report returns a snapshot; it may be called while Run runs.
func (d *Delivery) Report() Report {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.report
	r.Superseded = append([]string(nil), r.Superseded...)
	r.Events, r.Behind = d.account.counts(), d.account.behind(d.options.Journal)
	return r
}

// Run delivers until nothing more will be landed and all of it is in the sink,
// the context ends, or the sink is given up: at once after an error that no
// repetition can mend, or after Attempts failures in a row. The error is
// *SinkError then. What was committed stays, and a later delivery goes on there.
func (d *Delivery) Run(ctx context.Context) error {
	defer d.options.Reader.Join()()
	backoff := d.newBackoff()
	commits := 0
	err := retry.Do(ctx, retry.BackoffFunc(func() (time.Duration, bool) { return backoff.Next() }), func(ctx context.Context) error {
		err := d.once(ctx)
		if err == nil || ctx.Err() != nil || permanent(err) {
			return err
		}
		if now := d.commits(); now > commits {
			commits, backoff = now, d.newBackoff() // it went on in between: count anew
		}
		d.noteRetry(ctx, err)
		return retry.RetryableError(err)
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		d.noteFailure(err)
		return &SinkError{Sink: d.opener.Name, Err: err}
	}
}

func (d *Delivery) commits() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.report.Commits
}

// newBackoff returns the waits of one row of failures. It ends after Attempts,
// of which only those count that came when all was landed.
func (d *Delivery) newBackoff() retry.Backoff {
	waits := retry.WithCappedDuration(maxBackoff, retry.WithJitterPercent(20, retry.NewExponential(d.options.Backoff)))
	failures := 0
	return retry.BackoffFunc(func() (time.Duration, bool) {
		wait, stop := waits.Next()
		if d.allLanded() {
			failures++
		}
		return wait, stop || failures >= d.options.Attempts
	})
}

// permanent reports whether repeating is of no use: the sink says so, or the
// journal itself is damaged.
func permanent(err error) bool {
	if _, ok := errors.AsType[*PermanentError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*journal.BaseError](err); ok {
		return true
	}
	_, ok := errors.AsType[*journal.CorruptionError](err)
	return ok
}

// noteFailure keeps what goes wrong, and when that began.
func (d *Delivery) noteFailure(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.report.Failing == nil {
		d.report.Since = time.Now()
	}
	d.report.Failing = err
}

// noteWell keeps that the sink does what it is asked.
func (d *Delivery) noteWell() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report.Failing, d.report.Since = nil, time.Time{}
}

func (d *Delivery) noteRetry(ctx context.Context, err error) {
	d.noteFailure(err)
	d.mu.Lock()
	d.report.Retries++
	d.mu.Unlock()
	d.options.Logger.WarnContext(ctx, "delivery failed, will be tried again", "sink", d.opener.Name, "error", err)
}

func (d *Delivery) allLanded() bool {
	select {
	case <-d.options.Landed:
		return true
	default:
		return false
	}
}

// follower is a way of delivering: as a table, as a log, as events.
type follower interface {
	// step delivers what there is, and says when it wants to be called again. last
	// says that nothing more will be landed.
	step(ctx context.Context, last bool) (wake, error)
	// close gives up what is under way.
	close()
}

// wake is what a follower waits for: changed is closed when there is more, due
// fires when something is to be done all the same; nil for never.
type wake struct {
	changed <-chan struct{}
	due     <-chan time.Time
}

// fed is a follower of the journal itself.
type fed struct {
	feed  *feed
	write func(ctx context.Context, last bool) error
}

func (f fed) step(ctx context.Context, last bool) (wake, error) {
	changed, err := f.feed.advance(ctx)
	if err != nil {
		return wake{}, err
	}
	return wake{changed: changed}, f.write(ctx, last)
}

func (f fed) close() {}

// once opens the sink and delivers until all is done or something fails.
func (d *Delivery) once(ctx context.Context) (err error) {
	sink, err := d.opener.Open(ctx)
	if err != nil {
		return fmt.Errorf("opening: %w", err)
	}
	defer func() {
		if closeErr := sink.Close(); closeErr != nil {
			err = errors.Join(err, fmt.Errorf("closing: %w", closeErr))
		}
	}()
	follow, err := d.follower(ctx, d.account.of(sink))
	if err != nil {
		return err
	}
	defer follow.close()
	defer func() { d.checked = true }() // later positions may be this run's own
	for {
		last := d.allLanded() // asked before the journal is read: nothing comes after it
		wake, err := follow.step(ctx, last)
		if err != nil {
			return err
		}
		d.noteWell()
		if last {
			return nil
		}
		resume := d.options.Reader.rest()
		select {
		case <-wake.changed:
		case <-wake.due:
		case <-d.options.Landed:
		case <-ctx.Done():
		}
		resume()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (d *Delivery) follower(ctx context.Context, sink Sink) (follower, error) {
	limit := cmp.Or(d.options.TransactionRows, defaultTransactionRows)
	sink = &watched{Sink: sink, delivery: d}
	if sink.Semantics() == Append && d.options.Changes != nil {
		return newEvents(ctx, sink, d.options, limit, d.record)
	}
	b, release := d.options.Base.Pin()
	past := b.Past()
	release()
	f := newFeed(d.options.Journal, past)
	if sink.Semantics() == Append {
		l, err := newLog(ctx, sink, f, d.options, limit, d.record)
		if err != nil {
			return nil, err
		}
		return fed{f, l.step}, nil
	}
	t := &table{
		sink: sink, feed: f, reader: d.options.Reader, base: d.options.Base, batch: d.options.Batch,
		positions: make(map[Partition]Position), report: d.record,
	}
	return fed{f, t.step}, nil
}

func (d *Delivery) record(r Receipt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.report.Commits++
	d.report.Rows += r.Rows
	d.report.Files += r.Files
	d.report.Bytes += r.Bytes
	d.report.Committed = time.Now()
	d.report.Superseded = append(d.report.Superseded, r.Superseded...)
	if r.Unchanged {
		d.report.Unchanged++
	}
	d.options.Logger.Debug("committed", "sink", d.opener.Name, "rows", r.Rows, "files", r.Files)
}

// SinkError says that a sink was given up; the others are not concerned.
type SinkError struct {
	Sink string
	Err  error
}

func (e *SinkError) Error() string { return fmt.Sprintf("sink %s: %v", e.Sink, e.Err) }

// Unwrap returns the last failure.
func (e *SinkError) Unwrap() error { return e.Err }
