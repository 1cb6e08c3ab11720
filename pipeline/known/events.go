package known

import (
	"context"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// eventsAtOnce is how many events are read at a time. In between nothing of the
// database is held, however long the caller takes.
const eventsAtOnce = 1024

// Events yields the events of the pages [from, to) that are before Position at the
// time of the call, in the order of the pages; of a page the rows' in their order,
// then those of rows without a time, then vanished leads in the order of their
// time. Large pages come slice by slice of time. The first error ends it.
func (s *Store) Events(ctx context.Context, from, to journal.Seq) iter.Seq2[Event, error] {
	to = min(to, s.Position())
	return func(yield func(Event, error) bool) {
		next, end := appendEventSpan(nil, from), appendEventSpan(nil, to)
		events := make([]Event, 0, 16)
		for from < to && next != nil {
			err := ctx.Err()
			if err == nil {
				events, next, err = s.readEvents(events[:0], next, end)
			}
			if err != nil {
				yield(Event{}, s.checked(fmt.Errorf("reading events: %w", err)))
				return
			}
			for i := range events {
				if !yield(events[i], nil) {
					return
				}
			}
		}
	}
}

// readEvents appends some events with keys in [next, end), and returns the key to
// go on with; nil if these were the last.
func (s *Store) readEvents(events []Event, next, end []byte) ([]Event, []byte, error) {
	i, err := s.db.NewIter(&pebble.IterOptions{LowerBound: next, UpperBound: end})
	if err != nil {
		return nil, nil, err
	}
	var after []byte
	for ok := i.First(); ok && err == nil; ok = i.Next() {
		if len(events) == eventsAtOnce {
			after = append(after, i.Key()...)
			break
		}
		var value []byte
		if value, err = i.ValueAndErr(); err != nil {
			break
		}
		var e Event
		e, err = readEvent(i.Key(), value)
		events = append(events, e)
	}
	if closeErr := i.Close(); err == nil {
		err = closeErr
	}
	return events, after, err
}
