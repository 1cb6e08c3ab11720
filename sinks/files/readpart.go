package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/leads-etl/leads-etl/schema"
)

// Rows that are held in memory at a time, of all files that are read together; and
// of each of them at least.
const (
	blockRows  = 8_000
	leastBlock = 100
)

// rowsOf yields the rows [from, to) of an open file.
type rowsOf func(f *os.File, size int64, from, to int) iter.Seq2[schema.Row, error]

// openPart is a file that a manifest lists.
type openPart struct {
	file   *os.File
	path   string // the final one
	listed *file
	decode rowsOf
}

// notListedError says that a file is not as its manifest lists it.
type notListedError struct {
	path string
	err  error
}

func (e *notListedError) Error() string {
	return fmt.Sprintf("%s is not as its manifest lists it: %v; put it back from a copy, or run 'leads-etl replay' to have it written anew", e.path, e.err)
}

func (e *notListedError) Unwrap() error { return e.err }

// openPart opens a file of a commit: while it waits under its temporary name, what
// has the final one is older.
func (r *Reader) openPart(folder, transaction string, listed *file) (*openPart, error) {
	final := filepath.Join(r.root, folder, listed.Name)
	// The final name last again: the commit may be completed in between.
	for _, path := range []string{filepath.Join(r.root, folder, temp(listed.Name, transaction)), final} {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, explain("read", path, err)
		}
		info, err := f.Stat()
		if err == nil && (info.Size() != listed.Size || !info.Mode().IsRegular()) {
			err = &notListedError{final, fmt.Errorf("it has %d bytes, and should have %d", info.Size(), listed.Size)}
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &openPart{file: f, path: final, listed: listed, decode: r.decode(listed.Name)}, nil
	}
	return nil, &notListedError{final, fs.ErrNotExist}
}

func closeParts(parts []*openPart) {
	for _, p := range parts {
		_ = p.file.Close() // it was read only
	}
}

// backward yields the file's rows from the last to the first, so many of them in
// memory at a time.
func (p *openPart) backward(ctx context.Context, block int) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		for to := p.listed.Rows; to > 0; to -= block {
			if err := ctx.Err(); err != nil {
				yield(schema.Row{}, err)
				return
			}
			rows := make([]schema.Row, 0, min(to, block))
			for row, err := range p.decode(p.file, p.listed.Size, max(to-block, 0), to) {
				if err != nil {
					yield(schema.Row{}, &damagedPartError{p.path, err})
					return
				}
				rows = append(rows, row)
			}
			for _, row := range slices.Backward(rows) {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// damagedPartError says that a file has the size that is listed, but not the rows.
type damagedPartError struct {
	path string
	err  error
}

func (e *damagedPartError) Error() string {
	return fmt.Sprintf("%s is damaged, or not of leads-etl: %v; move it away and put a copy back, or run 'leads-etl replay' to have it written anew", e.path, e.err)
}

func (e *damagedPartError) Unwrap() error { return e.err }
