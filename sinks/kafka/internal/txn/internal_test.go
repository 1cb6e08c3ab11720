package txn

import (
	"math"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leads-etl/leads-etl/sinks/kafka/internal/attempt"
)

// TestEncodedBatch reads a batch with franz-go's idea of the format.
func TestEncodedBatch(t *testing.T) {
	b := new(batch)
	for i := range 3 {
		b.add(&Record{Key: []byte{'k', byte(i)}, Value: []byte("v"), Time: time.UnixMilli(1000 + int64(i))})
	}
	for name, s := range map[string]span{"all": b.all(), "half": {b, 1, 3}} {
		raw, err := s.encode(0, session{id: 0x0102030405060708, epoch: 0x090a}, 0x0b0c0d0e)
		if err != nil {
			t.Fatal(err)
		}
		var got kmsg.RecordBatch
		if err := got.ReadFrom(raw[sizePrefix:]); err != nil {
			t.Fatal(err)
		}
		if got.ProducerID != 0x0102030405060708 || got.ProducerEpoch != 0x090a || got.FirstSequence != 0x0b0c0d0e {
			t.Errorf("%s: producer %x, epoch %x, sequence %x", name, got.ProducerID, got.ProducerEpoch, got.FirstSequence)
		}
		if got.Attributes != 1<<4 || int(got.NumRecords) != s.len() || int(got.LastOffsetDelta) != s.len()-1 {
			t.Errorf("%s: attributes %b, %d records, last offset %d", name, got.Attributes, got.NumRecords, got.LastOffsetDelta)
		}
		if got.FirstTimestamp != 1000+int64(s.from) || got.MaxTimestamp != 1002 {
			t.Errorf("%s: times %d to %d", name, got.FirstTimestamp, got.MaxTimestamp)
		}
	}
	if raw, err := b.all().encode(0, noSession, 7); err != nil {
		t.Fatal(err)
	} else {
		var got kmsg.RecordBatch
		if err := got.ReadFrom(raw[sizePrefix:]); err != nil {
			t.Fatal(err)
		}
		if got.ProducerID != -1 || got.ProducerEpoch != -1 || got.FirstSequence != -1 || got.Attributes != 0 {
			t.Errorf("without transactions: %+v", got)
		}
	}
}

func TestSequencesWrap(t *testing.T) {
	for _, c := range []struct {
		sequence int32
		n        int
		want     int32
	}{{0, 5, 5}, {math.MaxInt32, 1, 0}, {math.MaxInt32 - 2, 5, 2}} {
		if got := after(c.sequence, c.n); got != c.want {
			t.Errorf("%d after %d is %d, not %d", c.n, c.sequence, got, c.want)
		}
	}
}

// TestLateIsNotFenced tells a transaction that took too long from a successor.
func TestLateIsNotFenced(t *testing.T) {
	p := New(Config{TransactionalID: "x", TransactionTimeout: time.Minute})
	for began, want := range map[time.Duration]attempt.Verdict{time.Second: attempt.Fenced, 2 * time.Minute: attempt.StartOver} {
		e := p.judge(&transaction{began: time.Now().Add(-began)}, &Error{Verdict: attempt.Fenced, Err: kafka.ProducerFenced})
		if e.Verdict != want {
			t.Errorf("refused after %s: verdict %d, want %d", began, e.Verdict, want)
		}
	}
}
