package source

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Whatever the window, the time and the attempt: what is asked for is what the
// API accepts, and holds the whole window.
func TestBoundsHoldTheWindowAndAreAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := at("2026-01-01T00:00:00Z").Add(time.Duration(rapid.Int64Range(0, 1e6).Draw(t, "from")) * time.Second)
		w := window.New(from, from.Add(time.Duration(rapid.Int64Range(1, 1e6).Draw(t, "seconds"))*time.Second))
		now := w.To.Add(time.Duration(rapid.Int64Range(-1e11, 1e11).Draw(t, "now")))
		attempt := rapid.IntRange(0, 10).Draw(t, "attempt")
		b, wait := boundsOf(w, now, attempt)
		now = now.Add(wait)
		if now.Before(w.To) {
			t.Errorf("asked at %s, before %s is over", now, w)
		}
		if !b.end.After(b.start) || !b.end.Before(now) {
			t.Errorf("the API would not accept %s..%s at %s", b.start, b.end, now)
		}
		if b.start.After(w.From) || b.end.Before(w.To.Add(-window.Second)) {
			t.Errorf("%s..%s does not hold %s", b.start, b.end, w)
		}
		if w.From.Sub(b.start) > window.Second || b.end.After(w.To) {
			t.Errorf("%s..%s is more than a second too much for %s", b.start, b.end, w)
		}
	})
}

func TestClock(t *testing.T) {
	now := at("2026-01-01T00:00:00Z")
	c := newClock(func() time.Time { return now })
	date := func(text string, more ...string) http.Header {
		h := http.Header{"Date": {text}}
		for i := 0; i < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return h
	}
	for _, step := range []struct {
		name   string
		header http.Header
		want   string
	}{
		{"nothing known", nil, "2026-01-01T00:00:00Z"},
		{"no date", http.Header{}, "2026-01-01T00:00:00Z"},
		{"no valid date", date("yesterday"), "2026-01-01T00:00:00Z"},
		{"of a cache", date("Thu, 01 Jan 2026 01:00:00 GMT", "Age", "0"), "2026-01-01T00:00:00Z"},
		{"behind", date("Wed, 31 Dec 2025 23:59:00 GMT"), "2025-12-31T23:59:00Z"},
		{"less behind", date("Wed, 31 Dec 2025 23:59:30 GMT"), "2025-12-31T23:59:30Z"},
		{"a slow answer", date("Wed, 31 Dec 2025 23:58:00 GMT"), "2025-12-31T23:59:30Z"},
	} {
		if step.header != nil {
			c.observe(step.header)
		}
		if got := c.server(); !got.Equal(at(step.want)) {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
	}
	// What was learned is forgotten after a few answers that say otherwise.
	for range len(c.skews) {
		c.observe(date("Wed, 31 Dec 2025 23:00:00 GMT"))
	}
	if got := c.server(); !got.Equal(at("2025-12-31T23:00:00Z")) {
		t.Errorf("still at %s", got)
	}
}
