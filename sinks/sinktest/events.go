package sinktest

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// Events returns n rows as a stream has them: of each event type, with versions
// and changed fields, of leads of several dates and of none, in no order of
// time. The same n and offset give the same rows, and no row of another offset is
// among them.
func Events(offset, n int) []schema.Row {
	day, err := time.Parse(time.DateOnly, Day)
	if err != nil {
		panic(err)
	}
	rows := make([]schema.Row, n)
	for i := range rows {
		rng := rand.New(rand.NewPCG(uint64(offset+i), 0xe7e))
		r := lead(day.AddDate(0, 0, -rng.IntN(3)), offset+i)
		if rng.IntN(8) == 0 {
			r.SubmittedTime = schema.Opt[time.Time]{}
			seal(&r)
		}
		r.EventType = schema.EventTypes[rng.IntN(len(schema.EventTypes))]
		if r.EventType != schema.Snapshot {
			r.LeadVersion = schema.Some(1 + rng.Int32N(9))
		}
		if r.EventType == schema.Updated {
			fields := []string{"lead_status", "messages", "message_count"}
			r.ChangedFields = schema.Some(fields[:rng.IntN(len(fields)+1)]) // there may be none
		}
		r.EventID = schema.EventID(&r)
		rows[i] = r
	}
	return rows
}

// ByDate sorts rows into their dates, each in the order in which they come.
func ByDate(rows []schema.Row) map[deliver.Partition][]schema.Row {
	dates := make(map[deliver.Partition][]schema.Row)
	for _, r := range rows {
		p := deliver.DateOf(r.SubmittedTime)
		dates[p] = append(dates[p], r)
	}
	return dates
}

// wantEvents reads all rows and compares those of each date.
func (d Destination) wantEvents(t *testing.T, want []schema.Row) {
	t.Helper()
	got, wanted := ByDate(d.Read(t, deliver.Whole)), ByDate(d.asRead(want))
	for p, rows := range wanted {
		Same(t, got[p], rows)
	}
	for p, rows := range got {
		if wanted[p] == nil {
			t.Fatalf("%d rows are of %s, and none should be", len(rows), p)
		}
	}
}

func testEventsOfManyDates(t *testing.T, h Harness) {
	d := h.New(t)
	rows := Events(0, 1500)
	for i := range 3 {
		write(t, d.open(t, journalID), deliver.Whole, rows[500*i:500*i+500], at(journalID, uint64(10*i+10)))
		d.wantEvents(t, rows[:500*i+500])
	}
	wantPosition(t, d.open(t, journalID), deliver.Whole, at(journalID, 30))
}

// testEventsRolledBack: what was rolled back is never seen, whatever comes
// after it.
func testEventsRolledBack(t *testing.T, h Harness) {
	d := h.New(t)
	s := d.open(t, journalID)
	write(t, s, deliver.Whole, Events(0, 40), at(journalID, 1))
	if err := begin(t, s, deliver.Whole, Events(1000, 700)).Rollback(); err != nil {
		t.Fatal(err)
	}
	d.wantEvents(t, Events(0, 40))
	write(t, s, deliver.Whole, Events(40, 60), at(journalID, 2))
	begin(t, s, deliver.Whole, Events(2000, 700)) // left for dead
	s = d.open(t, journalID)
	d.wantEvents(t, Events(0, 100))
	write(t, s, deliver.Whole, Events(100, 10), at(journalID, 3))
	d.wantEvents(t, Events(0, 110))
}

// testEventsFailureAtEachStep lets each step of a commit of several dates fail,
// with a rollback and without, and goes on from the position that there is then.
func testEventsFailureAtEachStep(t *testing.T, h Harness) {
	if h.New(t).FailStep == nil {
		return
	}
	rows := Events(0, 45)
	for n := 1; ; n++ {
		d := h.New(t)
		s := d.open(t, journalID)
		write(t, s, deliver.Whole, rows[:10], at(journalID, 10))
		d.FailStep(n)
		_, err := tryWrite(t.Context(), s, deliver.Whole, rows[10:30], at(journalID, 30), n%2 == 0)
		hit := d.Steps() >= n
		d.FailStep(0)
		if !hit && err != nil {
			t.Fatalf("no step failed, and the commit did: %v", err)
		}
		s = d.open(t, journalID)
		p, perr := s.Position(t.Context(), deliver.Whole)
		if perr != nil {
			t.Fatalf("step %d: position afterwards: %v", n, perr)
		}
		if p != at(journalID, 30) && (p != at(journalID, 10) || err == nil) {
			t.Fatalf("step %d: commit said %v, and the position is %+v", n, err, p)
		}
		d.wantEvents(t, rows[:p.Next])
		write(t, s, deliver.Whole, rows[p.Next:], at(journalID, 45))
		d.wantEvents(t, rows)
		if !hit {
			return
		}
	}
}
