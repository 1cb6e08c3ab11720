package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// observed is a sink of which only its position is known.
type observed struct {
	semantics deliver.Semantics
	at        deliver.Position
	err       error
}

func (o observed) Semantics() deliver.Semantics { return o.semantics }

func (o observed) Position(context.Context, deliver.Partition) (deliver.Position, error) {
	return o.at, o.err
}

func TestWhatASinkStillNeeds(t *testing.T) {
	w := newWorld(t)
	for range 9 {
		w.land(0, 10)
	}
	id, down := w.journal.ID(), errors.New("down")
	for name, c := range map[string]struct {
		sink observed
		want deliver.Need
	}{
		"a table needs nothing":               {observed{semantics: deliver.Replace, err: down}, deliver.Need{From: 9}},
		"one that is down needs all":          {observed{err: down}, deliver.Need{}},
		"one that is empty needs all":         {observed{}, deliver.Need{}},
		"one of another journal needs all":    {observed{at: deliver.Position{Journal: "other", Next: 8}}, deliver.Need{Foreign: true}},
		"events are needed once":              {observed{at: deliver.Position{Journal: id, Next: 7}}, deliver.Need{From: 7}},
		"a stretch is needed to its end":      {observed{at: deliver.Position{Journal: id, Next: 7, Base: 4, Through: 9}}, deliver.Need{From: 4}},
		"a stretch that is over is not":       {observed{at: deliver.Position{Journal: id, Next: 9, Base: 4, Through: 9}}, deliver.Need{From: 9}},
		"one in a snapshot needs what it has": {observed{at: deliver.Position{Journal: id, Next: 7, Snapshot: "8:x"}}, deliver.Need{}},
	} {
		got, err := deliver.NeedOf(t.Context(), c.sink, w.journal)
		if got != c.want || c.sink.semantics == deliver.Append && !errors.Is(err, c.sink.err) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A log that is new gets what the pruned pages came to in transactions that are not
// all too large, with positions that rise, and goes on wherever it was broken off.
func TestASnapshotIsResumed(t *testing.T) {
	dir := t.TempDir()
	identity := journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}
	open := func() *journal.Journal {
		j, err := journal.Open(dir, journal.Options{Identity: identity, SegmentBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	w := &world{t: t, journal: open(), dead: filepath.Join(dir, "dead"), limit: 1}
	defer func() { w.journal.Close() }()
	var want []string
	for page := range 6 {
		var leads []lead
		for i := range 700 {
			leads = append(leads, lead{Buyer: fmt.Sprint("b", page, "-", i), Minute: page*10 + i%10})
			want = append(want, leads[i].Buyer)
		}
		w.land(page*10, page*10+10, leads...)
	}
	w.land(0, 60) // begins the last segment
	store, err := base.Open(w.journal, flatten.Flattener{Account: identity.Account, Marketplace: identity.Marketplace}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Prune(t.Context(), 6, nil); err != nil {
		t.Fatal(err)
	}

	topic := delivertest.NewStore(deliver.Append)
	var commits, attempts int
	topic.Fault = func(s delivertest.Step) error {
		if s == delivertest.StepCommitted {
			if commits++; commits%2 == 1 { // done, and nobody knows
				return errors.New("a fault")
			}
		}
		if s == delivertest.StepOpen {
			attempts++
		}
		return nil
	}
	landed := make(chan struct{})
	close(landed)
	logger := slog.New(slog.DiscardHandler)
	reader := deliver.NewReader(w.journal, flatten.Flattener{Account: identity.Account, Marketplace: identity.Marketplace}, deliver.NewDeadLetters(w.dead), logger)
	err = deliver.New(deliver.Opener{Name: "memory", Open: topic.Open}, deliver.Options{
		Journal: w.journal, Reader: reader, Base: store, Landed: landed, Logger: logger, TransactionRows: 1, Attempts: 50, Backoff: time.Microsecond,
	}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range topic.Rows(deliver.Whole) {
		got = append(got, leadOf(t, r).Buyer)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d rows of %d leads", len(got), len(want))
	}
	if commits < 4 || attempts < 3 {
		t.Errorf("%d commits in %d attempts", commits, attempts)
	}
}
