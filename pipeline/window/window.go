// Package window holds the arithmetic of time windows: half-open ranges of
// whole seconds in UTC, how they are cut, and which of them a set covers.
//
// What must not be here: I/O, clocks, and the API's own idea of a range (its
// bounds are inclusive; only package source knows).
package window

import (
	"fmt"
	"time"
)

// Window is the half-open range of time [From, To): From is in it, To is not.
// Both are UTC and whole seconds, which is the API's resolution.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Second is the narrowest window, and the unit of all bounds.
const Second = time.Second

// New returns [from, to) with both bounds in UTC and cut to whole seconds.
func New(from, to time.Time) Window {
	return Window{From: from.UTC().Truncate(Second), To: to.UTC().Truncate(Second)}
}

// Length is how much time the window holds; not positive if it is empty.
func (w Window) Length() time.Duration { return w.To.Sub(w.From) }

// Empty reports whether no instant lies in the window.
func (w Window) Empty() bool { return !w.From.Before(w.To) }

// Contains reports whether t lies in the window.
func (w Window) Contains(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

// Overlaps reports whether some instant lies in both windows.
func (w Window) Overlaps(o Window) bool {
	return w.From.Before(o.To) && o.From.Before(w.To) && !w.Empty() && !o.Empty()
}

// Intersect returns what lies in both; it is empty if nothing does.
func (w Window) Intersect(o Window) Window {
	if o.From.After(w.From) {
		w.From = o.From
	}
	if o.To.Before(w.To) {
		w.To = o.To
	}
	if w.Empty() {
		return Window{}
	}
	return w
}

// Split cuts the window in two that together cover it exactly. It reports
// false for a window of one second, which cannot be cut.
func (w Window) Split() (left, right Window, ok bool) {
	seconds := int64(w.Length() / Second)
	if seconds < 2 {
		return Window{}, Window{}, false
	}
	mid := w.From.Add(time.Duration(seconds/2) * Second)
	return Window{w.From, mid}, Window{mid, w.To}, true
}

// String is the window as people read it: "[2026-09-01T00:00:00Z, 2026-09-02T00:00:00Z)".
func (w Window) String() string {
	return fmt.Sprintf("[%s, %s)", w.From.Format(time.RFC3339), w.To.Format(time.RFC3339))
}
