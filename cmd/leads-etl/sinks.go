package main

import (
	"context"
	"fmt"
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
	open  func(ctx context.Context, b deliver.Binding, logger *slog.Logger) (deliver.Sink, error)
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
			open:  opener(s.Parquet, parquet.Open),
			check: folderCheck("parquet", s.Parquet, parquet.Check),
		})
	}
	if s.NDJSON.On() {
		on = append(on, sink{
			name: "ndjson", where: s.NDJSON.Dir,
			open:  opener(s.NDJSON, ndjson.Open),
			check: folderCheck("ndjson", s.NDJSON, ndjson.Check),
		})
	}
	if s.Kafka.On() {
		on = append(on, sink{
			name: "kafka", where: strings.Join(s.Kafka.Brokers, ","),
			open:  opener(s.Kafka, kafka.Open),
			check: func(ctx context.Context, b deliver.Binding) []finding { return kafkaCheck(ctx, s.Kafka, b) },
		})
	}
	return on
}

// opener gives the Open functions of the sinks, which return types of their own,
// one form.
func opener[C any, S deliver.Sink](c C, open func(context.Context, C, deliver.Binding, *slog.Logger) (S, error)) func(context.Context, deliver.Binding, *slog.Logger) (deliver.Sink, error) {
	return func(ctx context.Context, b deliver.Binding, logger *slog.Logger) (deliver.Sink, error) {
		s, err := open(ctx, c, b, logger)
		if err != nil {
			return nil, err // not s: a nil pointer in an interface is not nil
		}
		return s, nil
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
