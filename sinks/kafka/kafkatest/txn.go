package kafkatest

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// EndTransaction ends the transaction in which client, franz-go's, wrote to topic.
//
// A commit must not come before the client has taken up the topic's partitions:
// franz-go v1.22.3 sends off the records that waited for a topic's first metadata
// before it keeps these (storePartitionsUpdate), and a transaction that ends in
// between knows of no partition that is part of it. It is then not committed, or
// aborted, and EndTransaction returns no error.
func EndTransaction(t testing.TB, client *kgo.Client, topic string, how kgo.TransactionEndTry) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		leader, _, err := client.PartitionLeader(topic, 0)
		if err != nil {
			t.Fatal(err)
		}
		if leader >= 0 {
			break
		}
		select {
		case <-time.After(time.Millisecond):
		case <-deadline:
			t.Fatalf("kafkatest: the producer has written nothing to %s, or not learned its partitions", topic)
		}
	}
	if err := client.EndTransaction(t.Context(), how); err != nil {
		t.Fatal(err)
	}
}
