package window

import (
	"sync"
	"time"
)

// Bounds of what a Sizer learns.
const (
	// Longest is the widest window that is ever asked for.
	Longest = 32 * 24 * time.Hour
	// mostLeads is the number of leads that a page should hold at most, goodLeads
	// what is aimed at: enough that calls are few, few enough that a page is small and
	// a retry is cheap.
	mostLeads = 2000
	goodLeads = 1800
	// slowAnswer is the time beyond which an answer is taken for a strain on
	// the API.
	slowAnswer = 20 * time.Second
)

// Sizer learns how wide a window may be: wider while answers are small and
// fast, narrower when they are large, slow or refused. It is safe for
// concurrent use.
type Sizer struct {
	mu   sync.Mutex
	size time.Duration
}

// NewSizer returns a Sizer that starts at the given width.
func NewSizer(start time.Duration) *Sizer {
	return &Sizer{size: clampSize(start)}
}

// Size is the width that the next window should have.
func (s *Sizer) Size() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// Answered tells of a good answer for w that held so many leads and took that
// long.
func (s *Sizer) Answered(w Window, leads int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case took > slowAnswer:
		s.size = min(s.size, clampSize(w.Length()/2))
	case leads > mostLeads:
		s.size = min(s.size, evenly(w.Length()*goodLeads/time.Duration(leads)))
	case leads <= goodLeads*3/4 && took <= slowAnswer/2 && s.representative(w):
		good := w.Length() * goodLeads / time.Duration(max(leads, 1))
		s.size = max(s.size, evenly(min(2*s.size, good)))
	}
}

// representative reports whether w is of about the present size: only then does
// it say that twice the size may be tried, or half of it has to be. Otherwise
// every worker in flight would change it again for the same reason, and the
// search for one bad second would end in windows of a second for all.
func (s *Sizer) representative(w Window) bool { return w.Length() >= s.size*3/4 }

// Failed tells that w was refused or failed in spite of being tried again.
func (s *Sizer) Failed(w Window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.representative(w) {
		s.size = min(s.size, clampSize(w.Length()/2))
	}
}

// Next cuts the next window off the front of rest: about Size wide, and ending
// with a UTC day where it would cross one, so that days fill up one by one.
func (s *Sizer) Next(rest Window) (next, remaining Window) {
	end := rest.From.Add(s.Size())
	if midnight := end.Truncate(24 * time.Hour); midnight.After(rest.From) {
		end = midnight
	}
	if !end.Before(rest.To) {
		return rest, Window{}
	}
	return Window{rest.From, end}, Window{end, rest.To}
}

// evenly returns the largest width up to d that days can be cut into evenly, or that
// is of whole days: so no day ends with a narrow window, and what is cut at multiples
// of the width is cut at the same moments for as long as the width lasts.
func evenly(d time.Duration) time.Duration {
	const day = 24 * time.Hour
	d = clampSize(d)
	if d >= day {
		return d.Truncate(day)
	}
	n := (day + d - 1) / d
	for (day/Second)%n != 0 {
		n++
	}
	return day / n
}

func clampSize(d time.Duration) time.Duration {
	return max(Second, min(Longest, d.Truncate(Second)))
}
