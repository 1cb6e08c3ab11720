package schedule

import (
	"slices"
	"sort"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Readings is when each moment of the past was last read: a function that is
// constant over windows. The zero value says that nothing was read. It is not
// safe for concurrent use. It grows with the number of windows that were read at
// different times; Forget keeps it small.
type Readings struct {
	pieces []piece // sorted, neither empty nor overlapping; neighbours that touch differ in at
}

type piece struct {
	window.Window
	at time.Time
}

// Add notes that w was read. What is known to have been read later stays as it
// is, so the order of calls does not matter.
func (r *Readings) Add(w window.Window, at time.Time) {
	if w.Empty() {
		return
	}
	// Pieces that touch w are replaced as well: they may join it.
	first := sort.Search(len(r.pieces), func(i int) bool { return !r.pieces[i].To.Before(w.From) })
	last := sort.Search(len(r.pieces), func(i int) bool { return r.pieces[i].From.After(w.To) })
	touched := r.pieces[first:last]

	var with []piece
	for _, p := range touched {
		with = joinedTo(with, window.Window{From: p.From, To: earlier(p.To, w.From)}, p.at)
	}
	rest := w
	for _, p := range touched {
		both := p.Intersect(w)
		if both.Empty() {
			continue
		}
		with = joinedTo(with, window.Window{From: rest.From, To: both.From}, at)
		with = joinedTo(with, both, later(p.at, at))
		rest.From = both.To
	}
	with = joinedTo(with, rest, at)
	for _, p := range touched {
		with = joinedTo(with, window.Window{From: later(p.From, w.To), To: p.To}, p.at)
	}
	r.pieces = slices.Replace(r.pieces, first, last, with...)
}

// Oldest returns the earliest last reading of what is in w; ok is false if some
// of w was never read, or w is empty.
func (r *Readings) Oldest(w window.Window) (oldest time.Time, ok bool) {
	for _, p := range r.from(w.From) {
		if w.Empty() || p.From.After(w.From) {
			break
		}
		if oldest.IsZero() || p.at.Before(oldest) {
			oldest = p.at
		}
		ok = true
		w.From = p.To
	}
	if !ok || !w.Empty() {
		return time.Time{}, false
	}
	return oldest, true
}

// stale returns the first moment of w that was never read, or last at or before
// the limit; ok is false if there is none.
func (r *Readings) stale(w window.Window, limit time.Time) (first time.Time, ok bool) {
	for _, p := range r.from(w.From) {
		if w.Empty() || p.From.After(w.From) || !p.at.After(limit) {
			break
		}
		w.From = p.To
	}
	return w.From, !w.Empty()
}

// Forget drops what is known of moments before t: they count as never read.
func (r *Readings) Forget(t time.Time) {
	r.pieces = slices.Clone(r.from(t))
	if len(r.pieces) > 0 {
		r.pieces[0].From = later(r.pieces[0].From, t.UTC())
	}
}

// from returns the pieces of which something lies at t or after it.
func (r *Readings) from(t time.Time) []piece {
	return r.pieces[sort.Search(len(r.pieces), func(i int) bool { return r.pieces[i].To.After(t) }):]
}

// joinedTo appends w to pieces that end at or before it.
func joinedTo(pieces []piece, w window.Window, at time.Time) []piece {
	if w.Empty() {
		return pieces
	}
	if n := len(pieces); n > 0 && pieces[n-1].To.Equal(w.From) && pieces[n-1].at.Equal(at) {
		pieces[n-1].To = w.To
		return pieces
	}
	return append(pieces, piece{w, at})
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
