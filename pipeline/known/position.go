package known

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// position is how far the journal is taken in, and what that came to.
type position struct {
	// next is the first record that is not taken in, or not all of it.
	next journal.Seq
	// second is where the page next goes on, once its undated leads and all before
	// that second are taken in; atStart if nothing of it is.
	second int64
	Stats
}

const atStart = math.MinInt64

const positionLen = 6 * 8

func (p position) append(dst []byte) []byte {
	for _, n := range [...]uint64{uint64(p.next), uint64(p.second), uint64(p.Live), uint64(p.Vanished), uint64(p.Undated), uint64(p.Events)} {
		dst = binary.LittleEndian.AppendUint64(dst, n)
	}
	return dst
}

func readPosition(value []byte) (position, error) {
	if len(value) != positionLen {
		return position{}, fmt.Errorf("%w: its position has %d bytes", errDamaged, len(value))
	}
	field := func(i int) uint64 { return binary.LittleEndian.Uint64(value[8*i:]) }
	return position{
		next: journal.Seq(field(0)), second: int64(field(1)),
		Stats: Stats{Live: int(field(2)), Vanished: int(field(3)), Undated: int(field(4)), Events: int(field(5))},
	}, nil
}
