package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	epoch = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	query = journal.Query{Messages: true}
)

func span(from, to int) window.Window {
	return window.New(epoch.Add(time.Duration(from)*time.Second), epoch.Add(time.Duration(to)*time.Second))
}

// answer is a source that decides by window. Only what one window meets is
// played here; package source has the real thing.
type answer func(w window.Window) (leads int, err error)

func (a answer) Fetch(ctx context.Context, w window.Window, q journal.Query) (*journal.Page, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	leads, err := a(w)
	if err != nil {
		return nil, err
	}
	return &journal.Page{Query: q, Window: w, Leads: leads, Received: epoch, Body: []byte("body")}, nil
}

func newJournal(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, journal.Options{
		Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"},
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// run fetches the window in one job and returns what the journal holds then.
func run(ctx context.Context, t testing.TB, source fetch.Source, config fetch.Config, w window.Window) (pages []journal.Page, gaps []journal.Gap, err error) {
	t.Helper()
	j := newJournal(t, t.TempDir())
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = fetch.New(source, j, config, slog.New(slog.DiscardHandler)).
		Run(ctx, []*fetch.Job{{Batch: "b", Query: query, Missing: []window.Window{w}}})
	for r, err := range j.Records(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Page != nil {
			pages = append(pages, *r.Page)
		}
		if r.Gap != nil {
			gaps = append(gaps, *r.Gap)
		}
	}
	return pages, gaps, err
}

// Whatever fails, for a time or for ever: every second is landed exactly once or
// is a gap, and only seconds that fail for ever are gaps.
func TestEverySecondIsLandedOnceOrAGap(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.IntRange(1, 200).Draw(t, "seconds")
		bad := rapid.SliceOfNDistinct(rapid.IntRange(0, seconds-1), 0, min(seconds, 4), rapid.ID[int]).Draw(t, "failing seconds")
		widest := rapid.IntRange(1, 300).Draw(t, "widest window that is answered")
		every := rapid.IntRange(2, 20).Draw(t, "every nth answer fails")
		config := fetch.Config{
			Window:      time.Duration(rapid.IntRange(1, 300).Draw(t, "first window")) * time.Second,
			Concurrency: rapid.IntRange(1, 6).Draw(t, "concurrency"),
		}
		var calls atomic.Int64
		source := answer(func(w window.Window) (int, error) {
			if w.From.Before(epoch) {
				return 0, nil // the probe: the API is well
			}
			fails := &fetch.WindowError{Window: w, Err: errors.New("350000")}
			for _, s := range bad {
				if w.Overlaps(span(s, s+1)) {
					return 0, fails
				}
			}
			if w.Length() > time.Duration(widest)*time.Second {
				return 0, fails
			}
			// A passing failure of a window that could be split.
			if w.Length() > window.Second && calls.Add(1)%int64(every) == 0 {
				return 0, fails
			}
			return 1, nil
		})
		pages, gaps, err := run(context.Background(), outer, source, config, span(0, seconds))
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[time.Time]int)
		mark := func(w window.Window) {
			for s := w.From; s.Before(w.To); s = s.Add(window.Second) {
				seen[s]++
			}
		}
		for _, p := range pages {
			mark(p.Window)
		}
		for _, g := range gaps {
			mark(g.Window)
		}
		for s := range seconds {
			if n := seen[span(s, s+1).From]; n != 1 {
				t.Fatalf("second %d is covered %d times", s, n)
			}
		}
		if len(seen) != seconds || len(gaps) != len(bad) {
			t.Fatalf("%d seconds of %d, %d gaps of %d", len(seen), seconds, len(gaps), len(bad))
		}
	})
}

func TestGapsOfEarlierRunsComeFirst(t *testing.T) {
	var mu sync.Mutex
	var asked []window.Window
	source := answer(func(w window.Window) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, w)
		return 0, nil
	})
	j := newJournal(t, t.TempDir())
	defer j.Close()
	f := fetch.New(source, j, fetch.Config{Window: time.Hour, Concurrency: 1}, slog.New(slog.DiscardHandler))
	err := f.Run(t.Context(), []*fetch.Job{{
		Query: query, Retry: []window.Window{span(50, 51)}, Missing: []window.Window{span(100, 200)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 2 || asked[0] != span(50, 51) || asked[1] != span(100, 200) {
		t.Errorf("asked for %v", asked)
	}
	if got := f.Stats(); got.Pages != 2 || got.Covered != 101*time.Second {
		t.Errorf("stats %+v", got)
	}
}

// When the quota is spent, what is in flight is landed, and no more is asked.
func TestASpentQuotaStopsCleanly(t *testing.T) {
	var calls atomic.Int64
	until := epoch.Add(24 * time.Hour)
	source := answer(func(w window.Window) (int, error) {
		if calls.Add(1) > 10 {
			return 0, &fetch.QuotaError{Until: until, Err: errors.New("spent")}
		}
		return 1, nil
	})
	pages, gaps, err := run(t.Context(), t, source, fetch.Config{Window: time.Second, Concurrency: 4}, span(0, 100000))
	quota, ok := errors.AsType[*fetch.QuotaError](err)
	if !ok || !quota.Until.Equal(until) {
		t.Fatalf("got error %v", err)
	}
	if len(pages) != 10 || len(gaps) != 0 {
		t.Errorf("%d pages landed, %d gaps", len(pages), len(gaps))
	}
	if n := calls.Load(); n > 14 {
		t.Errorf("%d calls: workers went on after the quota was spent", n)
	}
}

func TestARefusalEndsTheRun(t *testing.T) {
	source := answer(func(w window.Window) (int, error) {
		return 0, &fetch.RefusedError{Window: w, Err: errors.New("352004: Invalid Date"), Hint: "look at the clock"}
	})
	pages, gaps, err := run(t.Context(), t, source, fetch.Config{Window: time.Hour, Concurrency: 3}, span(0, 100000))
	if _, ok := errors.AsType[*fetch.RefusedError](err); !ok || len(pages)+len(gaps) != 0 {
		t.Fatalf("error %v, %d pages, %d gaps", err, len(pages), len(gaps))
	}
}

// An API that fails for every window is not asked for every second of a year.
func TestAnAPIThatIsDownIsNotBisected(t *testing.T) {
	var calls atomic.Int64
	source := answer(func(w window.Window) (int, error) {
		calls.Add(1)
		return 0, &fetch.WindowError{Window: w, Err: errors.New("503")}
	})
	_, gaps, err := run(t.Context(), t, source, fetch.Config{Window: 24 * time.Hour, Concurrency: 4}, span(0, 365*86400))
	if _, ok := errors.AsType[*fetch.UnavailableError](err); !ok {
		t.Fatalf("got error %v", err)
	}
	// Eight failures, what the other workers had under way then, and the probe.
	if n := calls.Load(); n > 8+3+1 || len(gaps) != 0 {
		t.Errorf("%d calls, %d gaps", n, len(gaps))
	}
}

// A range whose windows are all too wide is not tried half by half, everywhere.
func TestTooWideIsLearnedOnce(t *testing.T) {
	var failed atomic.Int64
	source := answer(func(w window.Window) (int, error) {
		if w.Length() > time.Hour {
			failed.Add(1)
			return 0, &fetch.WindowError{Window: w, Err: errors.New("350000")}
		}
		return 1500, nil // neither few nor many: the width stays
	})
	const workers = 4
	_, gaps, err := run(t.Context(), t, source, fetch.Config{Window: 32 * time.Hour, Concurrency: workers}, span(0, 20*86400))
	if err != nil || len(gaps) != 0 {
		t.Fatal(err, gaps)
	}
	if n := failed.Load(); n > 5*workers {
		t.Errorf("%d windows failed on the way from 32 hours to one", n)
	}
}

// What a short answer did hold is kept, but its second stays a gap.
func TestAShortSecondIsKeptAndIsAGap(t *testing.T) {
	source := answer(func(w window.Window) (int, error) {
		if w.Overlaps(span(3, 4)) {
			short := &journal.Page{Query: query, Window: w, Leads: 2, Short: true, Received: epoch, Body: []byte("short")}
			return 0, &fetch.WindowError{Window: w, Short: short, Err: errors.New("2 of 3 leads")}
		}
		return 1, nil
	})
	pages, gaps, err := run(t.Context(), t, source, fetch.Config{Window: time.Hour, Concurrency: 2}, span(0, 8))
	if err != nil {
		t.Fatal(err)
	}
	var short []window.Window
	for _, p := range pages {
		if p.Short {
			short = append(short, p.Window)
		}
	}
	if len(short) != 1 || short[0] != span(3, 4) || len(gaps) != 1 || gaps[0].Window != span(3, 4) || gaps[0].Reason != "2 of 3 leads" {
		t.Errorf("short pages %v, gaps %v", short, gaps)
	}
}

func TestACancelledRunReturnsTheContextsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int64
	source := answer(func(w window.Window) (int, error) {
		if calls.Add(1) == 5 {
			cancel()
		}
		return 1, nil
	})
	_, _, err := run(ctx, t, source, fetch.Config{Window: time.Second, Concurrency: 2}, span(0, 100000))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v", err)
	}
	if n := calls.Load(); n > 8 {
		t.Errorf("%d calls after the context ended", n)
	}
}

func TestConfigReportsEverything(t *testing.T) {
	var got []string
	c := fetch.Config{Window: time.Millisecond, Concurrency: 1000}
	c.Validate(func(key, problem string) { got = append(got, fmt.Sprint(key, ": ", problem)) })
	if len(got) != 2 {
		t.Errorf("got %q", got)
	}
	good := fetch.Config{Window: 24 * time.Hour, Concurrency: 4}
	good.Validate(func(key, problem string) { t.Errorf("%s: %s", key, problem) })
}
