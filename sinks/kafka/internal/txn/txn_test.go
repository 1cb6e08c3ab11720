package txn_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/txn"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

// quiet throws away what the producer says of retries that a test provokes.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// rig is a producer on a wire to a cluster, with a topic of its own.
type rig struct {
	*txn.Producer
	kafka *kafkatest.Kafka
	wire  *kafkatest.Wire
	topic string
	cfg   txn.Config
}

const partitions = 3

func newRig(t *testing.T, k *kafkatest.Kafka, change ...func(*txn.Config)) *rig {
	t.Helper()
	r := &rig{kafka: k, wire: new(kafkatest.Wire), topic: kafkatest.Unique("topic")}
	k.CreateTopic(t, r.topic, partitions)
	transport := &kafka.Transport{Dial: r.wire.Dial, MetadataTTL: 200 * time.Millisecond}
	t.Cleanup(transport.CloseIdleConnections)
	r.cfg = txn.Config{
		Transport: transport, Addr: kafka.TCP(k.Brokers...), TransactionalID: kafkatest.Unique("id"),
		Logger: quiet(), RequestTimeout: 10 * time.Second, Patience: 20 * time.Second,
	}
	for _, c := range change {
		c(&r.cfg)
	}
	r.start(t)
	return r
}

// start makes a new producer for the rig, which fences the one before.
func (r *rig) start(t *testing.T) {
	t.Helper()
	if err := r.tryStart(t); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) tryStart(t *testing.T) error {
	r.Producer = txn.New(r.cfg)
	// The test's context is over when this runs: it ends the senders, and asks
	// nothing of the broker.
	t.Cleanup(func() { _ = r.Abort(t.Context()) })
	return r.Init(t.Context())
}

// write begins a transaction and adds n records to it, numbered from first,
// over all partitions.
func (r *rig) write(ctx context.Context, first, n int) error {
	if err := r.Begin(ctx); err != nil {
		return err
	}
	for i := first; i < first+n; i++ {
		if err := r.Add(ctx, r.topic, i%partitions, record(i)); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) commit(ctx context.Context) error {
	_, err := r.Commit(ctx)
	return err
}

// transact is a whole transaction that must succeed.
func (r *rig) transact(t *testing.T, first, n int) {
	t.Helper()
	if err := r.write(t.Context(), first, n); err != nil {
		t.Fatal(err)
	}
	if err := r.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func record(i int) *txn.Record {
	return &txn.Record{
		Key:     fmt.Appendf(nil, "key-%06d", i),
		Value:   fmt.Appendf(nil, `{"n":%d}`, i),
		Time:    time.UnixMilli(1_750_000_000_000 + int64(i)),
		Headers: []kafka.Header{{Key: "n", Value: fmt.Append(nil, i)}, {Key: "empty", Value: nil}},
	}
}

// expect asserts that a read_committed consumer sees the records 0 to n-1, each
// once, whole, in its partition, and in order.
func (r *rig) expect(t *testing.T, n int) {
	t.Helper()
	var got []int
	last := make(map[int32]int)
	for _, record := range kafkatest.ReadCommitted(t, r.kafka.Brokers, r.topic) {
		var i int
		if _, err := fmt.Sscanf(string(record.Key), "key-%d", &i); err != nil {
			t.Fatalf("key %q: %v", record.Key, err)
		}
		want := fmt.Sprintf(`{"n":%d}`, i)
		if string(record.Value) != want || record.Timestamp.UnixMilli() != 1_750_000_000_000+int64(i) || record.Partition != int32(i%partitions) {
			t.Errorf("record %d: value %q, time %v, partition %d", i, record.Value, record.Timestamp, record.Partition)
		}
		if len(record.Headers) != 2 || record.Headers[0].Key != "n" || string(record.Headers[0].Value) != fmt.Sprint(i) || record.Headers[1].Key != "empty" {
			t.Errorf("record %d: headers %v", i, record.Headers)
		}
		if before, seen := last[record.Partition]; seen && before > i {
			t.Errorf("partition %d: %d comes after %d", record.Partition, i, before)
		}
		last[record.Partition] = i
		got = append(got, i)
	}
	slices.Sort(got)
	want := make([]int, n)
	for i := range want {
		want[i] = i
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d records are committed, want 0 to %d once each: %v", len(got), n-1, got[:min(len(got), 50)])
	}
}

// both runs the test against a real broker and against kfake's cluster of three.
func both(t *testing.T, test func(t *testing.T, k *kafkatest.Kafka)) {
	t.Run("broker", func(t *testing.T) { test(t, kafkatest.Broker(t)) })
	t.Run("kfake", func(t *testing.T) {
		k, _ := kafkatest.Fake(t)
		test(t, k)
	})
}

func TestTransactionsInEveryCompression(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		for _, compression := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
			t.Run(compression.String(), func(t *testing.T) {
				r := newRig(t, k, func(c *txn.Config) { c.Compression = compression; c.BatchRecords = 40 })
				r.transact(t, 0, 500)
				r.transact(t, 500, 3)
				r.expect(t, 503)
			})
		}
	})
}

func TestEmptyTransactionAsksNothingOfTheBroker(t *testing.T) {
	k, _ := kafkatest.Fake(t)
	r := newRig(t, k)
	r.transact(t, 0, 0)
	if n := r.wire.Requests(24) + r.wire.Requests(26); n != 0 {
		t.Errorf("%d requests for an empty transaction", n)
	}
	r.transact(t, 0, 10)
	r.expect(t, 10)
}

func TestPartitionsJoinTogether(t *testing.T) {
	k, _ := kafkatest.Fake(t)
	r := newRig(t, k)
	positions := kafkatest.Unique("positions")
	k.CreateTopic(t, positions, 1)
	r.Expect(positions, 0)
	if err := r.write(t.Context(), 0, 30); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(t.Context(), positions, 0, record(30)); err != nil {
		t.Fatal(err)
	}
	if err := r.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.wire.Requests(24); n != 1 {
		t.Errorf("%d requests to add 4 partitions to a transaction, not 1", n)
	}
	r.expect(t, 30)
	if got := kafkatest.ReadCommitted(t, k.Brokers, positions); len(got) != 1 {
		t.Errorf("%d records in the partition that was expected, not 1", len(got))
	}
}

func TestAbortLeavesNothingVisible(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		r.transact(t, 0, 30)
		if err := r.write(t.Context(), 1000, 30); err != nil {
			t.Fatal(err)
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
		if all := kafkatest.ReadAll(t, k.Brokers, r.topic); len(all) != 60 {
			t.Fatalf("%d records reached the log, not 60: the test shows nothing", len(all))
		}
		r.transact(t, 30, 30)
		r.expect(t, 60)
	})
}

func TestSuccessorFences(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		zombie := newRig(t, k)
		zombie.transact(t, 0, 30)
		if err := zombie.write(t.Context(), 1000, 30); err != nil {
			t.Fatal(err)
		}
		if err := zombie.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		successor := *zombie
		successor.start(t)
		if _, err := zombie.Commit(t.Context()); verdict(t, err) != attempt.Fenced {
			t.Errorf("the zombie's commit: %v", err)
		}
		successor.transact(t, 30, 30)
		successor.expect(t, 60)
	})
}

// TestZombieLeavesItsSuccessorAlone lets a producer that has been replaced end
// its transaction, as a process does that is asked to stop: that must not fence
// the successor.
func TestZombieLeavesItsSuccessorAlone(t *testing.T) {
	for _, knows := range []bool{true, false} {
		t.Run(fmt.Sprintf("knows=%t", knows), func(t *testing.T) {
			both(t, func(t *testing.T, k *kafkatest.Kafka) {
				zombie := newRig(t, k)
				if err := zombie.write(t.Context(), 1000, 30); err != nil {
					t.Fatal(err)
				}
				if err := zombie.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				successor := *zombie
				successor.start(t)
				if err := successor.write(t.Context(), 0, 30); err != nil {
					t.Fatal(err)
				}
				if err := successor.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if knows {
					if _, err := zombie.Commit(t.Context()); verdict(t, err) != attempt.Fenced {
						t.Errorf("the zombie's commit: %v", err)
					}
				}
				if err := zombie.Abort(t.Context()); knows != (err == nil) {
					t.Errorf("the zombie's abort: %v", err)
				}
				if err := zombie.Begin(t.Context()); verdict(t, err) != attempt.Fenced {
					t.Errorf("the zombie begins again: %v", err)
				}
				if err := successor.commit(t.Context()); err != nil {
					t.Errorf("the successor's commit: %v", err)
				}
				successor.expect(t, 30)
			})
		})
	}
}

func TestZombieCannotWrite(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		zombie := newRig(t, k)
		if err := zombie.write(t.Context(), 1000, 3); err != nil {
			t.Fatal(err)
		}
		if err := zombie.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		successor := *zombie
		successor.start(t)
		if err := zombie.Add(t.Context(), zombie.topic, 0, record(1003)); err != nil {
			t.Fatal(err)
		}
		// kfake looks at the transaction's state before it looks at the epoch.
		if err := zombie.Flush(t.Context()); verdict(t, err) != attempt.Fenced && (k.Real || verdict(t, err) != attempt.StartOver) {
			t.Errorf("the zombie's batch: %v", err)
		}
		successor.transact(t, 0, 30)
		successor.expect(t, 30)
	})
}

func TestWithoutTransactions(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k, func(c *txn.Config) { c.TransactionalID = ""; c.BatchRecords = 7 })
		r.transact(t, 0, 100)
		if n := r.wire.Requests(22) + r.wire.Requests(24) + r.wire.Requests(26); n != 0 {
			t.Errorf("%d transactional requests", n)
		}
		// What was sent stays, whatever becomes of the rest.
		if err := r.write(t.Context(), 100, 20); err != nil {
			t.Fatal(err)
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.expect(t, 120)
	})
}
