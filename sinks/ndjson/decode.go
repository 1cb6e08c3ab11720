package ndjson

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/files"
)

const (
	// maxLine is more than a row of the API's has, and keeps a foreign file without
	// line ends out of memory.
	maxLine = 64 << 20
	// rowBytes is about what a row has as text.
	rowBytes = 1 << 10
)

// text is some whole lines of a file.
type text struct {
	lines []byte
	rows  int // lines, where they were counted
}

// backward yields the rows of a file from the last to the first. Its name tells its
// compression.
func backward(ctx context.Context, file files.Stored, spool *files.Spool) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		texts := compressedTexts(ctx, file, spool)
		if strings.HasSuffix(file.Name, extensions[None]) {
			texts = plainTexts(ctx, file)
		}
		left := file.Rows
		for t, err := range texts {
			if err != nil {
				yield(schema.Row{}, err)
				return
			}
			for line := range linesBackward(t.lines) {
				if left == 0 {
					yield(schema.Row{}, fmt.Errorf("it has more than the %d rows that it should have", file.Rows))
					return
				}
				row, err := schema.ParseJSON(line)
				if err != nil {
					err = fmt.Errorf("line %d: %w", left, err)
				}
				if !yield(row, err) || err != nil {
					return
				}
				left--
			}
		}
		if left > 0 {
			yield(schema.Row{}, fmt.Errorf("it has %d rows, and should have %d", file.Rows-left, file.Rows))
		}
	}
}

// linesBackward yields the lines of a text, without their ends, from the last to the
// first.
func linesBackward(lines []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(lines) > 0 {
			lines = bytes.TrimSuffix(lines, []byte("\n"))
			begin := bytes.LastIndexByte(lines, '\n') + 1
			if !yield(lines[begin:]) {
				return
			}
			lines = lines[:begin]
		}
	}
}

// textBytes is how much text a piece of a file has, where rows of about so many bytes
// may be held.
func textBytes(hold int) int { return min(max(hold/8, 32<<10), 1<<20) }

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
	}
	return nil, errors.New("the name tells no compression that is known")
}
