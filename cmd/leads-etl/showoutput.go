package main

import (
	"context"
	"fmt"

	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/kafka"
	"github.com/leads-etl/leads-etl/sinks/ndjson"
	"github.com/leads-etl/leads-etl/sinks/parquet"
)

// openOutput prepares to read back what a sink of that kind has written. closing
// releases what it is read from.
func (s *settings) openOutput(ctx context.Context, p *process, kind string) (_ browse.Output, closing func(), err error) {
	binding := deliver.Binding{Account: s.EBay.Account, Marketplace: s.EBay.Marketplace}
	var output browse.Output
	closing = func() {}
	on, key := false, "dir"
	switch kind {
	case "parquet":
		if on = s.Parquet.On(); on {
			output, err = parquet.NewReader(s.Parquet, binding)
		}
	case "ndjson":
		if on = s.NDJSON.On(); on {
			output, err = ndjson.NewReader(s.NDJSON, binding)
		}
	case "kafka":
		key = "brokers"
		if on = s.Kafka.On(); on {
			var r *kafka.Reader
			if r, err = kafka.NewReader(ctx, s.Kafka, binding, p.log); err == nil {
				output, closing = r, func() { _ = r.Close() } // it was read only
			}
		}
	}
	switch {
	case !on:
		return nil, nil, &usageError{err: fmt.Errorf("--output: the configuration does not turn %[1]s on: set [%[1]s] %[2]s as it was for the export", kind, key), command: p.line.name}
	case err != nil:
		return nil, nil, fmt.Errorf("reading %s: %w", kind, err)
	}
	return output, closing, nil
}
