package source

import (
	"net/http"
	"sync"
	"time"
)

// clock knows the server's time, from the Date headers of its answers, for the
// API refuses bounds in the future by its own clock. Before the first answer it
// is ours. It is safe for concurrent use.
type clock struct {
	now func() time.Time

	mu sync.Mutex
	// skews are the latest lower bounds of how far the server is ahead of us.
	skews [8]time.Duration
	seen  int
}

func newClock(now func() time.Time) *clock { return &clock{now: now} }

// observe learns from an answer whose headers have just arrived. A Date is cut
// to its second and as old as the answer took to arrive: the server's clock
// shows at least that, so of several bounds the greatest is the best. A cache's
// Date says nothing.
func (c *clock) observe(h http.Header) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil || h.Get("Age") != "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skews[c.seen%len(c.skews)] = date.Sub(c.now())
	c.seen++
}

// server returns the server's time; it is not ahead of the real one by more
// than clocks drift within a few answers.
func (c *clock) server() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == 0 {
		return c.now()
	}
	best := c.skews[0]
	for _, skew := range c.skews[:min(c.seen, len(c.skews))] {
		best = max(best, skew)
	}
	return c.now().Add(best)
}

// Skew returns how far the server's clock is ahead of ours, behind if negative,
// to a second or so; known is false before the first answer.
func (c *Client) Skew() (ahead time.Duration, known bool) {
	c.clock.mu.Lock()
	known = c.clock.seen > 0
	c.clock.mu.Unlock()
	return c.clock.server().Sub(c.clock.now()), known
}

// ServerTime returns the API's time, as far as its answers told it; ours before
// the first one.
func (c *Client) ServerTime() time.Time { return c.clock.server() }
