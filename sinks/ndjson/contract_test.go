package ndjson

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func TestContract(t *testing.T) {
	for _, compression := range compressions {
		t.Run(compression, func(t *testing.T) {
			sinktest.Run(t, sinktest.Harness{
				Semantics: deliver.Replace,
				New: func(t *testing.T) sinktest.Destination {
					c := DefaultConfig(filepath.Join(sinktest.Folder(t), "out"))
					c.Compression = compression
					return destination(openTable, c)
				},
			})
		})
	}
}

// TestContractRolled is the contract with dates of many files.
func TestContractRolled(t *testing.T) {
	sinktest.Run(t, sinktest.Harness{
		Semantics: deliver.Replace,
		New: func(t *testing.T) sinktest.Destination {
			c := DefaultConfig(filepath.Join(sinktest.Folder(t), "out"))
			c.Compression = None
			c.Roll = 100_000
			return destination(openTable, c)
		},
	})
}

// TestEventsContract is the contract of the sink of events.
func TestEventsContract(t *testing.T) {
	sinktest.Run(t, sinktest.Harness{
		Semantics: deliver.Append,
		New: func(t *testing.T) sinktest.Destination {
			return destination(openStream, DefaultConfig(filepath.Join(sinktest.Folder(t), "out")))
		},
	})
}

// TestEventsContractRolled is the same with dates of many files.
func TestEventsContractRolled(t *testing.T) {
	sinktest.Run(t, sinktest.Harness{
		Semantics: deliver.Append,
		New: func(t *testing.T) sinktest.Destination {
			c := DefaultConfig(filepath.Join(sinktest.Folder(t), "out"))
			c.Compression, c.Roll = Gzip, 50_000
			return destination(openStream, c)
		},
	})
}

// opener opens the sink of a table, or of events.
type opener func(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger, step func(op, path string) error) (deliver.Sink, error)

func openTable(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger, step func(op, path string) error) (deliver.Sink, error) {
	s, err := open(ctx, c, b, logger, step)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func openStream(ctx context.Context, c Config, b deliver.Binding, logger *slog.Logger, step func(op, path string) error) (deliver.Sink, error) {
	s, err := openEvents(ctx, c, b, logger, step)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func destination(open opener, c Config) sinktest.Destination {
	var failing sinktest.FailingSteps
	return sinktest.Destination{
		Open: func(t *testing.T, b deliver.Binding) (deliver.Sink, error) {
			return open(t.Context(), c, b, slog.New(slog.DiscardHandler), failing.Step)
		},
		Read: func(t *testing.T, p deliver.Partition) []schema.Row {
			return readTable(t, c.Dir, p)
		},
		FailStep: failing.From,
		Steps:    failing.Tried,
		Break: func(t *testing.T) {
			if err := os.WriteFile(c.Dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// readTable reads a partition as an engine does, by a glob, in the order of
// names.
func readTable(t *testing.T, dir string, p deliver.Partition) []schema.Row {
	t.Helper()
	date := p.Date
	switch {
	case p.All:
		date = "*"
	case date == "":
		date = "__HIVE_DEFAULT_PARTITION__"
	}
	var rows []schema.Row
	for _, ext := range extensions {
		paths, err := filepath.Glob(filepath.Join(dir, "marketplace=*", "date="+date, "*"+ext))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(paths)
		for _, path := range paths {
			rows = append(rows, readFile(t, path)...)
		}
	}
	return rows
}

func readFile(t *testing.T, path string) []schema.Row {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := decompress(t, path, data)
	if !bytes.HasSuffix(text, []byte("\n")) {
		t.Fatalf("%s does not end in a line end", path)
	}
	var rows []schema.Row
	for line := range bytes.Lines(text) {
		r, err := schema.ParseJSON(line)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		rows = append(rows, r)
	}
	return rows
}

// decompress uses other decoders than the encoder's where there are some.
func decompress(t *testing.T, path string, data []byte) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(data)
	switch {
	case strings.HasSuffix(path, ".gz"):
		gz, err := gzip.NewReader(bufio.NewReader(r))
		if err != nil {
			t.Fatal(err)
		}
		r = gz
	case strings.HasSuffix(path, ".zst"):
		zs, err := zstd.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		defer zs.Close()
		r = zs
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return text
}
