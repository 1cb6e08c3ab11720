package kafkatest

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadCommitted returns the records of the topic, as a read_committed consumer
// sees them, in the order of their offsets within each partition. It returns
// what there was at the time of the call; the test fails if an open transaction
// keeps it from being read to the end within 30 seconds.
func ReadCommitted(t testing.TB, brokers []string, topic string) []*kgo.Record {
	t.Helper()
	return read(t, brokers, topic, kgo.ReadCommitted())
}

// ReadAll returns the records that a careless consumer sees: aborted ones and
// those of open transactions too.
func ReadAll(t testing.TB, brokers []string, topic string) []*kgo.Record {
	t.Helper()
	return read(t, brokers, topic, kgo.ReadUncommitted())
}

func read(t testing.TB, brokers []string, topic string, level kgo.IsolationLevel) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.FetchIsolationLevel(level), kgo.KeepControlRecords(),
		kgo.FetchMaxWait(200*time.Millisecond), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		t.Fatalf("reading %s: %v", topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatalf("reading %s: %v", topic, err)
	}
	// Control records are kept because every partition's log ends with one, and
	// reaching it is how a partition is known to be read.
	left := make(map[int32]int64)
	offsets := make(map[int32]kgo.Offset)
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		offsets[end.Partition] = kgo.NewOffset().At(start.Offset)
		if end.Err != nil {
			t.Fatalf("reading %s: %v", topic, end.Err)
		}
		if end.Offset > start.Offset {
			left[end.Partition] = end.Offset
		}
	})
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets})
	var records []*kgo.Record
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			t.Fatalf("reading %s/%d: %v (%d partitions left)", topic, e.Partition, e.Err, len(left))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, reading := left[r.Partition]
			if !reading {
				return
			}
			if r.Offset < end && !r.Attrs.IsControl() {
				records = append(records, r)
			}
			if r.Offset >= end-1 {
				delete(left, r.Partition)
			}
		})
	}
	return records
}
