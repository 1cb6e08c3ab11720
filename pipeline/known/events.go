package known

import (
	"context"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// Events yields the events of the pages [from, to), in the order of the pages, of
// the rows in them, and then of the leads that have vanished. An error ends it. It
// shows what there was when it began; ask for pages before Position only.
func (s *Store) Events(ctx context.Context, from, to journal.Seq) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if from >= to {
			return
		}
		events, err := s.db.NewIter(&pebble.IterOptions{LowerBound: appendEventSpan(nil, from), UpperBound: appendEventSpan(nil, to)})
		if err != nil {
			yield(Event{}, s.checked(fmt.Errorf("reading events: %w", err)))
			return
		}
		defer events.Close()
		for ok := events.First(); ok; ok = events.Next() {
			e, err := s.event(ctx, events)
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := events.Error(); err != nil {
			yield(Event{}, s.checked(fmt.Errorf("reading events: %w", err)))
		}
	}
}

func (s *Store) event(ctx context.Context, at *pebble.Iterator) (Event, error) {
	if err := ctx.Err(); err != nil {
		return Event{}, err
	}
	value, err := at.ValueAndErr()
	if err != nil {
		return Event{}, s.checked(fmt.Errorf("reading events: %w", err))
	}
	e, err := readEvent(at.Key(), value)
	return e, s.checked(err)
}
