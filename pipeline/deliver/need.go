package deliver

import (
	"context"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// Need is what a sink still needs of a journal.
type Need struct {
	// From is the first record that it needs: all before can be pruned. It is the
	// journal's End if it needs none.
	From journal.Seq
	// Foreign says that it is written anew, for it was written under another journal.
	Foreign bool
}

// NeedOf asks the sink how far it has come. It changes nothing.
//
// A sink that replaces needs nothing: what stands for the pruned pages has the
// latest row of each of their leads, which is all that a table takes from pages, be
// it up to date or built anew. To hold pages for it would be to hold them for ever
// where a stream goes on beside the files of a batch.
func NeedOf(ctx context.Context, sink Positioned, j *journal.Journal) (Need, error) {
	if sink.Semantics() == Replace {
		return Need{From: j.End()}, nil
	}
	p, err := sink.Position(ctx, Whole)
	switch {
	case err != nil:
		return Need{}, err
	case p.Journal != j.ID():
		return Need{Foreign: p.Journal != ""}, nil
	case p.Snapshot != "":
		return Need{}, nil // it stands on the base that there is
	case p.Next < p.Through:
		// In the midst of a stretch, what was left out of it for being out of date
		// is told by its pages only.
		return Need{From: min(p.Next, p.Base)}, nil
	}
	return Need{From: p.Next}, nil
}
