package ndjson_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/ndjson"
)

// A partition is replaced at one stroke, and its position comes back from the
// folder.
func Example() {
	dir, err := os.MkdirTemp("", "leads-*")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	config := ndjson.DefaultConfig(dir)
	config.Compression = ndjson.None
	binding := deliver.Binding{JournalID: "0190c0de", Account: "example-motors", Marketplace: "EBAY_DE"}
	day := deliver.Partition{Date: "2026-09-01"}
	row := schema.Row{
		EventType: schema.Snapshot, Account: binding.Account, MarketplaceID: binding.Marketplace,
		SubmittedTime: schema.Some(time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)),
	}

	ctx := context.Background()
	replace := func(rows ...schema.Row) error {
		sink, err := ndjson.Open(ctx, config, binding, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer func() { _ = sink.Close() }()
		tx, err := sink.Begin(ctx, day)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // nothing after a commit
		if err := tx.Write(ctx, rows); err != nil {
			return err
		}
		receipt, err := tx.Commit(ctx, deliver.Position{Journal: binding.JournalID, Next: 42})
		if err != nil {
			return err
		}
		position, err := sink.Position(ctx, day)
		fmt.Println("rows:", receipt.Rows, "files written:", receipt.Files, "unchanged:", receipt.Unchanged, "next:", position.Next)
		return err
	}
	for range 2 {
		if err := replace(row); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// rows: 1 files written: 1 unchanged: false next: 42
	// rows: 1 files written: 0 unchanged: true next: 42
}
