package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// streamer is a state folder and a topic that outlive runs of a stream. It is for
// use within a bubble of synctest.
type streamer struct {
	t      *testing.T
	dir    string
	fs     vfs.FS
	seller *seller
	topic  *delivertest.Store
	config pipeline.StreamConfig
	quota  int
	log    *logBook
}

// logBook keeps what was logged.
type logBook struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func newStreamer(t *testing.T) *streamer {
	// The bubble's clock starts in 2000; the Leads API is younger.
	time.Sleep(time.Until(time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)))
	return &streamer{
		t: t, dir: t.TempDir(), fs: vfs.NewMem(), seller: new(seller), topic: delivertest.NewStore(deliver.Append),
		config: pipeline.StreamConfig{Interval: time.Minute, Settle: 30 * time.Second, Lookback: 24 * time.Hour, DrainTimeout: 30 * time.Second},
		quota:  100_000, log: new(logBook),
	}
}

func (s *streamer) open() (pipeline.Stages, func()) {
	s.t.Helper()
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	j, err := journal.Open(s.dir, journal.Options{Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}})
	if err != nil {
		s.t.Fatal(err)
	}
	flattener := flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}
	reader := deliver.NewReader(j, flattener, deliver.NewDeadLetters(filepath.Join(s.dir, "dead")), logger)
	k, err := known.Open(s.t.Context(), known.Options{Dir: "known", FS: s.fs, Journal: j, Pages: reader, Flattener: flattener, Logger: logger})
	if err != nil {
		s.t.Fatal(err)
	}
	stages := pipeline.Stages{
		Source: s.seller, Journal: j, Reader: reader, Known: k, Logger: logger,
		Sinks: []deliver.Opener{{Name: "topic", Open: s.topic.Open}},
		Fetch: fetch.Config{Window: time.Hour, Concurrency: 3},
		Now:   time.Now,
		Quota: func() (int, int, time.Time) { return s.seller.calls(), s.quota, time.Now().Add(12 * time.Hour) },
	}
	return stages, func() {
		if err := errors.Join(k.Close(), j.Close()); err != nil {
			s.t.Error(err)
		}
	}
}

// run streams while during goes on, then stops the stream and returns how it
// ended.
func (s *streamer) run(from time.Time, during func()) error {
	s.t.Helper()
	stages, closeAll := s.open()
	defer closeAll()
	stream, err := pipeline.NewStream(s.t.Context(), stages, s.config, queries, from)
	if err != nil {
		s.t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- stream.Run(s.t.Context(), stop) }()
	during()
	close(stop)
	return <-ended
}

// events are what the topic holds, as "type user version status".
func (s *streamer) events() []string {
	var events []string
	for _, r := range s.topic.Rows(deliver.Whole) {
		events = append(events, fmt.Sprintf("%s %s %d %s", r.EventType, r.UserID.Value, r.LeadVersion.Value, r.LeadStatus.Value))
	}
	return events
}

func (s *streamer) want(events ...string) {
	s.t.Helper()
	if got := s.events(); !slices.Equal(got, events) {
		s.t.Errorf("events\n  %s\nwant\n  %s\nlog\n%s", strings.Join(got, "\n  "), strings.Join(events, "\n  "), s.log)
	}
	ids := make(map[string]bool)
	for _, r := range s.topic.Rows(deliver.Whole) {
		if ids[r.EventID] {
			s.t.Errorf("event %s comes twice", r.EventID)
		}
		ids[r.EventID] = true
	}
	if s.seller.refused > 0 {
		s.t.Errorf("%d requests reached into the future", s.seller.refused)
	}
}

// polls lets the time of so many polls go by.
func (s *streamer) polls(n int) {
	time.Sleep(time.Duration(n) * s.config.Interval)
	synctest.Wait()
}

func TestAStreamTellsWhatIsNewChangedAndGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		ann := s.seller.enquire("1", "ann", "hello")
		bob := s.seller.enquire("2", "bob", "hi")
		time.Sleep(time.Hour)
		err := s.run(time.Time{}, func() {
			s.polls(2)
			s.seller.change(ann, func(e *enquiry) { e.status = "RESPONDED" })
			s.polls(2)
			s.seller.enquire("1", "cyd", "me too")
			s.seller.change(bob, func(e *enquiry) { e.delisted = true })
			s.polls(2)
			s.seller.change(bob, func(e *enquiry) { e.delisted = false })
			s.polls(2)
		})
		if err != nil {
			t.Fatal(err)
		}
		s.want("created ann 1 NEW", "created bob 1 NEW", "updated ann 2 RESPONDED", "created cyd 1 NEW", "vanished bob 2 NEW", "updated bob 3 NEW")
		for _, r := range s.topic.Rows(deliver.Whole) {
			if r.EventType == schema.Updated && r.UserID.Value == "ann" && !slices.Equal(r.ChangedFields.Value, []string{"lead_status"}) {
				t.Errorf("changed fields %v", r.ChangedFields)
			}
		}
		// Another run goes on, and has nothing to tell.
		before := len(s.events())
		if err := s.run(time.Time{}, func() { s.polls(3) }); err != nil {
			t.Fatal(err)
		}
		if got := len(s.events()); got != before {
			t.Errorf("%d events more after a restart", got-before)
		}
	})
}

// An outage of the API costs nothing but time, however long.
func TestATwoHourOutageIsCaughtUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		s.seller.enquire("1", "ann", "before")
		time.Sleep(time.Minute)
		err := s.run(time.Time{}, func() {
			s.polls(3)
			s.seller.failing(func(window.Window) error {
				return &fetch.UnavailableError{Err: errors.New("connection refused")}
			})
			for i := range 120 {
				if i%40 == 10 {
					s.seller.enquire("1", fmt.Sprint("during", i), "x")
				}
				s.polls(1)
			}
			s.seller.failing(nil)
			s.polls(3)
		})
		if err != nil {
			t.Fatal(err)
		}
		s.want("created ann 1 NEW", "created during10 1 NEW", "created during50 1 NEW", "created during90 1 NEW")
		for _, line := range []string{"the API is not to be had", "the API is back"} {
			if n := strings.Count(s.log.String(), line); n != 1 {
				t.Errorf("%q was logged %d times", line, n)
			}
		}
	})
}

// An API that answers every request with an error is taken for one that is down:
// however narrow the windows, they are no gaps, and few calls are spent on it.
func TestAnOutageLeavesNoGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		s.config.Interval, s.config.Settle = time.Second, 0
		err := s.run(time.Time{}, func() {
			s.polls(10)
			s.seller.failing(func(w window.Window) error { return &fetch.WindowError{Window: w, Err: errors.New("500")} })
			s.seller.enquire("1", "ann", "during")
			calls := s.seller.calls()
			s.polls(3600)
			if n := s.seller.calls() - calls; n > 150 {
				t.Errorf("%d calls in an hour without an API", n)
			}
			s.seller.failing(nil)
			s.polls(90)
		})
		if err != nil {
			t.Fatal(err)
		}
		s.want("created ann 1 NEW")
		if strings.Contains(s.log.String(), "gap: ") {
			t.Errorf("gaps in the log\n%s", s.log)
		}
	})
}

func TestASpentQuotaIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		err := s.run(time.Time{}, func() {
			s.polls(2)
			until := time.Now().Add(5 * time.Hour)
			s.seller.failing(func(window.Window) error {
				if time.Now().Before(until) {
					return &fetch.QuotaError{Until: until, Err: errors.New("429")}
				}
				return nil
			})
			s.seller.enquire("1", "ann", "meanwhile")
			s.polls(60)
			if len(s.events()) != 0 {
				t.Error("an event without a call")
			}
			s.polls(250)
		})
		if err != nil {
			t.Fatal(err)
		}
		s.want("created ann 1 NEW")
	})
}

// A second that fails is a gap, is tried at each poll, and closes.
func TestAGapClosesWhenItCan(t *testing.T) {
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
		err := s.run(time.Time{}, func() {
			s.polls(5)
			s.want()
			calls := s.seller.calls()
			s.polls(10)
			// The gap, and the rest of the day around it: not a search each time.
			if n := s.seller.calls() - calls; n > 10*30 {
				t.Errorf("%d calls in 10 polls", n)
			}
			s.seller.failing(nil)
			s.polls(2)
		})
		if err != nil {
			t.Fatal(err)
		}
		s.want("created ann 1 NEW")
	})
}

// An idle stream's journal grows by a few bytes a poll.
func TestAnIdleStreamHardlyGrowsTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		for i := range 50 {
			s.seller.enquire("1", fmt.Sprint("buyer", i), "hello")
			time.Sleep(time.Minute)
		}
		err := s.run(time.Time{}, func() {
			s.polls(10)
			before := journalSize(t, s.dir)
			s.polls(600)
			if grown := journalSize(t, s.dir) - before; grown > 600*100 {
				t.Errorf("the journal grew by %d bytes in 600 polls without news", grown)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.events()); n != 50 {
			t.Errorf("%d events", n)
		}
	})
}

func journalSize(t *testing.T, dir string) (size int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "journal", "*.journal"))
	if err != nil || len(files) == 0 {
		t.Fatal("no journal", err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

// History comes in on the side, newest first, and is resumed.
func TestHistoryIsBroughtInOnTheSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		from := time.Now()
		const months = 5
		for i := range months {
			s.seller.enquire("1", fmt.Sprint("month", i), "hello")
			time.Sleep(30 * 24 * time.Hour)
		}
		s.seller.enquire("1", "now", "hello")
		time.Sleep(time.Minute)
		polls := 0
		for len(s.events()) < months+1 && polls < 50 {
			if err := s.run(from, func() { s.polls(1) }); err != nil {
				t.Fatal(err)
			}
			polls++
		}
		got := s.events()
		if len(got) != months+1 || got[0] != "created now 1 NEW" {
			t.Errorf("after %d runs: %v", polls, got)
		}
		calls := s.seller.calls()
		if err := s.run(from, func() { s.polls(1) }); err != nil {
			t.Fatal(err)
		}
		if n := s.seller.calls() - calls; n > 60 {
			t.Errorf("history that is complete was read again: %d calls", n)
		}
	})
}

func TestAStreamThatCannotDrainSaysWhichSinkIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		s.topic.Fault = func(step delivertest.Step) error {
			if step == delivertest.StepCommit {
				return errors.New("no broker")
			}
			return nil
		}
		s.seller.enquire("1", "ann", "hello")
		time.Sleep(time.Minute)
		err := s.run(time.Time{}, func() { s.polls(2) })
		drain, ok := errors.AsType[*pipeline.DrainError](err)
		if !ok || !slices.Equal(drain.Sinks, []string{"topic"}) {
			t.Fatalf("ended with %v", err)
		}
		s.topic.Fault = nil
		if err := s.run(time.Time{}, func() { s.polls(1) }); err != nil {
			t.Fatal(err)
		}
		s.want("created ann 1 NEW")
	})
}

// A sink that another instance has taken over ends the stream.
func TestAFencedSinkEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		err := s.run(time.Time{}, func() {
			s.polls(1)
			if _, err := s.topic.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.seller.enquire("1", "ann", "hello")
			s.polls(3)
		})
		if _, ok := errors.AsType[*deliver.SinkError](err); !ok {
			t.Fatalf("ended with %v", err)
		}
	})
}

func TestARefusalEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		stages, closeAll := s.open()
		defer closeAll()
		s.seller.failing(func(w window.Window) error { return &fetch.RefusedError{Err: errors.New("invalid_client")} })
		stream, err := pipeline.NewStream(t.Context(), stages, s.config, queries, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		err = stream.Run(t.Context(), nil)
		if _, ok := errors.AsType[*fetch.RefusedError](err); !ok {
			t.Fatalf("ended with %v", err)
		}
	})
}

func TestACancelledStreamEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		stages, closeAll := s.open()
		defer closeAll()
		stream, err := pipeline.NewStream(t.Context(), stages, s.config, queries, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := stream.Run(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("ended with %v", err)
		}
	})
}

// What a batch exported is not new to the stream, and the topic gets both.
func TestABatchAndAStreamKnowOfEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreamer(t)
		begun := time.Now()
		ann := s.seller.enquire("1", "ann", "hello")
		time.Sleep(time.Hour)
		batch := func() {
			t.Helper()
			stages, closeAll := s.open()
			defer closeAll()
			request, err := pipeline.Between(begun, time.Now(), time.Now(), queries)
			if err != nil {
				t.Fatal(err)
			}
			b, err := pipeline.NewBatch(t.Context(), stages, request)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		batch()
		if err := s.run(time.Time{}, func() { s.polls(2) }); err != nil {
			t.Fatal(err)
		}
		s.want("snapshot ann 0 NEW")
		s.seller.change(ann, func(e *enquiry) { e.status = "RESPONDED" })
		batch()
		s.want("snapshot ann 0 NEW", "snapshot ann 0 RESPONDED")
		s.seller.change(ann, func(e *enquiry) { e.conversation++ })
		if err := s.run(time.Time{}, func() { s.polls(2) }); err != nil {
			t.Fatal(err)
		}
		s.want("snapshot ann 0 NEW", "snapshot ann 0 RESPONDED", "updated ann 1 RESPONDED")
	})
}
