package kafka_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/kafka"
	"github.com/leads-etl/leads-etl/sinks/kafka/embedded"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// Rows and the position in the journal become visible together.
func ExampleOpen() {
	broker, err := embedded.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer broker.Close()

	ctx := context.Background()
	binding := deliver.Binding{JournalID: "a-journal", Account: sinktest.Account, Marketplace: sinktest.Marketplace}
	sink, err := kafka.Open(ctx, kafka.DefaultConfig(broker.Addresses()...), binding, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sink.Close()

	tx, err := sink.Begin(ctx, deliver.Whole)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tx.Rollback() // does nothing after the commit
	if err := tx.Write(ctx, sinktest.Leads(sinktest.Day, 0, 3)); err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := tx.Commit(ctx, deliver.Position{Journal: "a-journal", Next: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	position, err := sink.Position(ctx, deliver.Whole)
	fmt.Println(receipt.Rows, "rows, next record:", position.Next, err)
	// Output: 3 rows, next record: 1 <nil>
}
