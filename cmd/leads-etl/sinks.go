package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/kafka"
	"github.com/leads-etl/leads-etl/sinks/ndjson"
	"github.com/leads-etl/leads-etl/sinks/parquet"
)

// sink is one destination that the configuration turns on.
type sink struct {
	// name is what it is called in messages; kindOf tells what the configuration
	// calls it.
	name string
	// where names the destination for people.
	where string
	// table says that it is written by batches only.
	table bool
	open  openFunc
	// observe opens what tells how far the destination has come, beside a sink that
	// may be at work on it.
	observe observeFunc
	// check tries the destination and leaves nothing behind.
	check func(ctx context.Context, b deliver.Binding) []finding
}

// sinkKinds are all there are, in the order in which they are shown.
var sinkKinds = []string{"parquet", "ndjson", "kafka"}

// eventFiles ends the names of the files that streams append to.
const eventFiles = " events"

// kindOf returns the kind of the sink with that name.
func kindOf(name string) string { return strings.TrimSuffix(name, eventFiles) }

// outputs are kinds of output: a batch writes files as a table, a stream files of
// events, and both write the topic.
type outputs struct{ tables, events, topic bool }

// What commands write.
var (
	batchOutputs  = outputs{tables: true, topic: true}
	streamOutputs = outputs{events: true, topic: true}
)

// sinks returns those that are on and wanted.
func (s *settings) sinks(want outputs) []sink {
	var on []sink
	if s.Parquet.On() && want.tables {
		on = append(on, sink{
			name: "parquet", where: s.Parquet.Dir, table: true,
			open:    opening(s.Parquet, parquet.Open),
			observe: observing(s.Parquet, parquet.Observe),
			check:   folderCheck("parquet", s.Parquet, parquet.Check),
		})
	}
	if s.Parquet.On() && want.events {
		on = append(on, sink{
			name: "parquet" + eventFiles, where: s.Parquet.Dir,
			open:    opening(s.Parquet, parquet.OpenEvents),
			observe: observing(s.Parquet, parquet.ObserveEvents),
			check:   folderCheck("parquet", s.Parquet, parquet.Check),
		})
	}
	if s.NDJSON.On() && want.tables {
		on = append(on, sink{
			name: "ndjson", where: s.NDJSON.Dir, table: true,
			open:    opening(s.NDJSON, ndjson.Open),
			observe: observing(s.NDJSON, ndjson.Observe),
			check:   folderCheck("ndjson", s.NDJSON, ndjson.Check),
		})
	}
	if s.NDJSON.On() && want.events {
		on = append(on, sink{
			name: "ndjson" + eventFiles, where: s.NDJSON.Dir,
			open:    opening(s.NDJSON, ndjson.OpenEvents),
			observe: observing(s.NDJSON, ndjson.ObserveEvents),
			check:   folderCheck("ndjson", s.NDJSON, ndjson.Check),
		})
	}
	if s.Kafka.On() && want.topic {
		on = append(on, sink{
			name: "kafka", where: strings.Join(s.Kafka.Brokers, ","),
			open:    opening(s.Kafka, kafka.Open),
			observe: observing(s.Kafka, kafka.Observe),
			check:   func(ctx context.Context, b deliver.Binding) []finding { return kafkaCheck(ctx, s.Kafka, b) },
		})
	}
	return on
}

// observer is what the sinks' Observe functions return.
type observer interface {
	deliver.Positioned
	io.Closer
}

// openFunc and observeFunc are the forms that the sinks' functions are given here;
// their own return types of their own.
type (
	openFunc    = func(context.Context, deliver.Binding, *slog.Logger) (deliver.Sink, error)
	observeFunc = func(context.Context, deliver.Binding, *slog.Logger) (observer, error)
)

func opening[C any, S deliver.Sink](c C, open func(context.Context, C, deliver.Binding, *slog.Logger) (S, error)) openFunc {
	return func(ctx context.Context, b deliver.Binding, logger *slog.Logger) (deliver.Sink, error) {
		s, err := open(ctx, c, b, logger)
		if err != nil {
			return nil, err // not s: a nil pointer in an interface is not nil
		}
		return s, nil
	}
}

func observing[C any, O observer](c C, observe func(context.Context, C, deliver.Binding, *slog.Logger) (O, error)) observeFunc {
	return func(ctx context.Context, b deliver.Binding, logger *slog.Logger) (observer, error) {
		o, err := observe(ctx, c, b, logger)
		if err != nil {
			return nil, err // as above
		}
		return o, nil
	}
}

// choose returns those of the sinks that are of these kinds, all of them if there
// are none.
func choose(sinks []sink, kinds []string) ([]sink, error) {
	if len(kinds) == 0 {
		return sinks, nil
	}
	for _, kind := range kinds {
		switch {
		case slices.ContainsFunc(sinks, func(s sink) bool { return kindOf(s.name) == kind }):
		case slices.Contains(sinkKinds, kind):
			return nil, fmt.Errorf("--sink: the configuration does not turn %s on", kind)
		default:
			return nil, fmt.Errorf("--sink: %q is none of %s", kind, strings.Join(sinkKinds, ", "))
		}
	}
	return slices.DeleteFunc(sinks, func(s sink) bool { return !slices.Contains(kinds, kindOf(s.name)) }), nil
}
