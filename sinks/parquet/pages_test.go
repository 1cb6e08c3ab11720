package parquet

import (
	"bytes"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go/compress/lz4"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// page is a data page as it is stored.
type page struct {
	path   []string
	header format.PageHeader
	body   []byte
}

// pageHeaders walks a file's data pages by the offset index, without the
// library's decoders of pages.
func pageHeaders(t *testing.T, data []byte) []page {
	t.Helper()
	file := openFile(t, store(t, data))
	var pages []page
	for i, group := range file.Metadata().RowGroups {
		for j := range group.Columns {
			offsets := file.OffsetIndexes()[i*len(group.Columns)+j]
			for _, at := range offsets.PageLocations {
				p := page{path: group.Columns[j].MetaData.PathInSchema}
				r := bytes.NewReader(data[at.Offset : at.Offset+int64(at.CompressedPageSize)])
				if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(r)).Decode(&p.header); err != nil {
					t.Fatal(err)
				}
				var err error
				if p.body, err = io.ReadAll(r); err != nil || len(p.body) != int(p.header.CompressedPageSize) {
					t.Fatalf("a page of column %v has %d bytes, its header says %d (%v)", p.path, len(p.body), p.header.CompressedPageSize, err)
				}
				pages = append(pages, p)
			}
		}
	}
	if len(pages) == 0 {
		t.Fatal("no pages")
	}
	return pages
}

// samePages compares the pages of an LZ4 file, decompressed, with those of one
// without compression.
func samePages(t *testing.T, compressed, plain []byte) {
	t.Helper()
	got, want := pageHeaders(t, compressed), pageHeaders(t, plain)
	if len(got) != len(want) {
		t.Fatalf("%d pages, want %d", len(got), len(want))
	}
	for i := range want {
		body, err := new(lz4.Codec).Decode(nil, got[i].body)
		if err != nil || !bytes.Equal(body, want[i].body) {
			t.Fatalf("page %d, of column %v, differs (%v)", i, got[i].path, err)
		}
	}
}
