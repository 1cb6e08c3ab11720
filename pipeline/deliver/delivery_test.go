package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

func TestATableHoldsTheLatestVersionOfEveryLeadEverLanded(t *testing.T) {
	w := newWorld(t)
	store := delivertest.NewStore(deliver.Replace)
	w.land(0, 60, lead{"a", 5, 1}, lead{"b", 6, 1})
	w.land(60, 240, lead{"c", 100, 1}, lead{"d", 200, 1}) // over midnight: at 22:00 + 120 minutes
	if _, err := w.deliver(store, ""); err != nil {
		t.Fatal(err)
	}
	w.land(0, 240, lead{"a", 5, 1}, lead{"b", 6, 2}, lead{"d", 200, 1}, lead{"e", 201, 1}) // c's listing has ended
	if _, err := w.deliver(store, ""); err != nil {
		t.Fatal(err)
	}
	got := table(t, store)
	for buyer, want := range map[string]struct{ content, page int }{
		"a": {1, 0}, "b": {2, 2}, "c": {1, 1}, "d": {1, 1}, "e": {1, 2},
	} {
		row := got[buyer]
		if c := leadOf(t, row).Content; c != want.content || !row.ExtractedAt.Equal(received(want.page)) {
			t.Errorf("%s: content %d extracted at %s, want %d from page %d", buyer, c, row.ExtractedAt, want.content, want.page)
		}
	}
	if len(got) != 5 {
		t.Errorf("%d leads", len(got))
	}
}

func TestADayIsWrittenOnlyIfSomethingWasLandedForIt(t *testing.T) {
	w := newWorld(t)
	store := delivertest.NewStore(deliver.Replace)
	w.land(0, 120, lead{"a", 5, 1})
	w.land(120, 240, lead{"b", 130, 1})
	if r, err := w.deliver(store, ""); err != nil || r.Commits != 2 {
		t.Fatalf("report %+v, error %v", r, err)
	}
	if r, err := w.deliver(store, ""); err != nil || r.Commits != 0 {
		t.Fatalf("nothing new: report %+v, error %v", r, err)
	}
	w.land(120, 240, lead{"b", 130, 2})
	if r, err := w.deliver(store, ""); err != nil || r.Commits != 1 {
		t.Fatalf("one day is new: report %+v, error %v", r, err)
	}
}

func TestADayOfTheRunningBatchWaitsUntilItIsComplete(t *testing.T) {
	w := newWorld(t)
	store := delivertest.NewStore(deliver.Replace)
	w.append(journal.Record{Begin: &journal.Begin{
		ID: "b", Spec: "s", Range: window.New(at(0), at(120)), Queries: []journal.Query{{Messages: true}},
	}})
	w.land(0, 60, lead{"a", 5, 1})
	if _, err := w.deliver(store, "b"); err != nil {
		t.Fatal(err)
	}
	if got := table(t, store); len(got) != 0 {
		t.Fatalf("half a day is visible: %v", got)
	}
	w.land(60, 120, lead{"b", 61, 1})
	if _, err := w.deliver(store, "b"); err != nil {
		t.Fatal(err)
	}
	if got := table(t, store); len(got) != 2 {
		t.Fatalf("the day is complete, %d leads are visible", len(got))
	}
}

func TestALogGetsWhatItDoesNotHaveYet(t *testing.T) {
	w := newWorld(t)
	store := delivertest.NewStore(deliver.Append)
	check := func(want ...lead) {
		t.Helper()
		before := len(store.Rows(deliver.Whole))
		if _, err := w.deliver(store, ""); err != nil {
			t.Fatal(err)
		}
		var got []lead
		for _, r := range store.Rows(deliver.Whole)[before:] {
			got = append(got, leadOf(t, r))
		}
		if !slices.Equal(got, want) {
			t.Errorf("delivered %v, want %v", got, want)
		}
	}
	w.land(0, 60, lead{"a", 5, 1}, lead{"b", 6, 1})
	check(lead{"a", 5, 1}, lead{"b", 6, 1})
	w.land(0, 30, lead{"a", 5, 1}, lead{"b", 6, 2}) // a is known
	check(lead{"b", 6, 2})
	w.land(0, 60, lead{"b", 6, 3}, lead{"c", 7, 1})
	w.land(0, 60, lead{"b", 6, 4}, lead{"c", 7, 1}) // b's third version is out of date already
	check(lead{"c", 7, 1}, lead{"b", 6, 4})
	w.land(0, 60, lead{"b", 6, 2}) // back to what it once was: the log must say so
	check(lead{"b", 6, 2})
	check()
	if lag, err := deliver.LagOf(t.Context(), open(t, store), w.journal, &base.Past{}); err != nil || lag.Pages != 0 {
		t.Errorf("lag %+v, error %v", lag, err)
	}
}

func open(t testing.TB, store *delivertest.Store) deliver.Sink {
	t.Helper()
	s, err := store.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUndatedLeadsHaveAPartitionOfTheirOwn(t *testing.T) {
	w := newWorld(t)
	files, topic := delivertest.NewStore(deliver.Replace), delivertest.NewStore(deliver.Append)
	for range 2 { // both windows show it, and so does the repetition
		w.land(0, 60, lead{"a", 5, 1}, lead{"x", -1, 1})
		w.land(60, 120, lead{"x", -1, 1})
		for _, store := range []*delivertest.Store{files, topic} {
			if _, err := w.deliver(store, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := table(t, files); len(got) != 2 || len(files.Rows(deliver.Partition{})) != 1 {
		t.Errorf("files hold %d leads", len(got))
	}
	if got := topic.Rows(deliver.Whole); len(got) != 2 {
		t.Errorf("the topic holds %d events", len(got))
	}
}

// A lead that the API shows for another time than its own is lost by nobody.
func TestALeadOfAnotherTimeIsExported(t *testing.T) {
	w := newWorld(t)
	files, topic := delivertest.NewStore(deliver.Replace), delivertest.NewStore(deliver.Append)
	w.undated = 1
	w.land(0, 60, lead{"a", 5, 1}, lead{"stray", 500, 1})
	w.undated = 0
	w.land(60, 120, lead{"b", 70, 1})
	for _, store := range []*delivertest.Store{files, topic} {
		if _, err := w.deliver(store, ""); err != nil {
			t.Fatal(err)
		}
	}
	if got := files.Rows(deliver.Partition{}); len(got) != 1 || leadOf(t, got[0]).Buyer != "stray" {
		t.Errorf("the files hold %d rows beside the days", len(got))
	}
	if got := topic.Rows(deliver.Whole); len(got) != 3 {
		t.Errorf("the topic holds %d events", len(got))
	}
}

// Whatever is landed in whatever windows, whenever deliveries run and wherever
// they fail, and however ambiguous their commits are: the table holds the latest
// version of every lead once, and the log, replayed, ends in the same state
// without an event that changes nothing.
func TestDeliveryUnderFaults(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(outer)
		w.limit = rapid.IntRange(1, 20).Draw(t, "rows of a transaction")
		files, topic := delivertest.NewStore(deliver.Replace), delivertest.NewStore(deliver.Append)
		chance := rapid.SampledFrom([]int{0, 3, 8, 20}).Draw(t, "one step in n fails")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed of faults"), 0))
		fault := func(delivertest.Step) error {
			if chance > 0 && random.IntN(chance) == 0 {
				return errors.New("a fault")
			}
			return nil
		}
		files.Fault, topic.Fault = fault, fault
		const minutes, buyers = 300, 12
		latest := make(map[string]lead) // as landed
		for range rapid.IntRange(1, 12).Draw(t, "pages") {
			from := rapid.IntRange(0, minutes-1).Draw(t, "from")
			to := rapid.IntRange(from+1, minutes).Draw(t, "to")
			var shown []lead
			for i := range buyers {
				l := lead{Buyer: fmt.Sprint("buyer", i), Minute: i * 25}
				if l.Minute < from || l.Minute >= to || rapid.IntRange(0, 3).Draw(t, "ended") == 0 {
					continue
				}
				l.Content = rapid.IntRange(1, 3).Draw(t, "content")
				shown = append(shown, l)
				latest[l.Buyer] = l
			}
			w.land(from, to, shown...)
			for _, store := range []*delivertest.Store{files, topic} {
				if rapid.Bool().Draw(t, "deliver") {
					_, _ = w.deliver(store, "") // may be given up: the next one goes on
				}
			}
		}
		files.Fault, topic.Fault = nil, nil
		for _, store := range []*delivertest.Store{files, topic} {
			if _, err := w.deliver(store, ""); err != nil {
				t.Fatal(err)
			}
		}
		got := table(outer, files)
		if len(got) != len(latest) {
			t.Fatalf("the table holds %d leads, want %d", len(got), len(latest))
		}
		for buyer, want := range latest {
			if l := leadOf(outer, got[buyer]); l != want {
				t.Fatalf("the table holds %v, want %v", l, want)
			}
		}
		state := make(map[string]lead)
		for _, r := range topic.Rows(deliver.Whole) {
			l := leadOf(outer, r)
			if state[l.Buyer] == l {
				t.Fatalf("the log says twice in a row that %v", l)
			}
			state[l.Buyer] = l
		}
		for buyer, want := range latest {
			if state[buyer] != want {
				t.Fatalf("the log ends with %v, want %v", state[buyer], want)
			}
		}
	})
}

func TestASinkIsGivenUpAloneAndCatchesUpLater(t *testing.T) {
	w := newWorld(t)
	store := delivertest.NewStore(deliver.Append)
	broken := errors.New("no broker answers")
	store.Fault = func(s delivertest.Step) error {
		if s == delivertest.StepOpen {
			return broken
		}
		return nil
	}
	w.land(0, 60, lead{"a", 5, 1})
	_, err := w.deliver(store, "")
	if sinkErr, ok := errors.AsType[*deliver.SinkError](err); !ok || sinkErr.Sink != "memory" || !errors.Is(err, broken) {
		t.Fatalf("got error %v", err)
	}
	store.Fault = nil
	if r, err := w.deliver(store, ""); err != nil || r.Rows != 1 {
		t.Fatalf("report %+v, error %v", r, err)
	}
}

func TestAPermanentFailureIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	store := delivertest.NewStore(deliver.Append)
	tries := 0
	store.Fault = func(s delivertest.Step) error {
		if s == delivertest.StepCommit {
			tries++
			return &deliver.PermanentError{Err: errors.New("not authorized")}
		}
		return nil
	}
	w.land(0, 60, lead{"a", 5, 1})
	if _, err := w.deliver(store, ""); err == nil || tries != 1 {
		t.Fatalf("error %v after %d tries", err, tries)
	}
}

// A sink that is open while pages come in gets them as they come.
func TestDeliveryFollowsTheJournal(t *testing.T) {
	w := newWorld(t)
	store := delivertest.NewStore(deliver.Append)
	landed := make(chan struct{})
	d := w.delivery(store, "", landed)
	done := make(chan error, 1)
	go func() { done <- d.Run(context.Background()) }()
	for i := range 5 {
		w.land(i, i+1, lead{fmt.Sprint("buyer", i), i, 1})
		for len(store.Rows(deliver.Whole)) != i+1 { // returns when it is there: a hang fails the test binary
			time.Sleep(time.Millisecond)
		}
	}
	close(landed)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := d.Report(); got.Rows != 5 {
		t.Errorf("report %+v", got)
	}
}

func TestDeliveryEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	d := w.delivery(delivertest.NewStore(deliver.Append), "", make(chan struct{}))
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v", err)
	}
}

// However a page is cut, and however many read it, each misfit is counted once.
func TestMisfitsAreCountedOnce(t *testing.T) {
	w := newWorld(t)
	body := []byte(`{"classifiedLeads":[{"itemId":"1","responses":[
		{"submittedTime":"2026-09-01T22:05:00Z","externalEmail":1},
		{"submittedTime":"2026-09-02T01:00:00Z","externalEmail":2,"leadStatus":3},
		{"externalEmail":4}]}],"totalItems":1,"totalLeads":3}`)
	w.landBody(0, 240, 3, body)
	reader := deliver.NewReader(w.journal, flatten.Flattener{}, deliver.NewDeadLetters(w.dead), slog.New(slog.DiscardHandler))
	for range 2 {
		for _, part := range []window.Window{{}, window.New(at(0), at(60)), window.New(at(60), at(240)), window.New(at(0), at(240))} {
			if _, err := reader.Page(0, part); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := reader.Tally(); got.Unfit != 4 || got.Pages != 1 || got.Leads != 3 {
		t.Errorf("tally %+v", got)
	}
}
