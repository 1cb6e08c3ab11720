package sinktest

import (
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

var appendCases = []testCase{
	{"Appended", testAppended},
	{"PositionAlone", testPositionAlone},
	{"PositionIsKeptWhole", testPositionIsKeptWhole},
	{"OtherJournalsPosition", testOtherJournalsPosition},
	{"EventsOfManyDates", testEventsOfManyDates},
	{"EventsRolledBack", testEventsRolledBack},
	{"EventsFailureAtEachStep", testEventsFailureAtEachStep},
}

func testAppended(t *testing.T, h Harness) {
	d := h.New(t)
	rows := Leads(Day, 0, 90)
	Sort(rows)
	for i := range 3 {
		write(t, d.open(t, journalID), deliver.Whole, rows[30*i:30*i+30], at(journalID, uint64(i+1)))
	}
	d.wantRows(t, deliver.Whole, rows)
	wantPosition(t, d.open(t, journalID), deliver.Whole, at(journalID, 3))
}

// testPositionAlone moves the position without a row, as a stretch of the
// journal without news does.
func testPositionAlone(t *testing.T, h Harness) {
	d := h.New(t)
	s := d.open(t, journalID)
	rows := Leads(Day, 0, 10)
	write(t, s, deliver.Whole, rows, at(journalID, 1))
	write(t, s, deliver.Whole, nil, at(journalID, 6))
	d.wantRows(t, deliver.Whole, rows)
	wantPosition(t, d.open(t, journalID), deliver.Whole, at(journalID, 6))
}

// testPositionIsKeptWhole commits in the middle of a stretch, whose bounds a
// successor needs.
func testPositionIsKeptWhole(t *testing.T, h Harness) {
	d := h.New(t)
	within := at(journalID, 5)
	within.Base, within.Through = 3, 9
	write(t, d.open(t, journalID), deliver.Whole, Leads(Day, 0, 10), within)
	wantPosition(t, d.open(t, journalID), deliver.Whole, within)
}

func testOtherJournalsPosition(t *testing.T, h Harness) {
	d := h.New(t)
	write(t, d.open(t, otherJournalID), deliver.Whole, Leads(Day, 0, 10), at(otherJournalID, 8))
	s := d.open(t, journalID)
	got, err := s.Position(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if got != (deliver.Position{}) && got != at(otherJournalID, 8) {
		t.Fatalf("position %+v is neither none nor the other journal's", got)
	}
	write(t, s, deliver.Whole, Leads(Day, 10, 10), at(journalID, 1))
	wantPosition(t, d.open(t, journalID), deliver.Whole, at(journalID, 1))
}
