package fetch

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
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
// of a year down to its seconds, each failing, would burn the quota of days.
type health struct {
	streak atomic.Int32
	// well is set when anything was answered.
	well atomic.Bool
}

func (h *health) success() {
	h.streak.Store(0)
	h.well.Store(true)
}

// failure reports whether it is time to probe: after many failures, or when a
// window is about to be given up though nothing was answered yet. It starts to
// count anew then, so that of many workers one probes.
func (h *health) failure(last bool) bool {
	if h.streak.Add(1) >= tooManyFailures || last && !h.well.Load() {
		h.streak.Store(0)
		return true
	}
	return false
}

// probe asks whether it is the API or the windows that fail; last is what the
// last of them said.
func (f *Fetcher) probe(ctx context.Context, q journal.Query, last error) error {
	err := Probe(ctx, f.source, q)
	if err == nil {
		f.health.success()
	}
	if _, away := errors.AsType[*UnavailableError](err); away {
		return &UnavailableError{Err: fmt.Errorf("windows fail, and so does one that holds nothing: %w", last)}
	}
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
