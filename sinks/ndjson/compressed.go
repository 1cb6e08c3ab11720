package ndjson

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/leads-etl/leads-etl/sinks/files"
)

// compressedTexts yields the text of a compressed file, from its end. Such a file is
// one frame or one member, which can be entered at its beginning alone. So it is
// decompressed once for its last rows, which often are all that is wanted, and if
// they are not, once more for all others, which then are kept in the spool. A text
// is the caller's until the next.
func compressedTexts(ctx context.Context, file files.Stored, spool *files.Spool) iter.Seq2[text, error] {
	return func(yield func(text, error) bool) {
		last, err := lastTexts(ctx, file)
		if err != nil {
			yield(text{}, err)
			return
		}
		left := file.Rows
		for _, t := range slices.Backward(last) {
			if !yield(t, nil) {
				return
			}
			left -= t.rows
		}
		if left == 0 {
			return
		}
		before, err := spoolTexts(ctx, file, left, spool)
		if err != nil {
			yield(text{}, err)
			return
		}
		var buffer []byte
		for _, k := range slices.Backward(before) {
			if buffer, err = spool.Take(k, buffer[:0]); !yield(text{lines: buffer}, err) || err != nil {
				return
			}
		}
	}
}

// lastTexts reads a file to its end, where its checksum is, and returns as much of
// its text as may be held. It has to have the rows that are listed.
func lastTexts(ctx context.Context, file files.Stored) ([]text, error) {
	c, err := newCutter(file)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var last []text
	var spare []byte
	rows, held := 0, 0
	for {
		t, err := c.next(ctx, spare)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		spare = nil
		rows += t.rows
		held += len(t.lines)
		last = append(last, t)
		if first := last[0].lines; held-len(first) >= file.Hold*rowBytes {
			held -= len(first)
			spare = first[:0]
			last = slices.Delete(last, 0, 1)
		}
	}
	if rows != file.Rows {
		return nil, fmt.Errorf("it has %d rows, and should have %d", rows, file.Rows)
	}
	return last, nil
}

// spoolTexts keeps the text of a file's first rows. They end where a text does, for
// the file is cut as lastTexts cuts it.
func spoolTexts(ctx context.Context, file files.Stored, rows int, spool *files.Spool) ([]files.Spooled, error) {
	c, err := newCutter(file)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var kept []files.Spooled
	var buffer []byte
	for rows > 0 {
		t, err := c.next(ctx, buffer)
		if err == io.EOF || err == nil && t.rows > rows {
			err = errors.New("it has changed while it was read")
		}
		if err != nil {
			return nil, err
		}
		k, err := spool.Put(t.lines)
		if err != nil {
			return nil, err
		}
		kept = append(kept, k)
		rows -= t.rows
		buffer = t.lines[:0]
	}
	return kept, nil
}

// cutter cuts the text of a compressed file into pieces of whole lines.
type cutter struct {
	plain io.ReadCloser
	lines *bufio.Scanner
	size  int
	rows  int // so far
}

func newCutter(file files.Stored) (*cutter, error) {
	plain, err := decompressor(file.Name, io.NewSectionReader(file, 0, file.Size))
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(plain)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	return &cutter{plain: plain, lines: lines, size: textBytes(file.Hold * rowBytes)}, nil
}

func (c *cutter) close() { _ = c.plain.Close() } // it was read only

// next returns the next lines, in the buffer if they have room there, or io.EOF.
func (c *cutter) next(ctx context.Context, buffer []byte) (text, error) {
	if err := ctx.Err(); err != nil {
		return text{}, err
	}
	t := text{lines: buffer[:0]}
	for len(t.lines) < c.size && c.lines.Scan() {
		t.lines = append(append(t.lines, c.lines.Bytes()...), '\n')
		t.rows++
	}
	c.rows += t.rows
	if err := c.lines.Err(); err != nil {
		return text{}, fmt.Errorf("line %d: %w", c.rows+1, err)
	}
	if t.rows == 0 {
		return text{}, io.EOF
	}
	return t, nil
}
