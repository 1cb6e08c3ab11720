package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/leads-etl/leads-etl/schema"
)

// Rows that are held in memory at a time, of all files that are read together; and
// of each of them at least.
const (
	holdRows  = 8_000
	leastHeld = 100
)

// openPart is a file that a manifest lists.
type openPart struct {
	file   *os.File
	path   string // the final one
	listed *file
	rows   func(ctx context.Context, file Stored, spool *Spool) iter.Seq2[schema.Row, error]
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
		return &openPart{file: f, path: final, listed: listed, rows: r.backward}, nil
	}
	return nil, &notListedError{final, fs.ErrNotExist}
}

func closeParts(parts []*openPart) {
	for _, p := range parts {
		_ = p.file.Close() // it was read only
	}
}

// backward yields the file's rows from the last to the first, holding about so many
// of them in memory.
func (p *openPart) backward(ctx context.Context, hold int, spool *Spool) iter.Seq2[schema.Row, error] {
	stored := Stored{ReaderAt: p.file, Name: p.listed.Name, Size: p.listed.Size, Rows: p.listed.Rows, Hold: hold}
	return func(yield func(schema.Row, error) bool) {
		for row, err := range p.rows(ctx, stored, spool) {
			if err != nil {
				yield(schema.Row{}, p.explain(ctx, err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// explain says of an error in the middle of a file what it is.
func (p *openPart) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ok := errors.AsType[*SpoolError](err); ok {
		return fmt.Errorf("reading %s: %w", p.path, err)
	}
	return &damagedPartError{p.path, err}
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
