package ndjson

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leads-etl/leads-etl/schema"
)

// maxLine is more than a row of the API's has, and keeps a foreign file without
// line ends out of memory.
const maxLine = 64 << 20

// decode yields the rows [from, to) of a file, whose name tells its compression.
// The lines before them are read, as they have to be, but not parsed.
func decode(name string, file io.ReaderAt, size int64, from, to int) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		plain, err := decompressor(name, io.NewSectionReader(file, 0, size))
		if err != nil {
			yield(schema.Row{}, err)
			return
		}
		defer plain.Close() // it was read only
		lines := bufio.NewScanner(plain)
		lines.Buffer(make([]byte, 0, 64<<10), maxLine)
		for n := range to {
			if !lines.Scan() {
				err := lines.Err()
				if err == nil {
					err = io.ErrUnexpectedEOF
				}
				yield(schema.Row{}, fmt.Errorf("line %d: %w", n+1, err))
				return
			}
			if n < from {
				continue
			}
			row, err := schema.ParseJSON(lines.Bytes())
			if err != nil {
				err = fmt.Errorf("line %d: %w", n+1, err)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// decompressor reads text by the extension of a name.
func decompressor(name string, r io.Reader) (io.ReadCloser, error) {
	switch {
	case strings.HasSuffix(name, extensions[Gzip]):
		return gzip.NewReader(r)
	case strings.HasSuffix(name, extensions[Zstd]):
		// One block at a time: what is read may be left half-way.
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case strings.HasSuffix(name, extensions[None]):
		return io.NopCloser(r), nil
	}
	return nil, errors.New("the name tells no compression that is known")
}
