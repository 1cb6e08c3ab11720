package deliver

import (
	"context"
	"fmt"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// AheadError says that an output holds what was landed behind the end of the
// journal: the journal has lost its end, or was restored from an older copy. What
// is landed now would get numbers that the output takes for delivered.
type AheadError struct {
	// Next is where the output goes on, End where the journal ends.
	Next, End journal.Seq
}

func (e *AheadError) Error() string {
	return fmt.Sprintf("the output holds what was landed before record %d, but the journal ends with record %d: it has lost its end, or was restored from an older copy than the output", e.Next, e.End)
}

// watched is a sink whose positions are compared with the journal, once: as long
// as they cannot be those of this run.
type watched struct {
	Sink
	delivery *Delivery
}

func (w *watched) Position(ctx context.Context, p Partition) (Position, error) {
	pos, err := w.Sink.Position(ctx, p)
	d := w.delivery
	if err == nil && !d.checked && pos.Journal == d.options.Journal.ID() && pos.Next > d.end {
		return Position{}, &PermanentError{Err: &AheadError{Next: pos.Next, End: d.end}}
	}
	return pos, err
}

// behindEnd refuses a position that this journal has not come to.
func (f *feed) behindEnd(p Position) error {
	if p.Journal == f.journal.ID() && p.Next > f.next {
		return &AheadError{Next: p.Next, End: f.next}
	}
	return nil
}

// partitioned is an output that knows its partitions.
type partitioned interface {
	Partitions() ([]Partition, error)
}

// Furthest returns the highest record of the journal of that id that any part of
// the output is delivered up to; 0 if there is none.
func Furthest(ctx context.Context, sink Positioned, journalID string) (journal.Seq, error) {
	partitions := []Partition{Whole}
	if p, ok := sink.(partitioned); ok {
		var err error
		if partitions, err = p.Partitions(); err != nil {
			return 0, err
		}
	}
	var furthest journal.Seq
	for _, p := range partitions {
		pos, err := sink.Position(ctx, p)
		if err != nil {
			return 0, err
		}
		if pos.Journal == journalID {
			furthest = max(furthest, pos.Next)
		}
	}
	return furthest, nil
}
