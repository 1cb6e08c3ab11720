package kafkatest

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadCommitted returns the records of the topic, as a read_committed consumer
// sees them at the time of the call, in the order of their offsets within each
// partition. It waits for transactions that have ended and whose markers are
// being written; those that are open it stops at, as such a consumer does.
func ReadCommitted(t testing.TB, brokers []string, topic string) []*kgo.Record {
	t.Helper()
	return read(t, brokers, topic, kgo.ReadCommitted(), stableOffsets)
}

// ReadAll returns the records that a careless consumer sees: aborted ones and
// those of open transactions too.
func ReadAll(t testing.TB, brokers []string, topic string) []*kgo.Record {
	t.Helper()
	return read(t, brokers, topic, kgo.ReadUncommitted(), func(ctx context.Context, admin *kadm.Client, topic string) (kadm.ListedOffsets, error) {
		return admin.ListEndOffsets(ctx, topic)
	})
}

// stableOffsets returns the offsets up to which no transaction is open, when no
// transaction is in the middle of ending.
func stableOffsets(ctx context.Context, admin *kadm.Client, topic string) (kadm.ListedOffsets, error) {
	for {
		ending, err := admin.ListTransactions(ctx, nil, []string{"PrepareCommit", "PrepareAbort"})
		if err != nil {
			return nil, err
		}
		if len(ending) == 0 {
			return admin.ListCommittedOffsets(ctx, topic)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func read(t testing.TB, brokers []string, topic string, level kgo.IsolationLevel,
	endOffsets func(context.Context, *kadm.Client, string) (kadm.ListedOffsets, error),
) []*kgo.Record {
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
	ends, err := endOffsets(ctx, admin, topic)
	if err != nil {
		t.Fatalf("reading %s: %v", topic, err)
	}
	// Control records are kept because what is to be read mostly ends with one,
	// and reaching it is how a partition is known to be read.
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
