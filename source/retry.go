package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/sethvargo/go-retry"
)

const (
	// backoffBase is the first pause; each further one is twice as long, give or
	// take jitter, up to backoffCap.
	backoffBase   = 500 * time.Millisecond
	backoffCap    = 30 * time.Second
	backoffJitter = 50 // percent, either way
	// longestWait is the longest Retry-After that is waited for. A longer one is
	// the caller's to deal with.
	longestWait = 2 * time.Minute
)

// retrier tries things again. It holds no state of one operation, so it may be
// copied and used concurrently; those who share a gate wait together.
type retrier struct {
	base   time.Duration
	gate   *gate
	logger *slog.Logger
}

// backoff returns the pauses of one operation: go-retry's backoffs remember how
// far they have come, so they cannot be shared.
func (r retrier) backoff() retry.Backoff {
	return retry.WithCappedDuration(backoffCap, retry.WithJitterPercent(backoffJitter, retry.NewExponential(r.base)))
}

// try calls once, with n = 0, 1, 2, …, until it succeeds, fails with what is not
// retryable, or has failed with errors of one class as often as budget allows
// for that class. It returns the last error as it was, or, if the context ends
// first, the context's. attrs describe the operation in the log.
//
// A Retry-After closes the gate for everybody behind it; one that asks for more
// than longestWait ends the operation.
func try[T any](ctx context.Context, r retrier, budget func(class) int, once func(ctx context.Context, n int) (T, error), attrs ...any) (T, error) {
	var (
		n    int
		none T
		last error // go-retry forgets it when the context ends
	)
	failures := make(map[class]int)
	value, err := retry.DoValue(ctx, r.backoff(), func(ctx context.Context) (T, error) {
		if err := r.pass(ctx); err != nil {
			return none, err
		}
		value, err := once(ctx, n)
		if err == nil {
			return value, nil
		}
		n++
		if ctx.Err() != nil {
			return none, err
		}
		last = err
		wait, asked := waitOf(err)
		if asked && wait <= longestWait {
			r.gate.close(wait)
		}
		class := classify(err)
		failures[class]++
		if !retryable(err) || failures[class] >= budget(class) || asked && wait > longestWait {
			return none, err
		}
		r.logger.DebugContext(ctx, "trying again", append(attrs[:len(attrs):len(attrs)], "attempt", n, "error", err)...)
		// The mark must be outermost: go-retry returns what is inside of it.
		return none, retry.RetryableError(err)
	})
	if err != nil && ctx.Err() != nil {
		return none, interrupted(ctx, last)
	}
	return value, err
}

// pass waits for the gate, and a little longer if it was closed: those who
// waited together should not all go at once.
func (r retrier) pass(ctx context.Context) error {
	waited, err := r.gate.pass(ctx)
	if err != nil || !waited {
		return err
	}
	return sleep(ctx, rand.N(r.base))
}

// waitOf returns what the answer's Retry-After asks for.
func waitOf(err error) (wait time.Duration, asked bool) {
	switch e := known(err).(type) {
	case *APIError:
		return e.after, e.waits
	case *TokenError:
		return e.after, e.waits
	}
	return 0, false
}

// interrupted is the context's error, with its cause and what went wrong before.
func interrupted(ctx context.Context, last error) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	if last != nil {
		// Told, not wrapped: callers must see an interruption, not what led up to it.
		err = fmt.Errorf("%w (before that: %v)", err, last) //nolint:errorlint // see above
	}
	return err
}
