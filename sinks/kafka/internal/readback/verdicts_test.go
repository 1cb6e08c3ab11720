package readback

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
)

// event is one batch of a log: a record of the key, one of another key, or the
// end of a transaction.
type event struct {
	kind          uint8
	producer      int64
	transactional bool
}

const (
	ours, others, commit, abort = 0, 1, 2, 3
)

func eventOf(b byte) event {
	e := event{kind: b & 3, producer: int64(b >> 2 & 3), transactional: b&16 == 0}
	if e.kind >= commit {
		e.transactional = true
	}
	if !e.transactional {
		e.producer = -1
	}
	return e
}

// expected reads the log as its definition says: a record counts if it is not
// transactional, or the next marker of its producer is a commit.
func expected(log []event) int {
	for i := len(log) - 1; i >= 0; i-- {
		if log[i].kind != ours {
			continue
		}
		if !log[i].transactional {
			return i
		}
		for _, later := range log[i:] {
			if later.producer == log[i].producer && later.kind >= commit {
				if later.kind == commit {
					return i
				}
				break
			}
		}
	}
	return -1
}

// openBehind reports whether there is a record of ours behind i whose transaction
// has not ended.
func openBehind(log []event, i int) bool {
	for j := len(log) - 1; j > i; j-- {
		if log[j].kind != ours || !log[j].transactional {
			continue
		}
		ended := false
		for _, later := range log[j:] {
			ended = ended || later.kind >= commit && later.producer == log[j].producer
		}
		if !ended {
			return true
		}
	}
	return false
}

// stableOf is the log's last stable offset: the first record of a transaction
// that has not ended.
func stableOf(log []event) int64 {
	for i, e := range log {
		if e.kind >= commit || !e.transactional {
			continue
		}
		ended := false
		for _, later := range log[i:] {
			ended = ended || later.kind >= commit && later.producer == e.producer
		}
		if !ended {
			return int64(i)
		}
	}
	return int64(len(log))
}

// encode is the event as the record batch that a broker stores at the offset.
func (e event) encode(t testing.TB, offset int64) []byte {
	set := protocol.RecordSet{Version: 2}
	if e.transactional {
		set.Attributes |= protocol.Transactional
	}
	switch e.kind {
	case commit, abort:
		set.Attributes |= protocol.Control
		marker := []byte{0, 0, 0, abortMarker}
		if e.kind == commit {
			marker[3] = commitMarker
		}
		set.Records = protocol.NewRecordReader(protocol.Record{Key: protocol.NewBytes(marker), Value: protocol.NewBytes(make([]byte, 6))})
	case ours:
		set.Records = protocol.NewRecordReader(protocol.Record{Key: protocol.NewBytes([]byte("ours")), Value: protocol.NewBytes(fmt.Append(nil, offset))})
	default:
		set.Records = protocol.NewRecordReader(protocol.Record{Key: protocol.NewBytes([]byte("theirs"))})
	}
	var buf bytes.Buffer
	if _, err := set.WriteTo(&buf); err != nil {
		t.Fatal(err)
	}
	b := buf.Bytes()[4:]
	binary.BigEndian.PutUint64(b, uint64(offset))
	binary.BigEndian.PutUint64(b[43:], uint64(e.producer))
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// FuzzLog writes a log as brokers store it, reads it in stretches as they come,
// and compares with the definition of read_committed. Bits of the input say what
// each batch is; cuts where stretches end.
func FuzzLog(f *testing.F) {
	f.Add([]byte{ours, commit}, uint64(0))
	f.Add([]byte{ours, abort, ours}, uint64(2))
	f.Add([]byte{ours, ours | 4, others, commit, abort | 4, ours | 16}, uint64(0b10110))
	f.Add([]byte{ours, commit, ours, ours | 4, commit | 4, others | 8}, uint64(0b1001))
	f.Fuzz(func(t *testing.T, data []byte, cuts uint64) {
		data = data[:min(len(data), 60)]
		log := make([]event, len(data))
		for i, b := range data {
			log[i] = eventOf(b)
		}
		behind := make(later)
		got, undecided := -1, false
		for end := len(log); end > 0 && got < 0; {
			from := end - 1
			for from > 0 && cuts>>from&1 == 0 {
				from--
			}
			s := newStretch()
			for next := from; next < end; {
				// A fetch of some batches, which may reach beyond the stretch.
				to := min(next+1+int(cuts%5), len(log))
				var body []byte
				for i := next; i < to; i++ {
					body = append(body, log[i].encode(t, int64(i))...)
				}
				var set protocol.RecordSet
				raw := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
				if _, err := set.ReadFrom(bytes.NewBuffer(append(raw, body...))); err != nil {
					t.Fatal(err)
				}
				after, err := take(set.Records, int64(next), int64(end), "ours", s)
				if err != nil {
					t.Fatal(err)
				}
				if int(after) != to {
					t.Fatalf("%d batches from %d were read as far as %d", to-next, next, after)
				}
				next = to
			}
			best, open := s.settle(behind, stableOf(log))
			undecided = undecided || open
			if best.found {
				got = int(best.offset)
				if string(best.value) != fmt.Sprint(got) {
					t.Fatalf("value %q of the record at %d", best.value, got)
				}
			}
			end = from
		}
		if want := openBehind(log, got); undecided != want {
			t.Errorf("a record behind %d is in an open transaction: %t, want %t: %+v", got, undecided, want, log)
		}
		if want := expected(log); got != want {
			t.Errorf("last committed at %d, want %d: %+v, stable %d", got, want, log, stableOf(log))
		}
	})
}

// TestMarkerCompactedAway has a record without the marker of its commit: below
// the stable offset it counts, above it is not decided.
func TestMarkerCompactedAway(t *testing.T) {
	for stable, want := range map[int64]bool{4: true, 3: false} {
		s := newStretch()
		s.record(7, true, 3, []byte("x"))
		best, undecided := s.settle(make(later), stable)
		if best.found != want || undecided == want {
			t.Errorf("stable offset %d: found %t, want %t; undecided %t", stable, best.found, want, undecided)
		}
	}
}
