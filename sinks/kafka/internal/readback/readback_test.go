package readback_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
	"github.com/leads-etl/leads-etl/sinks/kafka/internal/readback"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

type rig struct {
	readback.Partition
	kafka *kafkatest.Kafka
	wire  *kafkatest.Wire
}

func newRig(t *testing.T, k *kafkatest.Kafka, config ...string) *rig {
	t.Helper()
	r := &rig{kafka: k, wire: new(kafkatest.Wire)}
	topic := kafkatest.Unique("positions")
	k.CreateTopic(t, topic, 1, config...)
	transport := &kafka.Transport{Dial: r.wire.Dial, MetadataTopics: []string{topic}}
	t.Cleanup(transport.CloseIdleConnections)
	r.Partition = readback.Partition{
		Client: &kafka.Client{Addr: kafka.TCP(k.Brokers...), Transport: transport, Timeout: 10 * time.Second},
		Policy: attempt.Policy{Patience: 10 * time.Second, Logger: slog.New(slog.DiscardHandler)},
		Topic:  topic,
	}
	return r
}

func (r *rig) want(t *testing.T, key, want string) {
	t.Helper()
	value, found, err := r.Last(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if string(value) != want || found != (want != "") {
		t.Errorf("last of %s is %q (found: %t), want %q", key, value, found, want)
	}
}

// writer is another's producer, franz-go's.
type writer struct {
	*kgo.Client
	topic string
}

func (r *rig) writer(t *testing.T, options ...kgo.Opt) writer {
	t.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(r.kafka.Brokers...), kgo.DefaultProduceTopic(r.Topic),
		kgo.TransactionTimeout(30*time.Second), kgo.ProducerLinger(0))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return writer{client, r.Topic}
}

func (w writer) put(t *testing.T, key, value string) {
	t.Helper()
	if err := w.ProduceSync(t.Context(), kgo.KeyStringRecord(key, value)).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func (w writer) begin(t *testing.T) {
	t.Helper()
	if err := w.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
}

func (w writer) end(t *testing.T, how kgo.TransactionEndTry) {
	t.Helper()
	kafkatest.EndTransaction(t, w.Client, w.topic, how)
}

func both(t *testing.T, test func(t *testing.T, k *kafkatest.Kafka)) {
	t.Run("broker", func(t *testing.T) { test(t, kafkatest.Broker(t)) })
	t.Run("kfake", func(t *testing.T) {
		k, _ := kafkatest.Fake(t)
		test(t, k)
	})
}

func TestNothingThere(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		r.want(t, "mine", "")
		r.writer(t).put(t, "theirs", "x")
		r.want(t, "mine", "")
		r.want(t, "theirs", "x")
	})
}

func TestCommittedAndAborted(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		w := r.writer(t, kgo.TransactionalID(kafkatest.Unique("a")))
		for i, how := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit, kgo.TryCommit, kgo.TryAbort} {
			w.begin(t)
			w.put(t, "mine", fmt.Sprint("first of ", i))
			w.put(t, "mine", fmt.Sprint("second of ", i))
			w.end(t, how)
		}
		r.want(t, "mine", "second of 2")
	})
}

// TestOthersOpenTransaction is why this is not a read_committed consumer: a
// transaction that another exporter left open keeps such a consumer from seeing
// what we committed behind it.
func TestOthersOpenTransaction(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		mine := r.writer(t, kgo.TransactionalID(kafkatest.Unique("a")))
		mine.begin(t)
		mine.put(t, "mine", "old")
		mine.end(t, kgo.TryCommit)
		other := r.writer(t, kgo.TransactionalID(kafkatest.Unique("b")))
		other.begin(t)
		other.put(t, "theirs", "never committed")
		mine.begin(t)
		mine.put(t, "mine", "new")
		mine.end(t, kgo.TryCommit)

		r.want(t, "mine", "new")
		r.want(t, "theirs", "")
		other.end(t, kgo.TryAbort)
		r.want(t, "mine", "new")
		r.want(t, "theirs", "")
	})
}

// TestEnded waits for the marker of a transaction that is said to have ended.
func TestEnded(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		w := r.writer(t, kgo.TransactionalID(kafkatest.Unique("a")))
		w.begin(t)
		w.put(t, "mine", "old")
		w.end(t, kgo.TryCommit)
		w.begin(t)
		w.put(t, "mine", "new")
		r.Ended = true
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if value, _, err := r.Last(ctx, "mine"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while the transaction is open: %q, %v", value, err)
		}
		w.end(t, kgo.TryCommit)
		r.want(t, "mine", "new")
		// Nothing of this makes a difference to other keys.
		w.begin(t)
		w.put(t, "theirs", "open")
		r.want(t, "mine", "new")
		w.end(t, kgo.TryAbort)
		r.want(t, "theirs", "")
	})
}

func TestTombstone(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		w := r.writer(t)
		w.put(t, "mine", "x")
		if err := w.ProduceSync(t.Context(), &kgo.Record{Key: []byte("mine")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		value, found, err := r.Last(t.Context(), "mine")
		if err != nil || !found || value != nil {
			t.Errorf("value %q, found %t, error %v", value, found, err)
		}
	})
}

// TestLongLog reads a log in which others have written much since, and counts
// what that takes.
func TestLongLog(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		w := r.writer(t, kgo.TransactionalID(kafkatest.Unique("a")))
		w.begin(t)
		w.put(t, "quiet", "long ago")
		w.end(t, kgo.TryCommit)
		bulk := r.writer(t, kgo.ProducerLinger(50*time.Millisecond))
		for i := range 20_000 {
			bulk.Produce(t.Context(), kgo.KeyStringRecord("busy", fmt.Sprint(i)), nil)
		}
		if err := bulk.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.want(t, "busy", "19999")
		if n := r.wire.Requests(int16(kmsg.Fetch)); n > 2 {
			t.Errorf("%d fetches for the last record of a log", n)
		}
		r.want(t, "quiet", "long ago")
	})
}

// TestCompacted reads a log that has been compacted, with batches, records and
// markers gone.
func TestCompacted(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k, "cleanup.policy=compact", "segment.ms=100", "min.cleanable.dirty.ratio=0.0",
			"delete.retention.ms=0", "max.compaction.lag.ms=100")
		r.Ended = true // wait for the markers of what was committed last
		w := r.writer(t, kgo.TransactionalID(kafkatest.Unique("a")))
		other := r.writer(t, kgo.TransactionalID(kafkatest.Unique("b")))
		write := func(w writer, key, value string, how kgo.TransactionEndTry) {
			w.begin(t)
			w.put(t, key, value)
			w.end(t, how)
		}
		write(w, "first", "kept", kgo.TryCommit)
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		for i := 0; ; i++ {
			write(w, "mine", fmt.Sprint("aborted ", i), kgo.TryAbort)
			write(w, "mine", fmt.Sprint("committed ", i), kgo.TryCommit)
			write(other, "theirs", fmt.Sprint("committed ", i), kgo.TryCommit)
			if i%10 == 9 {
				k.Compact()
				r.want(t, "mine", fmt.Sprint("committed ", i))
				r.want(t, "theirs", fmt.Sprint("committed ", i))
				r.want(t, "first", "kept")
				// Compaction has been at work once records are missing.
				if len(kafkatest.ReadAll(t, k.Brokers, r.Topic)) < i {
					return
				}
			}
			if ctx.Err() != nil {
				t.Fatalf("the topic was not compacted in %d rounds", i)
			}
		}
	})
}

func TestLostAnswers(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k)
		r.writer(t).put(t, "mine", "x")
		r.wire.DropAnswers(int16(kmsg.Fetch), 0, 3)
		r.wire.DropAnswers(int16(kmsg.ListOffsets), 1, 3)
		r.want(t, "mine", "x")
	})
}
