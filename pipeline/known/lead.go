package known

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// lead is what is known of one lead.
type lead struct {
	space space
	group group
	id    uuid.UUID

	// vanished says that a page that had to show the lead did not.
	vanished bool
	// messages says that hash and digests are of an answer with messages.
	messages bool
	// version counts the stream's events.
	version int32
	// page is the last landed page that shows the content, and row the id that
	// flattening gives the row there. submitted is the row's time in Unix
	// milliseconds, noTime if it is among the page's undated ones.
	page      journal.Seq
	row       uuid.UUID
	submitted int64
	// hash is the first half of the content hash, digests are schema.Digests.
	hash    contentHash
	digests []uint32

	// Of leads in the undated space: seen is the last landed page that shows the
	// lead, and open the times at which it can have been created, if it is still
	// there (whereabouts.go).
	seen journal.Seq
	open spans
}

type contentHash [16]byte

const noTime = math.MinInt64

// Bits of the first byte of a lead's value.
const (
	leadVanished = 1 << iota
	leadMessages
	leadRenamed // the row's id is not the lead's, and is in the value
)

const leadFixed = 1 + 4 + 8 + 8 + len(contentHash{})

// appendValue appends the lead's value, which doc.go describes.
func (l *lead) appendValue(dst []byte) []byte {
	var flags byte
	if l.vanished {
		flags |= leadVanished
	}
	if l.messages {
		flags |= leadMessages
	}
	if l.row != l.id {
		flags |= leadRenamed
	}
	dst = append(dst, flags)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(l.version))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(l.page))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(l.submitted))
	dst = append(dst, l.hash[:]...)
	for _, d := range l.digests {
		dst = binary.LittleEndian.AppendUint32(dst, d)
	}
	if l.row != l.id {
		dst = append(dst, l.row[:]...)
	}
	if l.space == undated {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(l.seen))
		dst = l.open.append(dst)
	}
	return dst
}

// read makes l the lead of a key and a value, in the memory of its digests.
func (l *lead) read(key, value []byte) error {
	n := leadFixed + 4*len(schema.DigestColumns)
	if len(key) != leadKeyLen || len(value) < n || len(value) != n+restLen(space(key[0]), value) {
		return fmt.Errorf("%w: a lead's key has %d bytes and its value %d", errDamaged, len(key), len(value))
	}
	digests := l.digests[:0]
	for at := leadFixed; at < n; at += 4 {
		digests = append(digests, binary.LittleEndian.Uint32(value[at:]))
	}
	*l = lead{
		space: space(key[0]), group: groupAt(key), id: uuid.UUID(key[1+len(group{}):]),
		vanished: value[0]&leadVanished != 0, messages: value[0]&leadMessages != 0,
		version:   int32(binary.LittleEndian.Uint32(value[1:])),
		page:      journal.Seq(binary.LittleEndian.Uint64(value[5:])),
		submitted: int64(binary.LittleEndian.Uint64(value[13:])),
		hash:      contentHash(value[21:leadFixed]), digests: digests,
	}
	rest := value[n:]
	if l.row = l.id; value[0]&leadRenamed != 0 {
		l.row, rest = uuid.UUID(rest), rest[len(l.row):]
	}
	if l.space == undated {
		l.seen, l.open = journal.Seq(binary.LittleEndian.Uint64(rest)), readSpans(rest[8:])
	}
	return nil
}

// restLen is how long the value of a lead has to be behind its digests; it cannot
// be right if the value is not.
func restLen(s space, value []byte) int {
	n := 0
	if value[0]&leadRenamed != 0 {
		n += len(uuid.UUID{})
	}
	if s != undated {
		return n
	}
	spans := len(value) - leadFixed - 4*len(schema.DigestColumns) - n - 8
	return n + 8 + max(0, spans/spanLen*spanLen)
}

func timeOf(millis int64) schema.Opt[time.Time] {
	if millis == noTime {
		return schema.Opt[time.Time]{}
	}
	return schema.Some(time.UnixMilli(millis).UTC())
}
