package known

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// change is an event as it is worked out and kept.
type change struct {
	class class
	index int // of the row in its part of the slice
	typ   schema.EventType
	// differ has a bit for each of schema.DigestColumns.
	differ uint64
}

const eventFixed = 1 + 4 + 8 + 16 + 8 + 16 + 8

// appendEvent appends the value of the event that brought the lead to its state.
func appendEvent(dst []byte, c *change, l *lead) []byte {
	var typ byte
	for i, t := range schema.EventTypes {
		if t == c.typ {
			typ = byte(i)
		}
	}
	version := l.version
	if c.typ == schema.Snapshot {
		version = 0
	}
	dst = append(dst, typ)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(version))
	dst = binary.LittleEndian.AppendUint64(dst, c.differ)
	dst = append(dst, l.id[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(l.page))
	dst = append(dst, l.row[:]...)
	return binary.LittleEndian.AppendUint64(dst, uint64(l.submitted))
}

// readEvent returns the event of a key and a value.
func readEvent(key, value []byte) (Event, error) {
	if len(key) < 1+8 || len(value) != eventFixed || int(value[0]) >= len(schema.EventTypes) {
		return Event{}, fmt.Errorf("%w: an event's key has %d bytes and its value %d", errDamaged, len(key), len(value))
	}
	e := Event{
		Seq: eventSeq(key), Type: schema.EventTypes[value[0]],
		Version:   int32(binary.LittleEndian.Uint32(value[1:])),
		Lead:      uuid.UUID(value[13:29]),
		Page:      journal.Seq(binary.LittleEndian.Uint64(value[29:])),
		Row:       uuid.UUID(value[37:53]),
		Submitted: timeOf(int64(binary.LittleEndian.Uint64(value[53:]))),
	}
	if e.Type == schema.Updated {
		e.Changed = columnsOf(binary.LittleEndian.Uint64(value[5:]))
	}
	return e, nil
}

// columnsOf returns the names of the columns whose bits are set.
func columnsOf(differ uint64) []string {
	names := make([]string, 0, bits.OnesCount64(differ))
	for ; differ != 0; differ &= differ - 1 {
		names = append(names, schema.DigestColumns[bits.TrailingZeros64(differ)].Name)
	}
	return names
}

// differing has a bit for each of schema.DigestColumns whose digests differ.
func differing(a, b []uint32) uint64 {
	var differ uint64
	for i := range a {
		if a[i] != b[i] {
			differ |= 1 << i
		}
	}
	return differ
}
