package embedded_test

import (
	"fmt"
	"log/slog"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/kafka"
	"github.com/leads-etl/leads-etl/sinks/kafka/embedded"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSinkWrites writes through the sink as it is configured by default.
func TestSinkWrites(t *testing.T) {
	broker, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	binding := deliver.Binding{JournalID: "j", Account: sinktest.Account, Marketplace: sinktest.Marketplace}
	cfg := kafka.DefaultConfig(broker.Addresses()...)
	sink, err := kafka.Open(t.Context(), cfg, binding, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	tx, err := sink.Begin(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Write(t.Context(), sinktest.Leads(sinktest.Day, 0, 5000)); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context(), deliver.Position{Journal: "j", Next: 3}); err != nil {
		t.Fatal(err)
	}
	if n := len(kafkatest.ReadCommitted(t, broker.Addresses(), cfg.Topic)); n != 5000 {
		t.Errorf("%d records, not 5000", n)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	broker, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func ExampleStart() {
	broker, err := embedded.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer broker.Close()
	fmt.Println(len(broker.Addresses()), "address")
	// Output: 1 address
}
