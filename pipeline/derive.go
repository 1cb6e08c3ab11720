package pipeline

import (
	"context"
	"fmt"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
)

// derive keeps the store of known leads up to date with the journal until ended
// is closed, and everything landed by then is in the store.
func derive(ctx context.Context, j *journal.Journal, k *known.Store, ended <-chan struct{}) error {
	for {
		last := false
		select {
		case <-ended:
			last = true
		default:
		}
		changed := j.Changed()
		if err := k.Advance(ctx); err != nil {
			return fmt.Errorf("working out what has changed: %w", err)
		}
		if last {
			return nil
		}
		select {
		case <-changed:
		case <-ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// past is what the pruned records of the journal say. It is not to be changed.
func (s *Stages) past() *base.Past {
	b, release := s.Base.Pin()
	defer release()
	return b.Past()
}

// changes returns what Append sinks are fed from; nil where the journal has no
// stream.
func (s *Stages) changes() deliver.Changes {
	if s.Known == nil {
		return nil // not the nil pointer, which is not nil in an interface
	}
	return s.Known
}
