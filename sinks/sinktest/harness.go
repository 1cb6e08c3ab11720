package sinktest

import (
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// Harness is what the suite needs to know of a sink.
type Harness struct {
	// Semantics is what the sink must report.
	Semantics deliver.Semantics
	// New makes an empty destination that no other test uses. It cleans up by
	// t.Cleanup.
	New func(t *testing.T) Destination
}

// Destination is one place that sinks write to: a folder, a topic.
type Destination struct {
	// Open connects anew, as a process that has just started would. The suite
	// closes what it opens, but may leave a sink open, with a transaction, while
	// it opens the next: that is a crash.
	Open func(t *testing.T, b deliver.Binding) (deliver.Sink, error)

	// Read returns the rows of a partition, in their order, as a consumer sees
	// them who keeps to the sink's rules. It reads what is there, not what a sink
	// believes. Of deliver.Whole, only the rows of one date need have the order in
	// which they were committed.
	Read func(t *testing.T, p deliver.Partition) []schema.Row

	// AsRead changes a row that was written to what is read back, where a format
	// keeps less of it than a Row holds; nil if it keeps everything.
	AsRead func(r *schema.Row)

	// FailStep arms the destination: of the steps that change it from now on, the
	// nth (from 1) and all after it fail, for all sinks on it. 0 disarms. What a
	// step is, the sink knows best: a call of the file system, a request. Nil if
	// the sink has no such means.
	FailStep func(n int)
	// Steps says how many steps were tried since FailStep was called.
	Steps func() int

	// Break makes the destination unusable for good (a file where the folder
	// should be, a right revoked). What is tried then must end in a
	// *deliver.PermanentError. Nil if the sink has no such means.
	Break func(t *testing.T)
}

// binding is whom the suite writes for.
func binding(journal string) deliver.Binding {
	return deliver.Binding{JournalID: journal, Account: Account, Marketplace: Marketplace}
}

// The two journals of the suite: the one that a destination belongs to, and one
// that takes its place.
const (
	journalID      = "0190c0de-0000-4000-8000-000000000001"
	otherJournalID = "5eed1e55-0000-4000-8000-000000000002"
)

// open connects and sees to it that the sink is closed in the end.
func (d Destination) open(t *testing.T, journal string) deliver.Sink {
	t.Helper()
	s, err := d.Open(t, binding(journal))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	// A sink that was left for dead may have been fenced: its error says nothing.
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func at(journal string, next uint64) deliver.Position {
	return deliver.Position{Journal: journal, Next: seq(next)}
}
