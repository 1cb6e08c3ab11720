package txn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/segmentio/kafka-go"
)

// Waits between attempts. Those for the end of the last transaction's markers
// are short: that is a matter of milliseconds, and in small transactions it is
// what costs most.
const (
	firstWait, longestWait             = 20 * time.Millisecond, time.Second
	firstMarkerWait, longestMarkerWait = 2 * time.Millisecond, 100 * time.Millisecond
)

// do makes the request until it succeeds, its error is none to be retried,
// patience ends, or the context does. It returns the last attempt's error, with
// the context's if that was the end.
func (p *Producer) do(ctx context.Context, op string, request func(context.Context) error) error {
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
		if Classify(err) != Retry || time.Since(start) > p.cfg.Patience {
			return err
		}
		pause := &wait
		longest := longestWait
		if errors.Is(err, kafka.ConcurrentTransactions) {
			pause, longest = &markerWait, longestMarkerWait
		} else if attempt == 5 {
			p.cfg.Logger.Warn("kafka: a request keeps failing and is tried on", "request", op, "attempts", attempt, "error", err)
		}
		// Half of it at random, so that clients do not come back in step.
		select {
		case <-time.After(*pause/2 + rand.N(*pause/2)):
		case <-ctx.Done():
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
