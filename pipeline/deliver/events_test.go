package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/schema"
)

// changes are events written down by hand.
type changes struct {
	mu       sync.Mutex
	position journal.Seq
	events   []known.Event
	changed  chan struct{}
}

func newChanges() *changes { return &changes{changed: make(chan struct{})} }

func (c *changes) Position() journal.Seq {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.position
}

func (c *changes) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *changes) Events(_ context.Context, from, to journal.Seq) iter.Seq2[known.Event, error] {
	c.mu.Lock()
	defer c.mu.Unlock()
	events := slices.Clone(c.events)
	return func(yield func(known.Event, error) bool) {
		for _, e := range events {
			if e.Seq >= from && e.Seq < to && !yield(e, nil) {
				return
			}
		}
	}
}

func (c *changes) add(to journal.Seq, events ...known.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, events...)
	c.position = to
	close(c.changed)
	c.changed = make(chan struct{})
}

// created returns an event for each lead of a landed page.
func (w *world) created(seq journal.Seq) []known.Event {
	w.t.Helper()
	page, err := w.journal.Page(seq)
	if err != nil {
		w.t.Fatal(err)
	}
	result, err := flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}.Page(page, page.Window)
	if err != nil {
		w.t.Fatal(err)
	}
	var events []known.Event
	for _, r := range slices.Concat(result.Rows, result.Undated) {
		id := uuid.MustParse(r.LeadID)
		events = append(events, known.Event{
			Seq: seq, Type: schema.Created, Lead: id, Version: 1, Page: seq, Row: id, Submitted: r.SubmittedTime,
		})
	}
	return events
}

func (w *world) eventDelivery(open deliver.Opener, c *changes, landed <-chan struct{}) *deliver.Delivery {
	logger := slog.New(slog.DiscardHandler)
	reader := deliver.NewReader(w.journal, flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}, deliver.NewDeadLetters(w.dead), logger)
	return deliver.New(open, deliver.Options{
		Journal: w.journal, Reader: reader, Changes: c, Landed: landed,
		Logger: logger, TransactionRows: w.limit, Attempts: 5, Backoff: time.Microsecond,
	})
}

func eventsOf(store *delivertest.Store, t testing.TB) []string {
	var events []string
	for _, r := range store.Rows(deliver.Whole) {
		events = append(events, fmt.Sprint(r.EventType, " ", leadOf(t, r).Buyer, " V", leadOf(t, r).Content, " ", r.LeadVersion.Value))
	}
	return events
}

func TestEventsBecomeRows(t *testing.T) {
	w := newWorld(t)
	w.land(0, 10, lead{"ann", 1, 1}, lead{"bob", 2, 1}, lead{"eve", -1, 1})
	w.land(0, 10, lead{"ann", 1, 2})
	w.land(0, 10, lead{"ann", 1, 2}, lead{"bob", 2, 1})
	c := newChanges()
	first := w.created(0)
	bob := first[1]
	gone := bob
	gone.Seq, gone.Type, gone.Version = 1, schema.Vanished, 2
	changed := w.created(1)[0]
	changed.Type, changed.Lead, changed.Version, changed.Changed = schema.Updated, first[0].Lead, 2, []string{"lead_status"}
	back := w.created(2)[1]
	back.Type, back.Version = schema.Updated, 3
	c.add(3, slices.Concat(first, []known.Event{changed, gone, back})...)

	landed := make(chan struct{})
	close(landed)
	store := delivertest.NewStore(deliver.Append)
	if err := w.eventDelivery(deliver.Opener{Name: "memory", Open: store.Open}, c, landed).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"created ann V1 1", "created bob V1 1", "created eve V1 1",
		"updated ann V2 2", "vanished bob V1 2", "updated bob V1 3",
	}
	if got := eventsOf(store, t); !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	rows := store.Rows(deliver.Whole)
	if r := rows[3]; r.LeadID != rows[0].LeadID || !slices.Equal(r.ChangedFields.Value, []string{"lead_status"}) || !r.ExtractedAt.Equal(received(1)) {
		t.Errorf("updated row: %+v", r)
	}
	// A vanished lead has its last content, and the time when it was missed.
	if r := rows[4]; !r.ExtractedAt.Equal(received(1)) || r.ContentHash != rows[1].ContentHash || r.ChangedFields.Valid {
		t.Errorf("vanished row: %+v", r)
	}
	if r := rows[5]; !r.ChangedFields.Valid || len(r.ChangedFields.Value) != 0 {
		t.Errorf("a lead that came back as it was: %+v", r.ChangedFields)
	}
	ids := make(map[string]bool)
	for _, r := range rows {
		if want := schema.EventID(&r); r.EventID != want || ids[want] {
			t.Errorf("event id %s", r.EventID)
		}
		ids[r.EventID] = true
	}
}

// Wherever a sink fails, what it holds in the end is each event once, in order.
func TestEventsComeOnceThroughFaults(t *testing.T) {
	for failing := 1; failing < 40; failing++ {
		w := newWorld(t)
		w.limit = 2
		c := newChanges()
		var want []string
		for page := range 6 {
			var leads []lead
			for n := range page {
				leads = append(leads, lead{fmt.Sprint("p", page, "n", n), n, 1})
				want = append(want, fmt.Sprint("created p", page, "n", n, " V1 1"))
			}
			w.land(0, 10, leads...)
			c.add(journal.Seq(page+1), w.created(journal.Seq(page))...)
		}
		store := delivertest.NewStore(deliver.Append)
		steps := 0
		store.Fault = func(delivertest.Step) error {
			if steps++; steps%failing == 0 && steps < 4*failing {
				return errors.New("a fault")
			}
			return nil
		}
		landed := make(chan struct{})
		close(landed)
		d := w.eventDelivery(deliver.Opener{Name: "memory", Open: store.Open}, c, landed)
		if err := d.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := eventsOf(store, t); !slices.Equal(got, want) {
			t.Fatalf("every step %d failing: got %q, want %q", failing, got, want)
		}
	}
}

// lingering keeps the transactions of a store open for a minute.
type lingering struct{ deliver.Sink }

func (l lingering) Begin(ctx context.Context, p deliver.Partition) (deliver.Transaction, error) {
	tx, err := l.Sink.Begin(ctx, p)
	return &lingeringTx{tx, time.Now()}, err
}

type lingeringTx struct {
	deliver.Transaction
	begun time.Time
}

func (l *lingeringTx) Linger() time.Duration { return time.Minute - time.Since(l.begun) }

func TestATransactionThatLingersIsCommittedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := newChanges()
		store := delivertest.NewStore(deliver.Append)
		landed := make(chan struct{})
		d := w.eventDelivery(deliver.Opener{Name: "memory", Open: func(ctx context.Context) (deliver.Sink, error) {
			sink, err := store.Open(ctx)
			return lingering{sink}, err
		}}, c, landed)
		ended := make(chan error)
		go func() { ended <- d.Run(t.Context()) }()

		for page := range 4 { // after 0, 20, 40 and 60 seconds
			w.land(0, 10, lead{fmt.Sprint("buyer", page), 1, 1})
			c.add(journal.Seq(page+1), w.created(journal.Seq(page))...)
			synctest.Wait()
			if n := len(store.Rows(deliver.Whole)); n != 0 && page < 3 {
				t.Errorf("%d rows after page %d", n, page)
			}
			time.Sleep(20 * time.Second)
		}
		synctest.Wait()
		if n := len(store.Rows(deliver.Whole)); n < 3 {
			t.Errorf("%d rows are visible after a minute", n)
		}
		close(landed)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if n := len(store.Rows(deliver.Whole)); n != 4 {
			t.Errorf("%d rows in the end", n)
		}
	})
}

// Pages without events move the position, for the lag goes by it.
func TestPagesWithoutEventsAreNotBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := newChanges()
		store := delivertest.NewStore(deliver.Append)
		landed := make(chan struct{})
		d := w.eventDelivery(deliver.Opener{Name: "memory", Open: store.Open}, c, landed)
		ended := make(chan error)
		go func() { ended <- d.Run(t.Context()) }()
		w.land(0, 10)
		c.add(1)
		synctest.Wait()
		sink, err := store.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lag, err := deliver.LagOf(t.Context(), sink, w.journal, &base.Past{})
		if err != nil || lag.Pages != 0 {
			t.Errorf("lag %+v, %v", lag, err)
		}
		close(landed)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}
