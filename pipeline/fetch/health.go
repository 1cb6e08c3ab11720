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
type health struct{ streak atomic.Int32 }

func (h *health) success() { h.streak.Store(0) }

// failure reports whether it is time to probe. It starts to count anew then, so
// that of many workers one probes.
func (h *health) failure() bool {
	if h.streak.Add(1) >= tooManyFailures {
		h.streak.Store(0)
		return true
	}
	return false
}

// probe asks for a second that holds nothing. If even that fails, the API is
// down and last is what it said; if not, the windows are to blame.
func (f *Fetcher) probe(ctx context.Context, q journal.Query, last error) error {
	_, err := f.source.Fetch(ctx, quietSecond, q)
	if _, failed := errors.AsType[*WindowError](err); failed {
		return &UnavailableError{Err: fmt.Errorf("%d windows failed in a row, and so did one that holds nothing: %w", tooManyFailures, last)}
	}
	return err
}
