package txn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/compress/snappy"
	"github.com/segmentio/kafka-go/protocol"
)

// Record is one record to write. The producer copies what it keeps.
type Record struct {
	Key []byte
	// Value is nil for a tombstone.
	Value []byte
	// Time is the record's time, in milliseconds on the wire.
	Time    time.Time
	Headers []kafka.Header
}

// Estimates of what the format adds to the bytes of a record and of a header:
// lengths, deltas, attributes. They err on the large side.
const (
	recordOverhead = 24
	headerOverhead = 6
)

func (r *Record) size() int {
	n := len(r.Key) + len(r.Value) + recordOverhead
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value) + headerOverhead
	}
	return n
}

// batch gathers the records of one partition. All bytes lie in one slice that
// is used again, so that a record costs no allocation.
type batch struct {
	bytes   []byte
	entries []entry
	headers []header
	size    int
}

// entry is one record: offsets into bytes, and its share of headers.
type entry struct {
	time                 time.Time
	key, value, end      int
	firstHeader, headers int
	size                 int
	tombstone            bool
}

type header struct {
	name       string
	start, end int
}

func (b *batch) add(r *Record) {
	e := entry{time: r.Time, firstHeader: len(b.headers), headers: len(r.Headers), size: r.size(), tombstone: r.Value == nil}
	for _, h := range r.Headers {
		start := len(b.bytes)
		b.bytes = append(b.bytes, h.Value...)
		b.headers = append(b.headers, header{h.Key, start, len(b.bytes)})
	}
	e.key = len(b.bytes)
	b.bytes = append(b.bytes, r.Key...)
	e.value = len(b.bytes)
	b.bytes = append(b.bytes, r.Value...)
	e.end = len(b.bytes)
	b.entries = append(b.entries, e)
	b.size += e.size
}

func (b *batch) reset() {
	b.bytes, b.entries, b.headers, b.size = b.bytes[:0], b.entries[:0], b.headers[:0], 0
}

// span is a stretch of a batch's records.
type span struct {
	*batch
	from, to int
}

func (b *batch) all() span { return span{b, 0, len(b.entries)} }

func (s span) len() int { return s.to - s.from }

func (s span) halves() (span, span) {
	mid := s.from + s.len()/2
	return span{s.batch, s.from, mid}, span{s.batch, mid, s.to}
}

// session is what a broker knows a producer's batches by. The zero session is
// not valid: without transactions it is noSession.
type session struct {
	id    int64
	epoch int16
}

var noSession = session{-1, -1}

// Where the producer's fields are in a record batch of version 2, and the
// checksum with what it covers.
const (
	sizePrefix  = 4 // kafka-go puts the record set's size in front
	atLength    = 8
	atCRC       = 17
	atCovered   = 21
	atProducer  = 43
	atEpoch     = 51
	atSequence  = 53
	batchHeader = 61
)

// encode returns the span as kafka-go's raw produce request wants it: a record
// set of one batch. The sequence is that of the first record.
func (s span) encode(compression kafka.Compression, producer session, sequence int32) ([]byte, error) {
	var attributes protocol.Attributes
	if producer != noSession {
		attributes |= protocol.Transactional
	}
	set := protocol.RecordSet{Version: 2, Attributes: attributes, Records: &reader{span: s, next: s.from}}
	plain := plainBatches.Get().(*bytes.Buffer)
	defer plainBatches.Put(plain)
	plain.Reset()
	if _, err := set.WriteTo(plain); err != nil {
		return nil, fmt.Errorf("encoding %d records: %w", s.len(), err)
	}
	raw, err := compressBatch(plain.Bytes(), compression)
	if err != nil {
		return nil, fmt.Errorf("compressing %d records: %w", s.len(), err)
	}
	stamp(raw[sizePrefix:], producer, sequence)
	return raw, nil
}

// plainBatches are the buffers of batches before they are compressed.
var plainBatches = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// codecOf returns what compresses records; nil for nothing. kafka-go's own choice for
// snappy is an encoder that looks for better matches, at half as much CPU time again,
// for a twentieth less; this one does what snappy's own does, as Java clients use it.
func codecOf(c kafka.Compression) compress.Codec {
	if c == kafka.Snappy {
		return &snappy.Codec{Compression: snappy.FasterCompression}
	}
	return c.Codec()
}

// compressBatch returns a copy of the record set with its records compressed. Its
// checksum is not right.
func compressBatch(plain []byte, compression kafka.Compression) ([]byte, error) {
	codec := codecOf(compression)
	if codec == nil {
		return bytes.Clone(plain), nil
	}
	const records = sizePrefix + batchHeader
	var out bytes.Buffer
	out.Grow(records + len(plain)/3)
	out.Write(plain[:records])
	w := codec.NewWriter(&out)
	_, err := w.Write(plain[records:])
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	raw := out.Bytes()
	batch := raw[sizePrefix:]
	binary.BigEndian.PutUint32(raw, uint32(len(batch)))
	binary.BigEndian.PutUint32(batch[atLength:], uint32(len(batch)-atLength-4))
	batch[atCovered+1] |= byte(compression) // the attributes, of two bytes, come first
	return raw, nil
}

// stamp writes the producer's fields, which kafka-go leaves at -1, into a batch
// and sets its checksum right.
func stamp(b []byte, producer session, sequence int32) {
	if producer != noSession {
		binary.BigEndian.PutUint64(b[atProducer:], uint64(producer.id))
		binary.BigEndian.PutUint16(b[atEpoch:], uint16(producer.epoch))
		binary.BigEndian.PutUint32(b[atSequence:], uint32(sequence))
	}
	binary.BigEndian.PutUint32(b[atCRC:], crc32.Checksum(b[atCovered:], castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// reader hands a span's records to kafka-go's encoder, one at a time, in the
// same Record.
type reader struct {
	span
	next    int
	record  protocol.Record
	key     blob
	value   blob
	headers []protocol.Header
}

func (r *reader) ReadRecord() (*protocol.Record, error) {
	if r.next == r.to {
		return nil, io.EOF
	}
	e := r.entries[r.next]
	r.next++
	r.headers = r.headers[:0]
	for _, h := range r.batch.headers[e.firstHeader : e.firstHeader+e.headers] {
		r.headers = append(r.headers, protocol.Header{Key: h.name, Value: r.bytes[h.start:h.end]})
	}
	r.key.Reset(r.bytes[e.key:e.value])
	r.value.Reset(r.bytes[e.value:e.end])
	r.record = protocol.Record{Time: e.time, Key: &r.key, Value: &r.value, Headers: r.headers}
	if e.tombstone {
		r.record.Value = nil
	}
	return &r.record, nil
}

// blob is bytes in the form that kafka-go's encoder reads.
type blob struct{ bytes.Reader }

func (*blob) Close() error { return nil }
