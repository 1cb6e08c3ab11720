package fetch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// tooManyFailures is the number of windows that must fail in a row, over all
// workers, before the API itself is doubted.
const tooManyFailures = 8

// quietSecond is a window that any working API can answer: nothing happened in
// it, for the service did not exist.
var quietSecond = window.Window{
	From: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC),
	To:   time.Date(2001, 1, 1, 0, 0, 1, 0, time.UTC),
}

// health tells windows that fail from an API that fails: splitting every window
// of a year down to its seconds, each failing, would burn the quota of days. It
// is safe for concurrent use.
type health struct {
	mu     sync.Mutex
	streak int
	well   bool // anything was answered
	// doubt is the probe that is on its way; nil if none is.
	doubt *doubt
}

// doubt is one probe, for those who wait for its outcome.
type doubt struct {
	decided chan struct{} // closed when err is set
	err     error
}

func (h *health) success() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streak, h.well = 0, true
}

// admit waits while the API is in doubt, so that no window is asked for that the
// probe may show to be of no use. It returns the probe's error, or the context's.
func (h *health) admit(ctx context.Context) error {
	h.mu.Lock()
	d := h.doubt
	h.mu.Unlock()
	if d == nil {
		return nil
	}
	select {
	case <-d.decided:
		return d.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure takes note of a window that failed. It returns a doubt if it is time to
// probe: after many failures, or when a window is about to be given up though
// nothing was answered yet. It starts to count anew then, so that of many workers
// one probes; that one has to decide.
func (h *health) failure(last bool) *doubt {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streak++
	if h.doubt != nil || h.streak < tooManyFailures && (!last || h.well) {
		return nil
	}
	h.streak = 0
	h.doubt = &doubt{decided: make(chan struct{})}
	return h.doubt
}

// decide ends the doubt.
func (h *health) decide(d *doubt, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.doubt, d.err = nil, err
	close(d.decided)
}

// probe asks whether it is the API or the windows that fail; last is what the
// last of them said.
func (f *Fetcher) probe(ctx context.Context, q journal.Query, d *doubt, last error) error {
	err := Probe(ctx, f.source, q)
	if err == nil {
		f.health.success()
	}
	if _, away := errors.AsType[*UnavailableError](err); away {
		err = &UnavailableError{Failing: true, Err: fmt.Errorf("windows fail, and so does one that holds nothing: %w", last)}
	}
	f.health.decide(d, err)
	return err
}

// Probe asks the source for a second that holds nothing. If that fails as a
// window may, the API is down: the error is *UnavailableError. Other errors are
// those of Fetch.
func Probe(ctx context.Context, source Source, q journal.Query) error {
	_, err := source.Fetch(ctx, quietSecond, q)
	if failed, ok := errors.AsType[*WindowError](err); ok {
		return &UnavailableError{Err: failed.Err}
	}
	return err
}
