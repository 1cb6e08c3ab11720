package source

import (
	"context"
	"sync"
	"time"
)

// gate holds all requests back while the API wants to be left alone. It is safe
// for concurrent use; the zero value is open.
type gate struct {
	mu    sync.Mutex
	until time.Time
}

// close keeps the gate closed for d from now, or longer if it already is.
func (g *gate) close(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.until) {
		g.until = until
	}
}

// pass blocks until the gate is open or the context ends, whose error it then
// returns. It reports whether the gate was closed.
func (g *gate) pass(ctx context.Context) (waited bool, err error) {
	for {
		g.mu.Lock()
		wait := time.Until(g.until)
		g.mu.Unlock()
		if wait <= 0 {
			return waited, ctx.Err()
		}
		waited = true
		if err := sleep(ctx, wait); err != nil {
			return waited, err
		}
	}
}

// sleep blocks for d, or until the context ends, whose error it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
