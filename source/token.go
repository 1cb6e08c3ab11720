package source

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/secret"
)

const (
	// earliest is how long before its end a token is renewed at most; of tokens
	// that live shorter than ten times that it is a tenth of their life.
	earliest = time.Minute
	// A token that the API never took is a misconfiguration, not an expiry: only
	// so many are replaced in a while, over restarts, or a supervisor that starts
	// us again and again would use up the day's tokens.
	maxUnproven    = 5
	unprovenPeriod = 10 * time.Minute
)

// token is an access token. Copies share what is learned of it.
type token struct {
	access  string
	renewAt time.Time // a margin before its end
	proven  *atomic.Bool
}

// tokens holds the one token that all workers use. It asks for a new one when
// there is none, when it is about to end, and when the API does not take it. One
// worker asks, the others wait. It is safe for concurrent use.
type tokens struct {
	login    *login
	retrier  retrier
	attempts int // of one renewal
	quota    *quota
	counters *counters
	file     stateFile
	now      func() time.Time
	logger   *slog.Logger

	// turn is a mutex that can be waited for with a context. It is held during
	// requests and guards what follows.
	turn     chan struct{}
	current  token
	refresh  secret.Secret // the refresh token in force
	unproven []time.Time   // when tokens that were never taken were replaced
	lastErr  error         // how the last renewal ended
	warned   bool          // that the file cannot be written

	renewals atomic.Int64 // finished ones
	trusted  atomic.Bool  // the API has taken one of our tokens
}

// get returns a token that is good for a while. It blocks while one is asked
// for. Its errors are those of package fetch, or the context's.
func (t *tokens) get(ctx context.Context) (token, error) {
	return t.obtain(ctx, "")
}

// replace returns a token in place of one that the API did not take; otherwise
// it is like get.
func (t *tokens) replace(ctx context.Context, rejected token) (token, error) {
	return t.obtain(ctx, rejected.access)
}

// again asks for a token although there may be a good one.
func (t *tokens) again(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t.turn }()
	return t.renew(ctx, false)
}

func (t *tokens) obtain(ctx context.Context, rejected string) (token, error) {
	seen := t.renewals.Load()
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return token{}, ctx.Err()
	}
	defer func() { <-t.turn }()
	refused := rejected != "" && rejected == t.current.access
	if refused {
		t.current.renewAt = time.Time{} // nobody may use it again, even if there is no other
	}
	if t.now().Before(t.current.renewAt) {
		return t.current, nil
	}
	// Those that waited while a renewal failed share its error: a hundred workers
	// must not repeat in turn what has just failed for one.
	if t.renewals.Load() != seen && t.lastErr != nil {
		return token{}, t.lastErr
	}
	err := t.renew(ctx, refused)
	if err != nil && ctx.Err() != nil {
		return token{}, err // ours alone: the next in turn asks
	}
	t.lastErr = err
	t.renewals.Add(1)
	if err != nil {
		return token{}, err
	}
	return t.current, nil
}

// renew asks for a token until there is one or it is no use. The caller has the
// turn.
func (t *tokens) renew(ctx context.Context, rejected bool) error {
	if rejected && !t.current.proven.Load() {
		if err := t.countUnproven(); err != nil {
			return err
		}
	}
	given, err := try(ctx, t.retrier, func(class) int { return t.attempts }, func(ctx context.Context, _ int) (granted, error) {
		if err := t.quota.token(); err != nil {
			return granted{}, err
		}
		t.counters.tokenRequests.Add(1)
		given, err := t.login.request(ctx, t.refresh.Reveal())
		t.counters.token(err)
		return given, err
	}, "what", "token")
	if err != nil {
		return t.failure(ctx, err)
	}
	t.current = token{
		access:  given.access,
		renewAt: given.end.Add(-min(earliest, given.life/10)),
		proven:  new(atomic.Bool),
	}
	t.login.censor.learn(given.access)
	if given.refresh != "" {
		t.login.censor.learn(given.refresh)
		t.refresh = secret.New(given.refresh)
	}
	t.logger.DebugContext(ctx, "token renewed", "life", given.life)
	t.save(ctx)
	return nil
}

// failure makes the last error of a renewal one of package fetch's.
func (t *tokens) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	switch classify(err) {
	case refused:
		return &fetch.RefusedError{Err: err, Hint: hint(err)}
	case throttled:
		return &fetch.QuotaError{Until: quotaEnd(err, t.now()), Err: err}
	case final:
		return err
	}
	return &fetch.UnavailableError{Err: err}
}

// quotaEnd is when a throttled request may be sent again: when the answer says,
// or else when the day's quota begins anew.
func quotaEnd(err error, now time.Time) time.Time {
	if wait, asked := waitOf(err); asked {
		return now.Add(wait).UTC()
	}
	return nextPacificDay(now)
}

// countUnproven takes note that a token is replaced that the API never took, or
// returns a *fetch.RefusedError if there were too many of them.
func (t *tokens) countUnproven() error {
	now := t.now()
	recent := t.unproven[:0]
	for _, at := range t.unproven {
		if age := now.Sub(at); age >= 0 && age < unprovenPeriod {
			recent = append(recent, at)
		}
	}
	t.unproven = recent
	if len(recent) >= maxUnproven {
		return &fetch.RefusedError{
			Err:  fmt.Errorf("the API has refused %d fresh tokens within %s; no more are asked for", maxUnproven, unprovenPeriod),
			Hint: hintLogin,
		}
	}
	t.unproven = append(t.unproven, now)
	return nil
}

// prove takes note that the API took the token.
func (t *tokens) prove(ctx context.Context, good token) {
	t.trusted.Store(true)
	if good.proven.Swap(true) {
		return
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
		t.save(ctx)
	default: // it is being replaced, and what replaces it will be saved
	}
}
