package sinktest

import (
	"context"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// Run tries the sink that the harness describes against the contract of
// deliver.Sink. Each case has a destination of its own.
func Run(t *testing.T, h Harness) {
	cases := []testCase{
		{"Semantics", testSemantics},
		{"EmptyPosition", testEmptyPosition},
		{"CommitIsReadBack", testCommitIsReadBack},
		{"NothingBeforeCommit", testNothingBeforeCommit},
		{"Rollback", testRollback},
		{"RollbackAfterCommit", testRollbackAfterCommit},
		{"Crash", testCrash},
		{"RowsAreTheCallersAgain", testRowsAreTheCallersAgain},
		{"Order", testOrder},
		{"ManyRows", testManyRows},
		{"EveryValue", testEveryValue},
		{"CancelledContext", testCancelledContext},
		{"FailureAtEachStep", testFailureAtEachStep},
		{"FailureAndRollbackAtEachStep", testFailureAndRollback},
		{"CloseTwice", testCloseTwice},
		{"CloseRollsBack", testCloseRollsBack},
		{"OneTransactionAtATime", testOneTransaction},
		{"PermanentError", testPermanentError},
	}
	switch h.Semantics {
	case deliver.Replace:
		cases = append(cases, replaceCases...)
	case deliver.Append:
		cases = append(cases, appendCases...)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, h) })
	}
}

type testCase struct {
	name string
	run  func(t *testing.T, h Harness)
}

// write commits the rows in one transaction, handed over in pieces as the
// pipeline does.
func write(t *testing.T, s deliver.Sink, p deliver.Partition, rows []schema.Row, pos deliver.Position) deliver.Receipt {
	t.Helper()
	receipt, err := tryWrite(t.Context(), s, p, rows, pos, true)
	if err != nil {
		t.Fatalf("write %s: %v", p, err)
	}
	if receipt.Rows != len(rows) {
		t.Fatalf("receipt says %d rows, %d were written", receipt.Rows, len(rows))
	}
	return receipt
}

func tryWrite(ctx context.Context, s deliver.Sink, p deliver.Partition, rows []schema.Row, pos deliver.Position, rollback bool) (deliver.Receipt, error) {
	tx, err := s.Begin(ctx, p)
	if err != nil {
		return deliver.Receipt{}, err
	}
	if rollback {
		defer func() { _ = tx.Rollback() }()
	}
	if err := writeAll(ctx, tx, rows); err != nil {
		return deliver.Receipt{}, err
	}
	return tx.Commit(ctx, pos)
}

func writeAll(ctx context.Context, tx deliver.Transaction, rows []schema.Row) error {
	const piece = 512
	for len(rows) > 0 {
		n := min(piece, len(rows))
		if err := tx.Write(ctx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func begin(t *testing.T, s deliver.Sink, p deliver.Partition, rows []schema.Row) deliver.Transaction {
	t.Helper()
	tx, err := s.Begin(t.Context(), p)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	if err := writeAll(t.Context(), tx, rows); err != nil {
		t.Fatalf("write: %v", err)
	}
	return tx
}

// wantRows reads the partition and compares.
func (d Destination) wantRows(t *testing.T, p deliver.Partition, want []schema.Row) {
	t.Helper()
	Same(t, d.Read(t, p), d.asRead(want))
}

func (d Destination) asRead(rows []schema.Row) []schema.Row {
	read := make([]schema.Row, len(rows))
	for i := range rows {
		read[i] = rows[i]
		if d.AsRead != nil {
			d.AsRead(&read[i])
		}
	}
	return read
}

func wantPosition(t *testing.T, s deliver.Sink, p deliver.Partition, want deliver.Position) {
	t.Helper()
	got, err := s.Position(t.Context(), p)
	if err != nil {
		t.Fatalf("position of %s: %v", p, err)
	}
	if got != want {
		t.Fatalf("position of %s is %+v, want %+v", p, got, want)
	}
}

// personalMark begins every personal text of the rows that Marked returns.
const personalMark = "PERSONAL"

// wantDiscreet fails the test if an error says anything of the people in rows
// that Marked returned.
func wantDiscreet(t *testing.T, err error) {
	t.Helper()
	if strings.Contains(err.Error(), personalMark) {
		t.Fatal("the error shows the value of a personal column")
	}
}
