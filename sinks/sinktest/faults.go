package sinktest

import (
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// testFailureAtEachStep lets everything fail from the nth step on, for every n,
// without a chance to clean up, which is what a crash is: what a new process
// then finds is the old or the new state, and it can go on from there.
func testFailureAtEachStep(t *testing.T, h Harness) { failAtEachStep(t, h, false) }

// testFailureAndRollback is the same with a process that lives on and rolls
// back, as far as it still can.
func testFailureAndRollback(t *testing.T, h Harness) { failAtEachStep(t, h, true) }

func failAtEachStep(t *testing.T, h Harness, rollback bool) {
	if h.New(t).FailStep == nil {
		return
	}
	old, fresh := Leads(Day, 0, 150), Marked(Leads(Day, 100, 250), "", personalMark)
	p := PartitionOf(h.Semantics, Day)
	after := fresh
	if h.Semantics == deliver.Append {
		after = append(append([]schema.Row(nil), old...), fresh...)
	}
	for n := 1; ; n++ {
		d := h.New(t)
		s := d.open(t, journalID)
		write(t, s, p, old, at(journalID, 1))

		d.FailStep(n)
		_, err := tryWrite(t.Context(), s, p, fresh, at(journalID, 2), rollback)
		hit := d.Steps() >= n
		d.FailStep(0)
		if err != nil {
			wantDiscreet(t, err)
		}
		if rollback {
			_ = s.Close()
		}

		s = d.open(t, journalID)
		pos, perr := s.Position(t.Context(), p)
		if perr != nil {
			t.Fatalf("step %d: position afterwards: %v", n, perr)
		}
		switch {
		case pos == at(journalID, 2):
			d.wantRows(t, p, after)
		case pos == at(journalID, 1) && err != nil:
			d.wantRows(t, p, old)
			write(t, s, p, fresh, at(journalID, 2))
			d.wantRows(t, p, after)
		default:
			t.Fatalf("step %d: commit said %v, and the position is %+v", n, err, pos)
		}
		if !hit {
			if err != nil {
				t.Fatalf("no step failed, and the commit did: %v", err)
			}
			if n == 1 {
				t.Fatal("a transaction has no step that can fail")
			}
			return
		}
	}
}
