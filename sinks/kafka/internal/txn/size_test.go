package txn_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/segmentio/kafka-go"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/txn"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
)

// noise returns bytes that cannot be compressed.
func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func TestSplitsWhatTheTopicFindsTooLarge(t *testing.T) {
	both(t, func(t *testing.T, k *kafkatest.Kafka) {
		r := newRig(t, k, func(c *txn.Config) { c.Compression = kafka.Zstd })
		small := kafkatest.Unique("small")
		k.CreateTopic(t, small, 1, "max.message.bytes=10000")
		value := noise(3000)
		for range 2 {
			if err := r.Begin(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 50 {
				if err := r.Add(t.Context(), small, 0, &txn.Record{Key: []byte("k"), Value: value}); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got := kafkatest.ReadCommitted(t, k.Brokers, small)
		if len(got) != 100 {
			t.Errorf("%d records, not 100", len(got))
		}
		for _, record := range got {
			if !bytes.Equal(record.Value, value) {
				t.Fatal("a record came back changed")
			}
		}

		if err := r.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := r.Add(t.Context(), small, 0, &txn.Record{Key: []byte("the-large-one"), Value: noise(12000)})
		if err == nil {
			err = r.commit(t.Context())
		}
		tooLarge, ok := errors.AsType[*txn.TooLargeError](err)
		if !ok || tooLarge.Topic != small || tooLarge.Key != "the-large-one" || tooLarge.Bytes < 12000 || tooLarge.Sent < 12000 {
			t.Fatalf("%v", err)
		}
		if err := r.Abort(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kafkatest.ReadCommitted(t, k.Brokers, small); len(got) != 100 {
			t.Errorf("%d records after a refused transaction, not 100", len(got))
		}
	})
}

func TestBuffersNoMoreThanTold(t *testing.T) {
	k, _ := kafkatest.Fake(t)
	r := newRig(t, k, func(c *txn.Config) { c.BufferBytes = 2000; c.InFlight = 1 })
	r.transact(t, 0, 2000)
	r.expect(t, 2000)
}
