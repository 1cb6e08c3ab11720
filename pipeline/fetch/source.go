package fetch

import (
	"context"
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Source answers for one window at a time. Implementations are safe for
// concurrent use.
type Source interface {
	// Fetch asks the API for the leads submitted in the window and returns the
	// answer as a page with Query, Window, Request, RequestID, Received, counts,
	// Warnings and Body set. It blocks until there is an answer, the context
	// ends, or it gives up; whatever of retrying makes sense for one window has
	// then been done.
	//
	// Besides the context's error it returns one of
	//   - *WindowError: this window could not be had, another may be;
	//   - *RefusedError: nothing will be had until somebody acts;
	//   - *QuotaError: nothing more will be had before a known time;
	//   - *UnavailableError: nothing can be had at present, whatever the window.
	Fetch(ctx context.Context, w window.Window, q journal.Query) (*journal.Page, error)
}

// WindowError says that a window could not be had although it was tried again:
// it is to be split, and where that is not possible, recorded as a gap.
type WindowError struct {
	Window window.Window
	// Short is the fullest answer there was, if answers came but stayed short of
	// their totals; nil otherwise.
	Short *journal.Page
	Err   error
}

func (e *WindowError) Error() string {
	return fmt.Sprintf("window %s: %v", e.Window, e.Err)
}

// Unwrap returns the last error of the attempts.
func (e *WindowError) Unwrap() error { return e.Err }

// RefusedError says that the API refused the request itself or the login:
// repeating it cannot help.
type RefusedError struct {
	Window window.Window
	Err    error
	// Hint is what the user can do about it, one sentence.
	Hint string
}

func (e *RefusedError) Error() string {
	s := e.Err.Error()
	if !e.Window.Empty() {
		s = fmt.Sprintf("window %s: %s", e.Window, s)
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns the API's error.
func (e *RefusedError) Unwrap() error { return e.Err }

// QuotaError says that the calls of the day are used up.
type QuotaError struct {
	// Until is when calls are to be had again, UTC.
	Until time.Time
	Err   error
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("no calls left until %s: %v", e.Until.UTC().Format(time.RFC3339), e.Err)
}

// Unwrap returns how it was found.
func (e *QuotaError) Unwrap() error { return e.Err }

// UnavailableError says that the API cannot be reached at all: names do not
// resolve, connections are refused, the token endpoint fails. It says nothing
// about the window, so splitting is of no use.
type UnavailableError struct {
	Err error
	// Failing says that it can be reached, or might, and that whatever it is asked
	// fails.
	Failing bool
}

func (e *UnavailableError) Error() string {
	if e.Failing {
		return "the API does not work at present: " + e.Err.Error()
	}
	return "the API cannot be reached: " + e.Err.Error()
}

// Unwrap returns the last error of the attempts.
func (e *UnavailableError) Unwrap() error { return e.Err }
