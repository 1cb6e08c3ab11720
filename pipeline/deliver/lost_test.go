package deliver_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// lose damages the nth page (from 0) where it is on disk, and repairs the journal.
// If whole, nothing is known of the page any more, not even its window.
func (w *world) lose(n int, whole bool) {
	w.t.Helper()
	if err := w.journal.Close(); err != nil {
		w.t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(w.dir, "journal", "*.journal"))
	if err != nil || len(paths) != 1 {
		w.t.Fatalf("segments %v, %v", paths, err)
	}
	b, err := os.ReadFile(paths[0])
	if err != nil {
		w.t.Fatal(err)
	}
	at := bytes.Index(b, w.bodies[n])
	if at < 0 {
		w.t.Fatalf("page %d is not in the journal", n)
	}
	if whole {
		b[at-5] ^= 1 // its metadata end there
	} else {
		b[at+len(w.bodies[n])/2] ^= 1
	}
	if err := os.WriteFile(paths[0], b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	s, err := journal.OpenDamaged(w.t.Context(), w.dir, journal.SalvageOptions{Identity: seller, Lock: true})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(s.Lost) != 1 || (s.Lost[0].Lost.Page == nil) != whole {
		w.t.Fatalf("lost %+v", s.Lost)
	}
	// All repairs in one second.
	_, err = s.Write(nil, time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
	if err := errors.Join(err, s.Close()); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// What an answer that is lost had brought into a log, nobody knows: pages before it
// say nothing of the log any more, pages behind it do.
func TestALogAfterAnAnswerWasLost(t *testing.T) {
	// Each case: what pages said of the leads before, which of them (from 0) are
	// lost, and what the page that comes then brings.
	hour := func(from int, leads ...lead) landing { return landing{from, from + 60, leads} }
	a1, a2, b1, c1 := lead{"a", 5, 1}, lead{"a", 5, 2}, lead{"b", 65, 1}, lead{"c", -1, 1}
	for name, tc := range map[string]struct {
		before []landing
		lost   []int
		whole  bool
		then   landing
		want   []lead
	}{
		"nothing is lost": {[]landing{hour(0, a1)}, nil, false, hour(0, a1), nil},
		// The log may end with a's second version, so that the first has to be said.
		"the answer between":                       {[]landing{hour(0, a1), hour(0, a2)}, []int{1}, false, hour(0, a1), []lead{a1}},
		"the answer between, of unknown window":    {[]landing{hour(0, a1), hour(0, a2)}, []int{1}, true, hour(0, a1), []lead{a1}},
		"the only answer":                          {[]landing{hour(0, a1)}, []int{0}, false, hour(0, a1), []lead{a1}},
		"an answer for another time":               {[]landing{hour(0, a1), hour(60, b1)}, []int{1}, false, hour(0, a1), nil},
		"an answer for any time":                   {[]landing{hour(0, a1), hour(60, b1)}, []int{1}, true, hour(0, a1), []lead{a1}},
		"an answer before one that says it":        {[]landing{hour(0, a2), hour(0, a1)}, []int{0}, false, hour(0, a1), nil},
		"an answer with leads without a time":      {[]landing{hour(0, a1, c1), hour(60, b1, lead{"c", -1, 2})}, []int{1}, false, hour(0, a1, c1), []lead{a1, c1}},
		"an answer for another time, undated lead": {[]landing{hour(0, a1, c1), hour(60, b1)}, []int{1}, false, hour(0, a1, c1), nil},
		"two answers":                              {[]landing{hour(0, a1), hour(0, a2), hour(60, b1)}, []int{1, 2}, true, hour(60, b1), []lead{b1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			store := delivertest.NewStore(deliver.Append)
			for _, l := range tc.before {
				w.land(l.from, l.to, l.leads...)
				// Each alone: the log has the content of every page.
				if _, err := w.deliver(store, ""); err != nil {
					t.Fatal(err)
				}
			}
			for _, n := range tc.lost {
				w.lose(n, tc.whole)
			}
			if len(w.journal.Losses()) != len(tc.lost) {
				t.Fatalf("losses %+v", w.journal.Losses())
			}
			had := len(store.Rows(deliver.Whole))
			w.land(tc.then.from, tc.then.to, tc.then.leads...)
			if _, err := w.deliver(store, ""); err != nil {
				t.Fatal(err)
			}
			if got := leadsOf(t, store)[had:]; !slices.Equal(got, tc.want) {
				t.Errorf("delivered %v, want %v", got, tc.want)
			}
			// Once: what is said again is known then.
			had = len(store.Rows(deliver.Whole))
			w.land(tc.then.from, tc.then.to, tc.then.leads...)
			if _, err := w.deliver(store, ""); err != nil {
				t.Fatal(err)
			}
			if got := leadsOf(t, store)[had:]; len(got) > 0 {
				t.Errorf("delivered once more: %v", got)
			}
		})
	}
}

type landing struct {
	from, to int
	leads    []lead
}

func leadsOf(t *testing.T, store *delivertest.Store) []lead {
	t.Helper()
	var all []lead
	for _, r := range store.Rows(deliver.Whole) {
		all = append(all, leadOf(t, r))
	}
	return all
}
