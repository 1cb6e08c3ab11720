package ndjson

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"iter"
	"slices"

	"github.com/leads-etl/leads-etl/sinks/files"
)

// plainTexts yields the text of a file that is not compressed, from its end: it need
// not be read from its beginning. A text is the caller's until the next.
func plainTexts(ctx context.Context, file files.Stored) iter.Seq2[text, error] {
	return func(yield func(text, error) bool) {
		var buffer []byte
		for end := file.Size; end > 0; {
			if err := ctx.Err(); err != nil {
				yield(text{}, err)
				return
			}
			lines, err := linesBefore(file, end, textBytes(file.Hold*rowBytes), buffer)
			if !yield(text{lines: lines}, err) || err != nil {
				return
			}
			end -= int64(len(lines))
			buffer = lines[:0]
		}
	}
}

// linesBefore reads whole lines that end at an offset: about size bytes of them, and
// one at least. The buffer's memory is used again.
func linesBefore(file io.ReaderAt, end int64, size int, buffer []byte) ([]byte, error) {
	for {
		begin := max(end-int64(size), 0)
		buffer = slices.Grow(buffer[:0], int(end-begin))[:end-begin]
		if _, err := file.ReadAt(buffer, begin); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if begin == 0 {
			return buffer, nil
		}
		// The first line has begun before, or may have.
		if whole := bytes.IndexByte(buffer, '\n') + 1; 0 < whole && whole < len(buffer) {
			return buffer[whole:], nil
		}
		if size >= maxLine {
			return nil, bufio.ErrTooLong
		}
		size *= 2
	}
}
