package sinktest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// The cases of both semantics.

func testSemantics(t *testing.T, h Harness) {
	s := h.New(t).open(t, journalID)
	if got := s.Semantics(); got != h.Semantics {
		t.Errorf("semantics %d, want %d", got, h.Semantics)
	}
	if s.Name() == "" {
		t.Error("the sink has no name")
	}
}

func testEmptyPosition(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	wantPosition(t, d.open(t, journalID), p, deliver.Position{})
	d.wantRows(t, p, nil)
}

func testCommitIsReadBack(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	rows := Leads(Day, 0, 100)
	receipt := write(t, d.open(t, journalID), p, rows, at(journalID, 17))
	if receipt.Unchanged || receipt.Bytes <= 0 {
		t.Errorf("receipt of new rows: %+v", receipt)
	}
	wantPosition(t, d.open(t, journalID), p, at(journalID, 17))
	d.wantRows(t, p, rows)
}

func testNothingBeforeCommit(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	s := d.open(t, journalID)
	rows := Leads(Day, 0, 3000)
	tx := begin(t, s, p, rows)
	d.wantRows(t, p, nil)
	if _, err := tx.Commit(t.Context(), at(journalID, 1)); err != nil {
		t.Fatal(err)
	}
	d.wantRows(t, p, rows)
}

func testRollback(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	s := d.open(t, journalID)
	rows := Leads(Day, 0, 10)
	write(t, s, p, rows, at(journalID, 1))

	tx := begin(t, s, p, Leads(Day, 10, 2000))
	if err := tx.Rollback(); err != nil {
		t.Fatalf("rollback: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatalf("second rollback: %v", err)
	}
	d.wantRows(t, p, rows)
	wantPosition(t, s, p, at(journalID, 1))
	wantPosition(t, d.open(t, journalID), p, at(journalID, 1))
}

func testRollbackAfterCommit(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	rows := Leads(Day, 0, 10)
	tx := begin(t, d.open(t, journalID), p, rows)
	if _, err := tx.Commit(t.Context(), at(journalID, 1)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatalf("rollback after commit: %v", err)
	}
	d.wantRows(t, p, rows)
	wantPosition(t, d.open(t, journalID), p, at(journalID, 1))
}

func testCrash(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	rows := Leads(Day, 0, 10)
	dead := d.open(t, journalID)
	write(t, dead, p, rows, at(journalID, 1))
	begin(t, dead, p, Leads(Day, 10, 3000))

	s := d.open(t, journalID)
	wantPosition(t, s, p, at(journalID, 1))
	d.wantRows(t, p, rows)

	// Life goes on after it.
	more := Leads(Day, 20, 5)
	write(t, s, p, more, at(journalID, 2))
	if h.Semantics == deliver.Append {
		more = append(rows, more...)
	}
	d.wantRows(t, p, more)
	wantPosition(t, d.open(t, journalID), p, at(journalID, 2))
}

func testRowsAreTheCallersAgain(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	rows := Leads(Day, 0, 200)
	tx, err := d.open(t, journalID).Begin(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		one := []schema.Row{rows[i]}
		one[0].Messages.Value = slices.Clone(rows[i].Messages.Value)
		if err := tx.Write(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		clear(one[0].Messages.Value)
		one[0] = schema.Row{LeadID: "overwritten"}
	}
	if _, err := tx.Commit(t.Context(), at(journalID, 1)); err != nil {
		t.Fatal(err)
	}
	d.wantRows(t, p, rows)
}

func testOrder(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	s := d.open(t, journalID)
	rows := Leads(Day, 0, 1500)
	tx, err := s.Begin(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; len(rows) > 0; n++ { // pieces of every size
		piece := rows[:min(n, len(rows))]
		if err := tx.Write(t.Context(), piece); err != nil {
			t.Fatal(err)
		}
		rows = rows[len(piece):]
	}
	if _, err := tx.Commit(t.Context(), at(journalID, 1)); err != nil {
		t.Fatal(err)
	}
	d.wantRows(t, p, Leads(Day, 0, 1500))
}

func testManyRows(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	rows := Leads(Day, 0, 10_000)
	write(t, d.open(t, journalID), p, rows, at(journalID, 1))
	d.wantRows(t, p, rows)
}

func testEveryValue(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	seed := rand.IntN(1 << 30)
	t.Logf("seed %d", seed)
	rows := make([]schema.Row, 400)
	for i := range rows {
		rows[i] = RandomRow(Day, true).Example(seed + i)
	}
	Sort(rows)
	write(t, d.open(t, journalID), p, rows, at(journalID, 1<<62))
	d.wantRows(t, p, rows)
	wantPosition(t, d.open(t, journalID), p, at(journalID, 1<<62))
}

func testCancelledContext(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	s := d.open(t, journalID)
	tx := begin(t, s, p, Leads(Day, 0, 10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tx.Write(ctx, Leads(Day, 10, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("write with a cancelled context: %v", err)
	}
	if _, err := tx.Commit(ctx, at(journalID, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit with a cancelled context: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Errorf("rollback: %v", err)
	}
	wantPosition(t, d.open(t, journalID), p, deliver.Position{})
	d.wantRows(t, p, nil)
}

func testCloseTwice(t *testing.T, h Harness) {
	s, err := h.New(t).Open(t, binding(journalID))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
}

func testCloseRollsBack(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	s := d.open(t, journalID)
	begin(t, s, p, Leads(Day, 0, 100))
	if err := s.Close(); err != nil {
		t.Fatalf("close with an open transaction: %v", err)
	}
	wantPosition(t, d.open(t, journalID), p, deliver.Position{})
	d.wantRows(t, p, nil)
}

func testOneTransaction(t *testing.T, h Harness) {
	d := h.New(t)
	p := PartitionOf(h.Semantics, Day)
	s := d.open(t, journalID)
	rows := Leads(Day, 0, 10)
	tx := begin(t, s, p, rows)
	if _, err := s.Begin(t.Context(), p); err == nil {
		t.Error("a second transaction was begun beside the first")
	}
	if _, err := tx.Commit(t.Context(), at(journalID, 1)); err != nil {
		t.Fatalf("commit: %v", err)
	}
	if err := tx.Write(t.Context(), rows); err == nil {
		t.Error("write after commit was taken")
	}
	if _, err := tx.Commit(t.Context(), at(journalID, 2)); err == nil {
		t.Error("a second commit was taken")
	}
	d.wantRows(t, p, rows)
	wantPosition(t, s, p, at(journalID, 1))
}

func testPermanentError(t *testing.T, h Harness) {
	d := h.New(t)
	if d.Break == nil {
		return
	}
	p := PartitionOf(h.Semantics, Day)
	d.Break(t)
	rows := Marked(Leads(Day, 0, 10), "", personalMark)
	s, err := d.Open(t, binding(journalID))
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
		_, err = tryWrite(t.Context(), s, p, rows, at(journalID, 1), true)
	}
	if err == nil {
		t.Fatal("the destination is broken, and the sink did not notice")
	}
	if _, ok := errors.AsType[*deliver.PermanentError](err); !ok {
		t.Errorf("not a *deliver.PermanentError: %v", err)
	}
	wantDiscreet(t, err)
}
