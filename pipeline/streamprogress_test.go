package pipeline_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// What keeps a stream from reading is in its progress from the first poll that
// meets it, through every try, to the first that does not.
func TestProgressTellsOfTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		stages, closeAll := s.open()
		defer closeAll()
		stream, err := pipeline.NewStream(t.Context(), stages, s.config, queries, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if p := stream.Progress(); p.Polls != 0 || !p.Polled.IsZero() || p.Trouble != nil {
			t.Errorf("before: %+v", p)
		}
		stop, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- stream.Run(t.Context(), stop) }()
		s.polls(2)
		if p := stream.Progress(); p.Polls == 0 || time.Since(p.Polled) > s.config.Interval || p.Trouble != nil {
			t.Errorf("well: %+v", p)
		}
		away := &fetch.UnavailableError{Err: errors.New("connection refused")}
		s.seller.failing(func(window.Window) error { return away })
		s.polls(1)
		for range 600 {
			time.Sleep(time.Second)
			if p := stream.Progress(); !errors.Is(p.Trouble, away) || time.Since(p.Polled) < s.config.Interval {
				t.Fatalf("during an outage: %+v", p)
			}
		}
		s.seller.failing(nil)
		s.polls(2)
		if p := stream.Progress(); p.Trouble != nil || time.Since(p.Polled) > s.config.Interval {
			t.Errorf("after it: %+v", p)
		}
		close(stop)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

// A gap is open until it is read, and a window that fails is split on the way.
func TestProgressTellsOfOpenGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		time.Sleep(time.Hour)
		bad := s.seller.enquire("1", "ann", "in the bad second").at
		time.Sleep(time.Hour)
		s.seller.failing(func(w window.Window) error {
			if w.Contains(bad) {
				return &fetch.WindowError{Window: w, Err: errors.New("350000")}
			}
			return nil
		})
		stages, closeAll := s.open()
		defer closeAll()
		stream, err := pipeline.NewStream(t.Context(), stages, s.config, queries, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		stop, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- stream.Run(t.Context(), stop) }()
		s.polls(3)
		if p := stream.Progress(); p.OpenGaps != 1 || p.Splits == 0 || p.Gaps == 0 {
			t.Errorf("with a gap: %+v", p)
		}
		s.seller.failing(nil)
		s.polls(2)
		if p := stream.Progress(); p.OpenGaps != 0 {
			t.Errorf("without: %+v", p)
		}
		close(stop)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}
