package txn

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
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

// TestCompressedBatch reads what was compressed as kafka-go reads it: the same
// records, by any codec.
func TestCompressedBatch(t *testing.T) {
	b := new(batch)
	for i := range 500 {
		b.add(&Record{
			Key: []byte{'k', byte(i)}, Value: bytes.Repeat([]byte{byte(i), 'v', byte(i / 7)}, 50), Time: time.UnixMilli(1000 + int64(i)),
			Headers: []kafka.Header{{Key: "h", Value: []byte{byte(i)}}},
		})
	}
	b.add(&Record{Key: []byte("gone"), Time: time.UnixMilli(2000)})
	for _, compression := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		raw, err := b.all().encode(compression, session{id: 7, epoch: 3}, 11)
		if err != nil {
			t.Fatal(err)
		}
		if plain := 150 * 500; compression != 0 && len(raw) > plain {
			t.Errorf("compression %d: %d bytes", compression, len(raw))
		}
		var got protocol.RecordSet
		if _, err := got.ReadFrom(bytes.NewReader(raw)); err != nil { // it checks the checksum
			t.Fatalf("compression %d: %v", compression, err)
		}
		if got.Attributes.Compression() != compression || !got.Attributes.Transactional() {
			t.Errorf("compression %d: attributes %s", compression, got.Attributes)
		}
		want := &reader{span: b.all()}
		want.to = b.all().to
		for n := 0; ; n++ {
			w, err := want.ReadRecord()
			r, gotErr := got.Records.ReadRecord()
			if err != nil {
				if !errors.Is(gotErr, io.EOF) || n != 501 {
					t.Errorf("compression %d: after %d records: %v", compression, n, gotErr)
				}
				break
			}
			if gotErr != nil {
				t.Fatalf("compression %d: record %d: %v", compression, n, gotErr)
			}
			if !r.Time.Equal(w.Time) || !slices.EqualFunc(r.Headers, w.Headers, func(a, b protocol.Header) bool {
				return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
			}) || !equalBytes(t, r.Key, w.Key) || !equalBytes(t, r.Value, w.Value) {
				t.Fatalf("compression %d: record %d differs", compression, n)
			}
		}
	}
}

func equalBytes(t *testing.T, a, b protocol.Bytes) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, err := protocol.ReadAll(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := protocol.ReadAll(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(x, y)
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
