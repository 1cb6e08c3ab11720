package parquet

import (
	"errors"
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
			return destination(DefaultConfig(filepath.Join(sinktest.Folder(t), "out")))
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
			return destination(c)
		},
	})
}

func destination(c Config) sinktest.Destination {
	var armed, steps int
	return sinktest.Destination{
		Open: func(t *testing.T, b deliver.Binding) (deliver.Sink, error) {
			return open(t.Context(), c, b, slog.New(slog.DiscardHandler), func(string, string) error {
				if steps++; armed > 0 && steps >= armed {
					return errors.New("a step failed for the test")
				}
				return nil
			})
		},
		Read: func(t *testing.T, p deliver.Partition) []schema.Row {
			return readTable(t, c.Dir, p)
		},
		AsRead:   asRead,
		FailStep: func(n int) { armed, steps = n, 0 },
		Steps:    func() int { return steps },
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
	if date == "" {
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
