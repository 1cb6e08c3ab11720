package deliver_test

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/schema"
)

// What a report says is behind, is what the outputs do not hold: for a table by
// its days, for a log by its position.
func TestReportTellsWhatIsBehind(t *testing.T) {
	for name, semantics := range map[string]deliver.Semantics{"table": deliver.Replace, "log": deliver.Append} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			store := delivertest.NewStore(semantics)
			w.land(0, 60, lead{"a", 5, 1}, lead{"x", -1, 1})
			w.land(60, 120, lead{"b", 70, 1})
			landed := make(chan struct{})
			close(landed)
			d := w.delivery(store, "", landed)
			if got := d.Report().Behind; got.Pages != 2 || !got.Oldest.Equal(received(0)) {
				t.Errorf("before: %+v", got)
			}
			if err := d.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := d.Report(); got.Behind != (deliver.Behind{}) || got.Events[schema.Snapshot] != 3 || got.Committed.IsZero() {
				t.Errorf("after: %+v", got)
			}
			w.land(0, 60, lead{"a", 5, 2})
			if got := d.Report().Behind; got.Pages != 1 || !got.Oldest.Equal(received(2)) {
				t.Errorf("with another page: %+v", got)
			}
			// Another delivery learns it from the destination.
			again := w.delivery(store, "", landed)
			if err := again.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := again.Report().Behind; got.Pages != 0 {
				t.Errorf("with another delivery: %+v", got)
			}
		})
	}
}

// Events are counted when they are committed: what was rolled back, or failed, is
// not.
func TestReportCountsCommittedEvents(t *testing.T) {
	w := newWorld(t)
	c := newChanges()
	w.land(0, 10, lead{"ann", 1, 1}, lead{"bob", 2, 1})
	events := w.created(0)
	gone := events[1]
	gone.Type, gone.Version = schema.Vanished, 2
	c.add(1, append(events, gone)...)
	store := delivertest.NewStore(deliver.Append)
	commits := 0
	store.Fault = func(s delivertest.Step) error {
		if s == delivertest.StepCommit {
			if commits++; commits < 3 {
				return errors.New("a fault")
			}
		}
		return nil
	}
	landed := make(chan struct{})
	close(landed)
	d := w.eventDelivery(deliver.Opener{Name: "memory", Open: store.Open}, c, landed)
	if err := d.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[schema.EventType]int{schema.Created: 2, schema.Vanished: 1}
	if got := d.Report(); !maps.Equal(got.Events, want) || got.Retries != 2 || got.Failing != nil {
		t.Errorf("report %+v", got)
	}
}

// A sink fails from its first failure until something goes well.
func TestReportTellsSinceWhenASinkFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		store := delivertest.NewStore(deliver.Append)
		broken := errors.New("no broker answers")
		var fails atomic.Bool
		store.Fault = func(s delivertest.Step) error {
			if fails.Load() && s == delivertest.StepCommit {
				return broken
			}
			return nil
		}
		fails.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		d := w.delivery(store, "", make(chan struct{}))
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		w.land(0, 60, lead{"a", 5, 1})
		begun := time.Now()
		synctest.Wait()
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := d.Report(); !errors.Is(got.Failing, broken) || got.Since.Sub(begun) > time.Minute || got.Retries < 2 {
			t.Errorf("report %+v", got)
		}
		fails.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := d.Report(); got.Failing != nil || !got.Since.IsZero() || got.Rows != 1 {
			t.Errorf("report %+v", got)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// A sink that was written for another journal holds nothing of ours.
func TestReportOfAnotherJournal(t *testing.T) {
	old, w := newWorld(t), newWorld(t)
	store := delivertest.NewStore(deliver.Append)
	for range 3 {
		old.land(0, 60, lead{"a", 5, 1})
	}
	if _, err := old.deliver(store, ""); err != nil {
		t.Fatal(err)
	}
	w.land(0, 60, lead{"a", 5, 1})
	store.Fault = func(s delivertest.Step) error {
		if s == delivertest.StepBegin {
			return &deliver.PermanentError{Err: errors.New("not authorized")}
		}
		return nil
	}
	report, err := w.deliver(store, "")
	if err == nil || report.Behind.Pages != 1 || report.Failing == nil {
		t.Errorf("report %+v, error %v", report, err)
	}
}
