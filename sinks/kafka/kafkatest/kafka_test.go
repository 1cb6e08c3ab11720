package kafkatest_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

// produce writes three records in a transaction and ends it as told.
func produce(t *testing.T, k *kafkatest.Kafka, topic, txn string, end kgo.TransactionEndTry) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Brokers...), kgo.TransactionalID(txn), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		r := kgo.StringRecord(fmt.Sprintf("%s %t %d", txn, bool(end), i))
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	kafkatest.EndTransaction(t, client, topic, end)
}

func TestReadsCommittedOnly(t *testing.T) {
	k := kafkatest.Broker(t)
	topic, txn := kafkatest.Unique("read"), kafkatest.Unique("txn")
	k.CreateTopic(t, topic, 2, "retention.ms=-1")
	if got := k.TopicConfig(t, topic, "retention.ms"); got != "-1" {
		t.Errorf("retention.ms is %q", got)
	}
	if got := k.Partitions(t, topic); got != 2 {
		t.Errorf("%d partitions", got)
	}
	if got := kafkatest.ReadCommitted(t, k.Brokers, topic); len(got) != 0 {
		t.Fatalf("an empty topic has %d records", len(got))
	}
	produce(t, k, topic, txn, kgo.TryCommit)
	produce(t, k, topic, txn, kgo.TryAbort)
	if got := kafkatest.ReadCommitted(t, k.Brokers, topic); len(got) != 3 {
		t.Errorf("%d records are committed, not 3", len(got))
	}
	if got := kafkatest.ReadAll(t, k.Brokers, topic); len(got) != 6 {
		t.Errorf("%d records were written, not 6", len(got))
	}
}

func TestRestartKeepsAddressAndData(t *testing.T) {
	k := kafkatest.Private(t)
	topic := kafkatest.Unique("restart")
	k.CreateTopic(t, topic, 1)
	produce(t, k, topic, "before", kgo.TryCommit)
	k.Restart(t)
	produce(t, k, topic, "after", kgo.TryCommit)
	if got := kafkatest.ReadCommitted(t, k.Brokers, topic); len(got) != 6 {
		t.Errorf("%d records after a restart, not 6", len(got))
	}
}
