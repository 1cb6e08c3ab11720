package kafka

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

const journalID = "0190c0de-0000-7000-8000-00000000000a"

var testBinding = deliver.Binding{JournalID: journalID, Account: sinktest.Account, Marketplace: sinktest.Marketplace}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// quick is a tuning for tests: metadata are refreshed often, and patience ends
// soon.
func quick(wire *kafkatest.Wire) tuning {
	return tuning{dial: wire.Dial, metadataTTL: 100 * time.Millisecond, openPatience: 10 * time.Second, patience: 10 * time.Second, requestTimeout: 10 * time.Second}
}

// unique is a config with topics and a transactional id of its own.
func unique(k *kafkatest.Kafka) Config {
	c := DefaultConfig(k.Brokers...)
	c.Topic = kafkatest.Unique("leads")
	c.PositionsTopic = kafkatest.Unique("positions")
	c.TransactionalID = kafkatest.Unique("exporter")
	return c
}

// openSink opens a sink that is closed with the test.
func openSink(t *testing.T, c Config, tune tuning) *Sink {
	t.Helper()
	s, err := open(t.Context(), c, testBinding, quiet(), tune)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// write commits rows in one transaction.
func write(ctx context.Context, s *Sink, rows []schema.Row, next deliver.Position) error {
	tx, err := s.Begin(ctx, deliver.Whole)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := tx.Write(ctx, rows); err != nil {
		return err
	}
	_, err = tx.Commit(ctx, next)
	return err
}

func mustWrite(t *testing.T, s *Sink, rows []schema.Row, next deliver.Position) {
	t.Helper()
	if err := write(t.Context(), s, rows, next); err != nil {
		t.Fatal(err)
	}
}

func at(next journal.Seq) deliver.Position { return deliver.Position{Journal: journalID, Next: next} }

func wantPosition(t *testing.T, s *Sink, want deliver.Position) {
	t.Helper()
	got, err := s.Position(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("position %+v, want %+v", got, want)
	}
}

// readRows reads the topic's rows back as a read_committed consumer.
func readRows(t *testing.T, k *kafkatest.Kafka, topic string) []schema.Row {
	t.Helper()
	var rows []schema.Row
	for _, record := range kafkatest.ReadCommitted(t, k.Brokers, topic) {
		row, err := schema.ParseJSON(record.Value)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// The requests that change something at the broker.
var changing = []int16{int16(kmsg.Produce), int16(kmsg.InitProducerID), int16(kmsg.AddPartitionsToTxn), int16(kmsg.EndTxn)}
