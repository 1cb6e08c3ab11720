package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	pq "github.com/parquet-go/parquet-go"
	thrift "github.com/parquet-go/parquet-go/format"
)

// blindIndexer makes a column index that tells nothing of the values: its bounds
// hold for any. The library's option to leave bounds out, SkipPageBounds, writes
// empty ones, which say that all values are empty, and readers that go by them
// lose rows. A column index cannot be left out for one column alone either.
type blindIndexer struct {
	min, max   []byte
	nullPages  []bool
	nullCounts []int64
}

// highest is above any text that is not made to be above it: sixteen times the
// last code point, which is no character. Bounds of strings must be strings, so
// 0xFF will not do.
var highest = bytes.Repeat([]byte("\U0010FFFF"), 16)

func newBlindIndexer(k pq.Kind) *blindIndexer {
	switch k {
	case pq.ByteArray:
		return &blindIndexer{min: []byte{}, max: highest}
	case pq.Int64:
		return &blindIndexer{
			min: binary.LittleEndian.AppendUint64(nil, 1<<63), // math.MinInt64
			max: binary.LittleEndian.AppendUint64(nil, math.MaxInt64),
		}
	default:
		panic("parquet: no bounds for personal columns of kind " + k.String())
	}
}

func (b *blindIndexer) Reset() {
	b.nullPages, b.nullCounts = b.nullPages[:0], b.nullCounts[:0]
}

func (b *blindIndexer) IndexPage(numValues, numNulls int64, _, _ pq.Value) {
	b.nullPages = append(b.nullPages, numValues == numNulls)
	b.nullCounts = append(b.nullCounts, numNulls)
}

func (b *blindIndexer) ColumnIndex() thrift.ColumnIndex {
	// The library keeps the index of a row group until the file is closed, and
	// the indexer goes on with the next.
	index := thrift.ColumnIndex{
		NullPages:  slices.Clone(b.nullPages),
		NullCounts: slices.Clone(b.nullCounts),
		// Bounds that are all the same are in ascending order.
		BoundaryOrder: thrift.Ascending,
	}
	for _, null := range b.nullPages {
		lo, hi := b.min, b.max
		if null {
			lo, hi = []byte{}, []byte{}
		}
		index.MinValues = append(index.MinValues, lo)
		index.MaxValues = append(index.MaxValues, hi)
	}
	return index
}
