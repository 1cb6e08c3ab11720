package parquet

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// blindIndexer makes a column index that tells nothing of the values: its bounds
// hold for any. The library's option to leave bounds out, SkipPageBounds, writes
// empty ones, which say that all values are empty, and readers that go by them
// lose rows. A column index cannot be left out for one column alone either.
type blindIndexer struct {
	min, max   []byte
	nullPages  []bool
	nullCounts []int64
	maxes      [][]byte
}

// last is the greatest code point, which is no character. Bounds of strings must
// be strings, so 0xFF will not do.
const last = "\U0010FFFF"

func newBlindIndexer(k pq.Kind) *blindIndexer {
	switch k {
	case pq.ByteArray:
		return &blindIndexer{min: []byte{}, max: []byte(last)}
	case pq.Int64:
		return &blindIndexer{
			min: binary.LittleEndian.AppendUint64(nil, 1<<63), // math.MinInt64
			max: binary.LittleEndian.AppendUint64(nil, math.MaxInt64),
		}
	default:
		panic("parquet: no bounds for personal columns of kind " + k.String())
	}
}

// see raises the bound above a text that begins as the bound does, which no real
// text does.
func (b *blindIndexer) see(s string) {
	for strings.HasPrefix(s, string(b.max)) {
		b.max = append(slices.Clip(b.max), last...)
	}
}

func (b *blindIndexer) Reset() {
	b.nullPages, b.nullCounts, b.maxes = b.nullPages[:0], b.nullCounts[:0], b.maxes[:0]
}

func (b *blindIndexer) IndexPage(numValues, numNulls int64, _, _ pq.Value) {
	b.nullPages = append(b.nullPages, numValues == numNulls)
	b.nullCounts = append(b.nullCounts, numNulls)
	b.maxes = append(b.maxes, b.max)
}

func (b *blindIndexer) ColumnIndex() format.ColumnIndex {
	// The library keeps the index of a row group until the file is closed, and
	// the indexer goes on with the next.
	index := format.ColumnIndex{
		NullPages:  slices.Clone(b.nullPages),
		NullCounts: slices.Clone(b.nullCounts),
		// The lower bounds are all the same, and the upper ones never fall.
		BoundaryOrder: format.Ascending,
	}
	for i, null := range b.nullPages {
		lo, hi := b.min, b.maxes[i]
		if null {
			lo, hi = []byte{}, []byte{}
		}
		index.MinValues = append(index.MinValues, lo)
		index.MaxValues = append(index.MaxValues, hi)
	}
	return index
}
