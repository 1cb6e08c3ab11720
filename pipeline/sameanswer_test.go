package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

func TestTheSameBytesAreComparedOnce(t *testing.T) {
	epoch := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	span := func(from, to int) window.Window {
		return window.New(epoch.Add(time.Duration(from)*time.Second), epoch.Add(time.Duration(to)*time.Second))
	}
	compared, same := 0, true
	s := newSameAnswers(func(context.Context, *journal.Page) (bool, error) {
		compared++
		return same, nil
	})
	ask := func(w window.Window, body string, undated int, wantCompared int, want bool) {
		t.Helper()
		compared = 0
		got, err := s.known(t.Context(), &journal.Page{Window: w, Body: []byte(body), Undated: undated})
		if err != nil || got != want || compared != wantCompared {
			t.Errorf("known %v (compared %d times, %v), want %v (%d)", got, compared, err, want, wantCompared)
		}
	}
	ask(span(0, 10), "a", 0, 1, true)
	ask(span(0, 10), "a", 0, 0, true)
	ask(span(10, 20), "a", 0, 1, true)
	ask(span(0, 10), "b", 0, 1, true)
	ask(span(0, 10), "b", 0, 0, true)
	// A page that overlaps is landed: what the first one said is open again.
	same = false
	ask(span(5, 8), "c", 0, 1, false)
	same = true
	ask(span(0, 10), "b", 0, 1, true)
	ask(span(10, 20), "a", 0, 0, true)
	// One with a lead without a time may have changed any answer.
	same = false
	ask(span(100, 101), "d", 1, 1, false)
	same = true
	ask(span(10, 20), "a", 0, 1, true)
}
