package parquet

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// printable is text that LZ4 makes no smaller: 64 characters at random.
func printable(r *rand.Rand, n int) string {
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-"
	text := make([]byte, n)
	for i := range text {
		text[i] = characters[r.IntN(len(characters))]
	}
	return string(text)
}

// textsOf is what LZ4 makes of pages: nothing of it (a page as it is), half, about
// a third, where the library's own reading goes wrong or just does not, and next to
// nothing.
var textsOf = map[string]func(r *rand.Rand, n int) string{
	"incompressible": printable,
	"to half":        func(r *rand.Rand, n int) string { return twice(printable(r, n/2)) },
	"to a third":     func(r *rand.Rand, n int) string { s := printable(r, n/3); return s + s + s },
	"compressible":   func(_ *rand.Rand, n int) string { return strings.Repeat("a", n) },
}

func twice(s string) string { return s + s }

// What is written with LZ4 is read back, whatever it made of the pages: of one row
// and of many, smaller than the library's buffers and larger than a page is to be.
func TestDecodeLZ4(t *testing.T) {
	for what, text := range textsOf {
		for _, size := range []struct{ rows, bytes int }{{1, 0}, {1, 3}, {1, 100}, {1, 5_000_000}, {40, 60_000}, {2500, 700}} {
			random := rand.New(rand.NewPCG(1, 2))
			rows := sinktest.Leads(sinktest.Day, 0, size.rows)
			for i := range rows {
				rows[i].AdditionalInformation = schema.Some(text(random, size.bytes))
				rows[i].ItemTitle = schema.Some(text(random, size.bytes%1000))
			}
			c := DefaultConfig("")
			c.Compression, c.RowGroupRows = LZ4, minRowGroupRows
			got := decodeAll(t, encode(t, c, rows, whole), len(rows))
			// The same file without compression, by another way.
			c.Compression = None
			want := readFile(t, store(t, encode(t, c, rows, whole)))
			if len(got) != len(want) {
				t.Fatalf("%s, %v: %d rows", what, size, len(got))
			}
			for i := range got {
				sameJSON(t, &got[i], &want[i])
			}
		}
	}
}

func decodeAll(t *testing.T, data []byte, n int) (rows []schema.Row) {
	t.Helper()
	for row, err := range decode(bytes.NewReader(data), int64(len(data)), 0, n) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// A page with a flipped bit is an error, not other rows.
func TestDecodeDamagedLZ4(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 500)
	c := DefaultConfig("")
	c.Compression = LZ4
	data := encode(t, c, rows, whole)
	for _, at := range openFile(t, store(t, data)).OffsetIndexes() {
		page := at.PageLocations[0]
		damaged := slices.Clone(data)
		damaged[page.Offset+int64(page.CompressedPageSize)-1] ^= 1
		var failed error
		for _, err := range decode(bytes.NewReader(damaged), int64(len(damaged)), 0, len(rows)) {
			failed = err
		}
		if failed == nil {
			t.Errorf("page at %d: no error", page.Offset)
		}
	}
}

// Sizes read as 0 however the reads are cut, and nothing beside them changes.
func TestSizesAreHidden(t *testing.T) {
	data := make([]byte, 100)
	for i := range data {
		data[i] = byte(i + 1)
	}
	s := &pageSource{ReaderAt: bytes.NewReader(data), sizes: []storedSize{{0, 1}, {7, 3}, {40, 5}, {97, 3}}}
	want := slices.Clone(data)
	for _, z := range s.sizes {
		copy(want[z.offset:], []byte{0x80, 0x80, 0x80, 0x80, 0}[5-z.length:])
	}
	for off := range data {
		for end := off + 1; end <= len(data); end++ {
			got := make([]byte, end-off)
			if n, err := s.ReadAt(got, int64(off)); n != len(got) || err != nil || !bytes.Equal(got, want[off:end]) {
				t.Fatalf("bytes [%d, %d): %v, want %v (%v)", off, end, got, want[off:end], err)
			}
		}
	}
}
