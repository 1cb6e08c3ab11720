package window

import (
	"slices"
	"sort"
)

// Set is a set of instants, kept as sorted windows that neither overlap nor
// touch. The zero value is the empty set. It is not safe for concurrent use.
type Set struct {
	windows []Window
}

// Add puts all instants of w into the set.
func (s *Set) Add(w Window) {
	if w.Empty() {
		return
	}
	// first..last are the windows that overlap or touch w, and merge with it.
	first := sort.Search(len(s.windows), func(i int) bool { return !s.windows[i].To.Before(w.From) })
	last := first
	for last < len(s.windows) && !s.windows[last].From.After(w.To) {
		if s.windows[last].From.Before(w.From) {
			w.From = s.windows[last].From
		}
		if s.windows[last].To.After(w.To) {
			w.To = s.windows[last].To
		}
		last++
	}
	s.windows = slices.Replace(s.windows, first, last, w)
}

// Covers reports whether every instant of w is in the set. The empty window is
// always covered.
func (s *Set) Covers(w Window) bool { return len(s.Missing(w)) == 0 }

// Missing returns the parts of w that are not in the set, in order.
func (s *Set) Missing(w Window) []Window {
	var missing []Window
	i := sort.Search(len(s.windows), func(i int) bool { return s.windows[i].To.After(w.From) })
	for ; i < len(s.windows) && s.windows[i].From.Before(w.To); i++ {
		if w.From.Before(s.windows[i].From) {
			missing = append(missing, Window{w.From, s.windows[i].From})
		}
		w.From = s.windows[i].To
	}
	if !w.Empty() {
		missing = append(missing, w)
	}
	return missing
}

// Windows returns the set as sorted windows that do not touch. The slice is the
// caller's.
func (s *Set) Windows() []Window { return slices.Clone(s.windows) }

// Clone returns an independent copy.
func (s *Set) Clone() Set { return Set{windows: slices.Clone(s.windows)} }
