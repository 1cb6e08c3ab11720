package parquet

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/gzip"
	"github.com/parquet-go/parquet-go/compress/lz4"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/compress/uncompressed"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/files"
)

const extension = ".parquet"

// Open returns the sink of a table for one seller's rows. It blocks for as long as it takes
// to look for what a crash may have left. The caller closes the sink.
func Open(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger) (*files.Sink, error) {
	return open(ctx, c, b, logger, nil)
}

// open is Open with a hook that lets tests fail steps of the file system.
func open(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger, step func(op, path string) error) (*files.Sink, error) {
	f, err := newFormat(c, byTime)
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
	f, err := newFormat(c, asTheyCome)
	if err != nil {
		return nil, &deliver.PermanentError{Err: err}
	}
	return files.OpenEvents(ctx, files.Spec{Options: c.Options, Format: f, Binding: b, Logger: logger, Step: step})
}

// Check tries whether the folder can be written, and leaves nothing there.
func Check(ctx context.Context, c Config) error { return files.Check(ctx, c.Options) }

func newFormat(c Config, rows arrangement) (files.Format, error) {
	if c.RowGroupRows <= 0 {
		return files.Format{}, fmt.Errorf("row-group-rows %d is not positive", c.RowGroupRows)
	}
	compression, err := codec(c.Compression)
	if err != nil {
		return files.Format{}, err
	}
	return files.Format{
		Name:       "parquet",
		Extension:  extension,
		Extensions: []string{extension},
		Backward:   backward,
		Encode: func(w io.Writer) (files.Encoder, error) {
			return newEncoder(w, rows, compression, c.RowGroupRows, c.Roll), nil
		},
	}, nil
}

// codec returns the compressor of a name, at the level that costs least.
func codec(name string) (compress.Codec, error) {
	switch name {
	case None:
		return new(uncompressed.Codec), nil
	case Snappy:
		return new(snappy.Codec), nil
	case Gzip:
		return &gzip.Codec{Level: gzip.DefaultCompression}, nil
	case LZ4:
		// The levels from Fast on are LZ4 HC, at a tenth of the speed.
		return &lz4Codec{lz4.Codec{Level: lz4.Fastest}}, nil
	case Zstd:
		return newZstdCodec(), nil
	}
	return nil, fmt.Errorf("compression %q is none of %v", name, compressions)
}

// Observe returns what tells the table's positions without touching it.
func Observe(_ context.Context, c Config, b deliver.Binding, logger *slog.Logger) (*files.Observer, error) {
	f, err := newFormat(c, byTime)
	if err != nil {
		return nil, err
	}
	return files.Observe(files.Spec{Options: c.Options, Format: f, Binding: b, Logger: logger})
}

// ObserveEvents returns what tells the position of a stream's events without
// touching them.
func ObserveEvents(_ context.Context, c Config, b deliver.Binding, logger *slog.Logger) (*files.EventObserver, error) {
	f, err := newFormat(c, asTheyCome)
	if err != nil {
		return nil, err
	}
	return files.ObserveEvents(files.Spec{Options: c.Options, Format: f, Binding: b, Logger: logger})
}
