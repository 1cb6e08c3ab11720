package base

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// Kinds of keys, by their first byte.
const (
	latestKind   = 'r'
	timelessKind = 'v'
	contentKind  = 'c'
)

// RowKinds are what begins the places of Rows.
const RowKinds = string(latestKind) + string(timelessKind)

// appendTime writes a time so that the order of bytes is that of time.
func appendTime(dst []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixMilli())^1<<63)
}

func latestKey(submitted time.Time, id uuid.UUID) []byte {
	return append(appendTime([]byte{latestKind}, submitted), id[:]...)
}

func timelessKey(id uuid.UUID) []byte { return append([]byte{timelessKind}, id[:]...) }

func contentKey(lead uuid.UUID) []byte { return append([]byte{contentKind}, lead[:]...) }

// rowKey is where the latest row of an id is.
func rowKey(row *schema.Row, undated bool) ([]byte, error) {
	id, err := uuid.Parse(row.LeadID)
	if err != nil {
		return nil, fmt.Errorf("lead id of a row: %w", err)
	}
	if undated {
		return timelessKey(id), nil
	}
	return latestKey(row.SubmittedTime.Value, id), nil
}

// sighting is what a value says before its row.
type sighting struct {
	seq   journal.Seq // the page that shows the row last
	since time.Time   // when the content was seen first, of the last run
	hash  [32]byte
}

const sightingLen = 8 + 8 + 32

func sightingOf(seq journal.Seq, received time.Time, row *schema.Row) (sighting, error) {
	s := sighting{seq: seq, since: received}
	if n, err := hex.Decode(s.hash[:], []byte(row.ContentHash)); err != nil || n != len(s.hash) {
		return s, fmt.Errorf("content hash of lead %s is no SHA-256", row.LeadID)
	}
	return s, nil
}

func (s *sighting) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.seq))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.since.UnixMilli()))
	return append(dst, s.hash[:]...)
}

// errValue says that a value is not one that was written.
var errValue = errors.New("a row is not what was written")

func readSighting(value []byte) (sighting, error) {
	if len(value) <= sightingLen {
		return sighting{}, errValue
	}
	return sighting{
		seq:   journal.Seq(binary.LittleEndian.Uint64(value)),
		since: time.UnixMilli(int64(binary.LittleEndian.Uint64(value[8:]))).UTC(),
		hash:  [32]byte(value[16:sightingLen]),
	}, nil
}

// readRow returns the row of a value, extracted when its content was seen first.
func readRow(value []byte) (sighting, schema.Row, error) {
	s, err := readSighting(value)
	if err != nil {
		return s, schema.Row{}, err
	}
	row, err := schema.ParseJSON(value[sightingLen:])
	row.ExtractedAt = s.since
	return s, row, err
}

// get returns a copy of a value; nil if there is none.
func get(db pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, value...), closer.Close()
}

// options bound the memory, whatever the number of rows.
func options(logger *slog.Logger) *pebble.Options {
	o := &pebble.Options{
		CacheSize:                   8 << 20,
		MemTableSize:                8 << 20,
		MemTableStopWritesThreshold: 3,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       12,
		MaxOpenFiles:                256,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      quiet{logger},
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionGood })
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].BlockSize = 32 << 10 // rows are alike: many together take less place
	}
	return o
}

// quiet is what the database logs with.
type quiet struct{ logger *slog.Logger }

// Infof is for what the database tells of its ordinary life.
func (q quiet) Infof(string, ...any) {}

// Errorf is for failures that the database goes on after.
func (q quiet) Errorf(format string, args ...any) {
	q.logger.Warn("the base of the journal", "error", fmt.Sprintf(format, args...))
}

// fatalError is a panic's value.
type fatalError struct{ error }

// Fatalf is for failures after which the database must not go on.
func (q quiet) Fatalf(format string, args ...any) { panic(fatalError{fmt.Errorf(format, args...)}) }

// recoverFatal makes a fatal failure the error of the call that met it.
func recoverFatal(err *error) {
	switch r := recover().(type) {
	case nil:
	case fatalError:
		*err = fmt.Errorf("the base of the journal failed: %w", r.error)
	default:
		panic(r)
	}
}
