package ndjson

import (
	"context"
	"log/slog"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/files"
)

// extensions are those of each compression.
var extensions = map[string]string{
	None: ".ndjson",
	Gzip: ".ndjson.gz",
	Zstd: ".ndjson.zst",
}

// Open returns the sink of a table for one seller's rows. It blocks for as long as it takes
// to look for what a crash may have left. The caller closes the sink.
func Open(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger) (*files.Sink, error) {
	return open(ctx, c, b, logger, nil)
}

// open is Open with a hook that lets tests fail steps of the file system.
func open(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger, step func(op, path string) error) (*files.Sink, error) {
	f, err := format(c)
	if err != nil {
		return nil, &deliver.PermanentError{Err: err}
	}
	return files.Open(ctx, files.Spec{Options: c.Options, Format: f, Binding: b, Logger: logger, Step: step})
}

// OpenEvents returns the sink of a stream's events for one seller. It blocks for
// as long as it takes to look for what a crash may have left. The caller closes
// the sink.
func OpenEvents(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger) (*files.EventSink, error) {
	return openEvents(ctx, c, b, logger, nil)
}

func openEvents(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger, step func(op, path string) error) (*files.EventSink, error) {
	f, err := eventFormat(c)
	if err != nil {
		return nil, &deliver.PermanentError{Err: err}
	}
	return files.OpenEvents(ctx, files.Spec{Options: c.Options, Format: f, Binding: b, Logger: logger, Step: step})
}

// Check tries whether the folder can be written, and leaves nothing there.
func Check(ctx context.Context, c Config) error { return files.Check(ctx, c.Options) }

// Observe returns what tells the table's positions without touching it.
func Observe(_ context.Context, c Config, b deliver.Binding, logger *slog.Logger) (*files.Observer, error) {
	f, err := format(c)
	if err != nil {
		return nil, err
	}
	return files.Observe(files.Spec{Options: c.Options, Format: f, Binding: b, Logger: logger})
}

// ObserveEvents returns what tells the position of a stream's events without
// touching them.
func ObserveEvents(_ context.Context, c Config, b deliver.Binding, logger *slog.Logger) (*files.EventObserver, error) {
	f, err := eventFormat(c)
	if err != nil {
		return nil, err
	}
	return files.ObserveEvents(files.Spec{Options: c.Options, Format: f, Binding: b, Logger: logger})
}
