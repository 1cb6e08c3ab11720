package attempt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/segmentio/kafka-go"
)

// Policy is how long requests are tried, and who is told.
type Policy struct {
	// Patience is for how long a request is tried again.
	Patience time.Duration
	Logger   *slog.Logger
}

// Waits between attempts. Those for the end of the last transaction's markers
// are short: that is a matter of milliseconds, and in small transactions it is
// what costs most.
const (
	firstWait, longestWait             = 20 * time.Millisecond, time.Second
	firstMarkerWait, longestMarkerWait = 2 * time.Millisecond, 100 * time.Millisecond
)

// markerPatience is how long the broker may take to write a transaction's
// markers, if that is longer than patience: it is at work, and its answer says
// so.
const markerPatience = 30 * time.Second

// tellAfter is how many failures of a request are worth a line in the log.
const tellAfter = 5

// Do makes the request until it succeeds, its error is none to be retried,
// patience ends, or the context does. It returns the last attempt's error, with
// the context's if that was the end.
func (p Policy) Do(ctx context.Context, op string, request func(context.Context) error) error {
	start := time.Now()
	wait, markerWait := firstWait, firstMarkerWait
	for attempt := 1; ; attempt++ {
		err := request(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ended(ctx, err)
		}
		pause, longest, patience := &wait, longestWait, p.Patience
		markers := errors.Is(err, kafka.ConcurrentTransactions)
		if markers {
			pause, longest, patience = &markerWait, longestMarkerWait, max(p.Patience, markerPatience)
		}
		if Classify(err) != Retry || time.Since(start) > patience {
			return err
		}
		if attempt == tellAfter && !markers {
			p.Logger.WarnContext(ctx, "kafka: a request keeps failing and is tried on", "request", op, "attempts", attempt, "error", err)
		}
		// Half of it at random, so that clients do not come back in step.
		timer := time.NewTimer(*pause/2 + rand.N(*pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ended(ctx, err)
		}
		*pause = min(*pause*2, longest)
	}
}

// ended is the error of a request that the context ended. The context's own
// error comes out by errors.Is; the request's says what was the matter.
func ended(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(err, cause) || errors.Is(err, context.Canceled) {
		return cause
	}
	return fmt.Errorf("%w: %w", cause, err)
}
