package sinktest

import (
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

var replaceCases = []testCase{
	{"Replaced", testReplaced},
	{"SameRowsAgain", testSameRowsAgain},
	{"EmptyReplace", testEmptyReplace},
	{"EmptyReplaceOfNothing", testEmptyReplaceOfNothing},
	{"PartitionsAreIndependent", testPartitions},
	{"SeveralAtOnce", testSeveralAtOnce},
	{"Undated", testUndated},
	{"OtherJournal", testOtherJournal},
	{"OtherJournalWithoutRows", testOtherJournalWithoutRows},
}

func date(d string) deliver.Partition { return deliver.Partition{Date: d} }

func testReplaced(t *testing.T, h Harness) {
	d := h.New(t)
	s := d.open(t, journalID)
	write(t, s, date(Day), Leads(Day, 0, 50), at(journalID, 1))
	rows := Leads(Day, 40, 30)
	write(t, s, date(Day), rows, at(journalID, 2))
	d.wantRows(t, date(Day), rows)
	wantPosition(t, d.open(t, journalID), date(Day), at(journalID, 2))
}

func testSameRowsAgain(t *testing.T, h Harness) {
	d := h.New(t)
	rows := Leads(Day, 0, 200)
	write(t, d.open(t, journalID), date(Day), rows, at(journalID, 1))
	for _, next := range []uint64{1, 5} {
		receipt := write(t, d.open(t, journalID), date(Day), rows, at(journalID, next))
		if !receipt.Unchanged || receipt.Files != 0 || receipt.Bytes != 0 {
			t.Errorf("receipt of the same rows: %+v", receipt)
		}
		d.wantRows(t, date(Day), rows)
		wantPosition(t, d.open(t, journalID), date(Day), at(journalID, next))
	}
}

func testEmptyReplace(t *testing.T, h Harness) {
	d := h.New(t)
	s := d.open(t, journalID)
	write(t, s, date(Day), Leads(Day, 0, 50), at(journalID, 1))
	write(t, s, date(Day), nil, at(journalID, 2))
	d.wantRows(t, date(Day), nil)
	wantPosition(t, d.open(t, journalID), date(Day), at(journalID, 2))
}

func testEmptyReplaceOfNothing(t *testing.T, h Harness) {
	d := h.New(t)
	receipt := write(t, d.open(t, journalID), date(Day), nil, at(journalID, 1))
	if receipt.Files != 0 || !receipt.Unchanged {
		t.Errorf("receipt of nothing: %+v", receipt)
	}
	d.wantRows(t, date(Day), nil)
}

// Transactions on several partitions know nothing of each other, whoever ends first,
// and whether it is by commit, rollback or Close. One at a time is open on each.
func testSeveralAtOnce(t *testing.T, h Harness) {
	d := h.New(t)
	s := d.open(t, journalID)
	before := Leads("2026-09-03", 0, 5)
	write(t, s, date("2026-09-03"), before, at(journalID, 1))

	days := []string{"2026-08-31", "2026-09-01", "2026-09-02"}
	var transactions [3]deliver.Transaction
	var rows [3][]schema.Row
	for i, day := range days {
		rows[i] = Leads(day, 100*i, 700)
		transactions[i] = begin(t, s, date(day), rows[i][:500])
	}
	if _, err := s.Begin(t.Context(), date(days[0])); err == nil {
		t.Error("a second transaction on a partition is open")
	}
	var ending errgroup.Group
	for i := range days {
		ending.Go(func() error {
			tx := transactions[i]
			if i == 1 {
				return tx.Rollback()
			}
			if err := tx.Write(t.Context(), rows[i][500:]); err != nil {
				return err
			}
			_, err := tx.Commit(t.Context(), at(journalID, uint64(i+2)))
			return err
		})
	}
	begin(t, s, date("2026-09-03"), Leads("2026-09-03", 900, 500))
	if err := ending.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rows[1] = nil
	for i, day := range days {
		d.wantRows(t, date(day), rows[i])
	}
	d.wantRows(t, date("2026-09-03"), before)
	s = d.open(t, journalID)
	wantPosition(t, s, date(days[0]), at(journalID, 2))
	wantPosition(t, s, date(days[1]), deliver.Position{})
	wantPosition(t, s, date("2026-09-03"), at(journalID, 1))
}

func testPartitions(t *testing.T, h Harness) {
	d := h.New(t)
	s := d.open(t, journalID)
	days := []string{"2026-08-31", "2026-09-01", "2026-09-02"}
	want := make(map[string][]schema.Row)
	for i, day := range days {
		want[day] = Leads(day, 100*i, 20)
		write(t, s, date(day), want[day], at(journalID, uint64(i+1)))
	}
	want[days[1]] = Leads(days[1], 500, 7)
	write(t, s, date(days[1]), want[days[1]], at(journalID, 9))
	s = d.open(t, journalID)
	for i, day := range days {
		d.wantRows(t, date(day), want[day])
		next := uint64(i + 1)
		if i == 1 {
			next = 9
		}
		wantPosition(t, s, date(day), at(journalID, next))
	}
	wantPosition(t, s, date("2026-09-03"), deliver.Position{})
}

func testUndated(t *testing.T, h Harness) {
	d := h.New(t)
	rows := Undated(30)
	dated := Leads(Day, 0, 5)
	s := d.open(t, journalID)
	write(t, s, deliver.Partition{}, rows, at(journalID, 3))
	write(t, s, date(Day), dated, at(journalID, 4))
	d.wantRows(t, deliver.Partition{}, rows)
	d.wantRows(t, date(Day), dated)
	wantPosition(t, d.open(t, journalID), deliver.Partition{}, at(journalID, 3))
}

// testOtherJournal is a lost state: what another journal left is set aside, and
// no row is there twice.
func testOtherJournal(t *testing.T, h Harness) {
	d := h.New(t)
	write(t, d.open(t, otherJournalID), date(Day), Leads(Day, 0, 60), at(otherJournalID, 8))

	s := d.open(t, journalID)
	wantForeign(t, s, date(Day), at(otherJournalID, 8))
	rows := Leads(Day, 0, 60)
	receipt := write(t, s, date(Day), rows, at(journalID, 1))
	if len(receipt.Superseded) == 0 {
		t.Error("the receipt does not say what was set aside")
	}
	d.wantRows(t, date(Day), rows)
	wantPosition(t, d.open(t, journalID), date(Day), at(journalID, 1))

	receipt = write(t, s, date(Day), rows, at(journalID, 2))
	if len(receipt.Superseded) != 0 || !receipt.Unchanged {
		t.Errorf("set aside a second time: %+v", receipt)
	}
}

func testOtherJournalWithoutRows(t *testing.T, h Harness) {
	d := h.New(t)
	write(t, d.open(t, otherJournalID), date(Day), Leads(Day, 0, 60), at(otherJournalID, 8))
	receipt := write(t, d.open(t, journalID), date(Day), nil, at(journalID, 1))
	if len(receipt.Superseded) == 0 {
		t.Error("the receipt does not say what was set aside")
	}
	d.wantRows(t, date(Day), nil)
}

// wantForeign asks for the position of output of another journal.
func wantForeign(t *testing.T, s deliver.Sink, p deliver.Partition, other deliver.Position) {
	t.Helper()
	got, err := s.Position(t.Context(), p)
	if err != nil {
		t.Fatalf("position: %v", err)
	}
	if got != (deliver.Position{}) && got != other {
		t.Fatalf("position %+v is neither none nor the other journal's, %+v", got, other)
	}
}
