package parquet

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/lz4"
	"github.com/parquet-go/parquet-go/format"
)

// lz4Codec decodes into the buffer that it is given. The library's own makes
// another where a page was compressed to more than a third, and its caller goes
// on with the first, unfilled, if the lengths are the same
// (github.com/parquet-go/parquet-go/issues/608). The writer decodes pages when it
// fills bloom filters.
type lz4Codec struct{ lz4.Codec }

func (c *lz4Codec) Decode(dst, src []byte) ([]byte, error) {
	out, err := c.Codec.Decode(dst, src)
	if err != nil || len(out) > len(dst) {
		return out, err
	}
	return dst[:copy(dst, out)], nil
}

// pageSource is a file as the library is given it to read: as it is, but for pages
// of LZ4, whose headers say that they hold no bytes. Nobody can bring the library a
// codec for reading, and with its own it takes what was decoded only where that is
// longer than the header says (see lz4Codec). It uses that size for nothing else,
// and checks pages by their checksum and by their values.
type pageSource struct {
	io.ReaderAt
	sizes []storedSize // by offset
}

// storedSize is where a page's header has the size of what the page holds.
type storedSize struct {
	offset int64
	length int // of the number, which is a varint
}

// hideSizes makes the headers of all LZ4 pages of a row group say 0, before any of
// them is read.
func (s *pageSource) hideSizes(f *pq.File, group int) error {
	s.sizes = s.sizes[:0]
	columns := f.Metadata().RowGroups[group].Columns
	for i := range columns {
		meta := &columns[i].MetaData
		if meta.Codec != format.Lz4Raw {
			continue
		}
		if meta.DictionaryPageOffset != 0 || len(f.OffsetIndexes()) == 0 {
			return errNotOurs
		}
		for _, page := range f.OffsetIndexes()[group*len(columns)+i].PageLocations {
			size, err := s.find(page.Offset)
			if err != nil {
				return fmt.Errorf("page at offset %d: %w", page.Offset, err)
			}
			s.sizes = append(s.sizes, size)
		}
	}
	slices.SortFunc(s.sizes, func(a, b storedSize) int { return cmp.Compare(a.offset, b.offset) })
	return nil
}

var errNotOurs = errors.New("its lz4 pages are not as leads-etl writes them")

// find looks for the size in the header of a data page: it is the second field of
// the header, in Thrift's compact protocol.
func (s *pageSource) find(page int64) (storedSize, error) {
	// The fields' types and distances, and the type of the page.
	start := []byte{0x15, byte(format.DataPage), 0x15}
	header := make([]byte, len(start)+binary.MaxVarintLen32)
	if _, err := s.ReaderAt.ReadAt(header, page); err != nil {
		return storedSize{}, err
	}
	_, n := binary.Uvarint(header[len(start):])
	if n <= 0 || !slices.Equal(header[:len(start)], start) {
		return storedSize{}, errNotOurs
	}
	return storedSize{page + int64(len(start)), n}, nil
}

// ReadAt reads the file, with sizes of 0 in as many bytes as they have.
func (s *pageSource) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.ReaderAt.ReadAt(p, off)
	end := off + int64(n)
	// The first whose end may be in the stretch.
	first, _ := slices.BinarySearchFunc(s.sizes, off-binary.MaxVarintLen32, func(z storedSize, at int64) int { return cmp.Compare(z.offset, at) })
	for _, z := range s.sizes[first:] {
		if z.offset >= end {
			break
		}
		for i := range z.length {
			if at := z.offset + int64(i); off <= at && at < end {
				p[at-off] = zero(i, z.length)
			}
		}
	}
	return n, err
}

// zero is the byte i of a varint of the value 0 that has more bytes than it needs.
func zero(i, length int) byte {
	if i < length-1 {
		return 0x80
	}
	return 0
}
