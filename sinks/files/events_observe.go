package files

import (
	"context"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// EventObserver tells the position of events and touches nothing: a sink may be
// at work on them, here or in another process. It implements
// deliver.Positioned.
type EventObserver struct{ sink *EventSink }

// ObserveEvents returns the observer of the events that OpenEvents would add to.
func ObserveEvents(spec Spec) (*EventObserver, error) {
	s, err := newEventSink(spec)
	if err != nil {
		return nil, err
	}
	return &EventObserver{s}, nil
}

// Semantics is Append.
func (o *EventObserver) Semantics() deliver.Semantics { return deliver.Append }

// Position is what EventSink.Position returns.
func (o *EventObserver) Position(ctx context.Context, id deliver.Partition) (deliver.Position, error) {
	return o.sink.Position(ctx, id)
}

// Close does nothing.
func (o *EventObserver) Close() error { return nil }
