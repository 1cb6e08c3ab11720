package window_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

var epoch = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

func at(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }

func span(from, to int) window.Window { return window.New(at(from), at(to)) }

// drawWindow draws a window within [0, limit) seconds that is not empty.
func drawWindow(t *rapid.T, limit int, label string) window.Window {
	from := rapid.IntRange(0, limit-1).Draw(t, label+" from")
	return span(from, rapid.IntRange(from+1, limit).Draw(t, label+" to"))
}

func TestNewIsUTCInWholeSeconds(t *testing.T) {
	berlin := time.FixedZone("CEST", 2*60*60)
	w := window.New(time.Date(2026, 9, 1, 2, 0, 0, 999, berlin), time.Date(2026, 9, 1, 3, 0, 0, 1, berlin))
	if got, want := w.String(), "[2026-09-01T00:00:00Z, 2026-09-01T01:00:00Z)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestContainsIsHalfOpen(t *testing.T) {
	w := span(10, 20)
	for _, c := range []struct {
		t    time.Time
		want bool
	}{
		{at(9), false}, {at(10), true}, {at(19).Add(999 * time.Millisecond), true}, {at(20), false},
	} {
		if got := w.Contains(c.t); got != c.want {
			t.Errorf("Contains(%s) = %v", c.t, got)
		}
	}
}

// Any tree of splits covers its range exactly once.
func TestAnyTreeOfSplitsCoversItsRangeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root := drawWindow(t, 500, "root")
		seen := make(map[time.Time]int)
		var walk func(w window.Window)
		walk = func(w window.Window) {
			left, right, ok := w.Split()
			if !ok {
				if w.Length() != window.Second {
					t.Fatalf("%s cannot be split", w)
				}
			} else if rapid.Bool().Draw(t, "split") {
				walk(left)
				walk(right)
				return
			}
			for s := w.From; s.Before(w.To); s = s.Add(window.Second) {
				seen[s]++
			}
		}
		walk(root)
		for s := root.From; s.Before(root.To); s = s.Add(window.Second) {
			if seen[s] != 1 {
				t.Fatalf("second %s is covered %d times", s, seen[s])
			}
		}
		if want := int(root.Length() / window.Second); len(seen) != want {
			t.Fatalf("%d seconds covered, want %d", len(seen), want)
		}
	})
}

// A set of windows is held against a plain set of seconds.
func TestSetAgainstSeconds(t *testing.T) {
	const limit = 60
	rapid.Check(t, func(t *rapid.T) {
		var set window.Set
		var oracle [limit]bool
		for range rapid.IntRange(0, 12).Draw(t, "adds") {
			w := drawWindow(t, limit, "add")
			set.Add(w)
			for s := range limit {
				oracle[s] = oracle[s] || w.Contains(at(s))
			}
		}
		ask := drawWindow(t, limit, "ask")
		missing := set.Missing(ask)
		for s := range limit {
			in := false
			for _, m := range missing {
				in = in || m.Contains(at(s))
			}
			if want := ask.Contains(at(s)) && !oracle[s]; in != want {
				t.Fatalf("second %d: missing %v, want %v (set %v, asked %s)", s, in, want, set.Windows(), ask)
			}
		}
		if set.Covers(ask) != (len(missing) == 0) {
			t.Fatal("Covers and Missing disagree")
		}
		windows := set.Windows()
		for i, w := range windows {
			if w.Empty() || i > 0 && !windows[i-1].To.Before(w.From) {
				t.Fatalf("not sorted, disjoint and merged: %v", windows)
			}
		}
	})
}

// Whatever the answers are, cutting windows off a range covers it once.
func TestSizerCutsCoverTheRangeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rest := span(0, rapid.IntRange(1, 40*86400).Draw(t, "seconds"))
		sizer := window.NewSizer(time.Duration(rapid.IntRange(600, 90*86400).Draw(t, "start")) * time.Second)
		at := rest.From
		for !rest.Empty() {
			var next window.Window
			next, rest = sizer.Next(rest)
			if next.Empty() || !next.From.Equal(at) {
				t.Fatalf("cut %s does not go on at %s", next, at)
			}
			if days := next.Length() / (24 * time.Hour); days < 1 && !rest.Empty() && next.From.Truncate(24*time.Hour) != next.To.Add(-1).Truncate(24*time.Hour) {
				t.Fatalf("cut %s crosses midnight", next)
			}
			at = next.To
			if rapid.IntRange(0, 9).Draw(t, "fails") == 0 && next.Length() > time.Hour {
				sizer.Failed(next)
			} else {
				sizer.Answered(next, rapid.IntRange(0, 3000).Draw(t, "leads"), time.Second)
			}
			if sizer.Size() < 10*time.Minute {
				sizer = window.NewSizer(time.Hour) // keep the number of steps low
			}
		}
	})
}

// Whatever it learns from answers, days are cut evenly, or taken whole.
func TestSizerCutsDaysEvenly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := window.NewSizer(24 * time.Hour)
		for range 30 {
			before := s.Size()
			w := window.New(at(0), at(0).Add(before))
			leads := rapid.IntRange(0, 9000).Draw(t, "leads")
			s.Answered(w, leads, time.Second)
			size := s.Size()
			if day := 24 * time.Hour; size < day && (day%size != 0 || size%time.Second != 0) || size > day && size%day != 0 {
				t.Fatalf("%d leads in %s: %s", leads, before, size)
			}
			if leads > 2000 && before > window.Second && size >= before || leads <= 2000 && size < before || size > 2*before {
				t.Fatalf("%d leads in %s: %s", leads, before, size)
			}
		}
	})
}

func TestSizerLearns(t *testing.T) {
	s := window.NewSizer(24 * time.Hour)
	s.Answered(span(0, 86400), 10, time.Second)
	if got := s.Size(); got != 48*time.Hour {
		t.Fatalf("after a small answer: %s", got)
	}
	s.Answered(span(0, 86400), 10, time.Second) // another worker's, of the size before
	if got := s.Size(); got != 48*time.Hour {
		t.Fatalf("an answer of the former size doubled it again: %s", got)
	}
	s.Answered(span(0, 2*86400), 7200, time.Second)
	if got := s.Size(); got != 12*time.Hour {
		t.Fatalf("after a large answer, a quarter of it would have been good: %s", got)
	}
	s.Answered(span(0, 86400), 7000, time.Second) // of the size before
	if got := s.Size(); got >= 12*time.Hour || got < 6*time.Hour {
		t.Fatalf("after a large answer: %s", got)
	}
	s = window.NewSizer(8 * time.Hour)
	s.Answered(span(0, 8*3600), 1200, time.Second)
	if got := s.Size(); got != 12*time.Hour {
		t.Fatalf("half as much again would have been good: %s", got)
	}
	s.Answered(span(0, 12*3600), 1700, time.Second)
	if got := s.Size(); got != 12*time.Hour {
		t.Fatalf("after a good answer: %s", got)
	}
	s = window.NewSizer(24 * time.Hour)
	s.Answered(span(0, 86400), 1, 30*time.Second)
	if got := s.Size(); got != 12*time.Hour {
		t.Fatalf("after a slow answer: %s", got)
	}
	s.Failed(span(0, 43200))
	if got := s.Size(); got != 6*time.Hour {
		t.Fatalf("after a failure: %s", got)
	}
	s.Failed(span(0, 3600)) // a small part of a window that failed before
	if got := s.Size(); got != 6*time.Hour {
		t.Fatalf("a narrow window that fails made all narrow: %s", got)
	}
	for range 30 {
		s.Failed(window.New(at(0), at(0).Add(s.Size())))
	}
	if got := s.Size(); got != window.Second {
		t.Fatalf("never below a second: %s", got)
	}
}

func TestIntersectAndOverlaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawWindow(t, 30, "a"), drawWindow(t, 30, "b")
		both := a.Intersect(b)
		if both.Empty() == a.Overlaps(b) {
			t.Fatalf("%s and %s: intersection %s, overlaps %v", a, b, both, a.Overlaps(b))
		}
		for s := range 30 {
			if both.Contains(at(s)) != (a.Contains(at(s)) && b.Contains(at(s))) {
				t.Fatalf("second %d of %s and %s", s, a, b)
			}
		}
	})
}
