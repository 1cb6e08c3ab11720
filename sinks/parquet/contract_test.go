package parquet

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Harness{
		Semantics: deliver.Replace,
		New: func(t *testing.T) sinktest.Destination {
			return destination(openTable, DefaultConfig(filepath.Join(sinktest.Folder(t), "out")))
		},
	})
}

// TestContractRolled is the contract with dates of many files and row groups.
func TestContractRolled(t *testing.T) {
	sinktest.Run(t, sinktest.Harness{
		Semantics: deliver.Replace,
		New: func(t *testing.T) sinktest.Destination {
			c := DefaultConfig(filepath.Join(sinktest.Folder(t), "out"))
			c.Compression = Snappy
			c.RowGroupRows = minRowGroupRows
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
			c.Compression, c.Roll = Snappy, 50_000
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
		AsRead:   asRead,
		FailStep: failing.From,
		Steps:    failing.Tried,
		Break: func(t *testing.T) {
			if err := os.WriteFile(c.Dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// asRead is what Parquet keeps of a row: the value of an amount, not how it was
// written.
func asRead(r *schema.Row) {
	for _, d := range []*schema.Opt[schema.Decimal]{&r.FeeAmount, &r.FeeConvertedFromAmount} {
		if d.Valid {
			d.Value.Text = d.Value.Canonical()
		}
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
	paths, err := filepath.Glob(filepath.Join(dir, "marketplace=*", "date="+date, "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	var rows []schema.Row
	for _, path := range paths {
		rows = append(rows, readFile(t, path)...)
	}
	return rows
}
