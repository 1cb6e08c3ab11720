package twin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// Page does what Flattener.Page does.
func Page(f flatten.Flattener, p *journal.Page, within window.Window) (flatten.Result, error) {
	body, err := gunzip(p.Body)
	if err != nil {
		return flatten.Result{}, err
	}
	defer gzipReaders.Put(body)

	b := builder{flattener: f, page: p, within: within.Intersect(p.Window)}
	if b.within.Length() == p.Window.Length() {
		b.dated.rows = make([]schema.Row, 0, min(p.Leads, maxPreallocated))
	}
	if _, _, err := readAnswer(body, &b); err != nil {
		if _, ok := errors.AsType[*flatten.CorruptError](err); !ok {
			err = &flatten.CorruptError{Err: err} // the body is in memory: it is its gzip
		}
		return flatten.Result{}, err
	}
	identify(b.dated.rows)
	identify(b.undated.rows)
	return flatten.Result{
		Rows: b.dated.rows, Undated: b.undated.rows, Dead: b.letters,
		Unfit: b.dated.unfit + b.undated.unfit, UnfitUndated: b.undated.unfit,
	}, nil
}

// maxPreallocated bounds the rows, of about a kilobyte, that are allocated on
// the word of a page's count.
const maxPreallocated = 4096

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// gunzip returns a reader of the body, from the pool it goes back to.
func gunzip(body []byte) (*gzip.Reader, error) {
	r := gzipReaders.Get().(*gzip.Reader)
	if err := r.Reset(bytes.NewReader(body)); err != nil {
		gzipReaders.Put(r)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, &flatten.CorruptError{Err: fmt.Errorf("open its gzip: %w", err)}
	}
	return r, nil
}
