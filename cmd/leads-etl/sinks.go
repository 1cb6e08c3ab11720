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
	name string
	// where names the destination for people.
	where string
	open  openFunc
	// observe opens what tells how far the destination has come, beside a sink that
	// may be at work on it.
	observe observeFunc
	// check tries the destination and leaves nothing behind.
	check func(ctx context.Context, b deliver.Binding) []finding
}

// sinkNames are all there are, in the order in which they are shown.
var sinkNames = []string{"parquet", "ndjson", "kafka"}

// sinks returns those that are on.
func (s *settings) sinks() []sink {
	var on []sink
	if s.Parquet.On() {
		on = append(on, sink{
			name: "parquet", where: s.Parquet.Dir,
			open:    opening(s.Parquet, parquet.Open),
			observe: observing(s.Parquet, parquet.Observe),
			check:   folderCheck("parquet", s.Parquet, parquet.Check),
		})
	}
	if s.NDJSON.On() {
		on = append(on, sink{
			name: "ndjson", where: s.NDJSON.Dir,
			open:    opening(s.NDJSON, ndjson.Open),
			observe: observing(s.NDJSON, ndjson.Observe),
			check:   folderCheck("ndjson", s.NDJSON, ndjson.Check),
		})
	}
	if s.Kafka.On() {
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

// choose returns those of the sinks that are named, all of them if none is.
func choose(sinks []sink, names []string) ([]sink, error) {
	if len(names) == 0 {
		return sinks, nil
	}
	var chosen []sink
	for _, name := range names {
		i := slices.IndexFunc(sinks, func(s sink) bool { return s.name == name })
		switch {
		case i >= 0:
			chosen = append(chosen, sinks[i])
		case slices.Contains(sinkNames, name):
			return nil, fmt.Errorf("--sink: the configuration does not turn %s on", name)
		default:
			return nil, fmt.Errorf("--sink: %q is none of %s", name, strings.Join(sinkNames, ", "))
		}
	}
	return chosen, nil
}
