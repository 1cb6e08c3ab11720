package flatten

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// Flattener flattens the pages of one seller on one marketplace. It has no
// state: it may be copied and used concurrently.
type Flattener struct {
	// Account and Marketplace go into the rows' columns of these names.
	Account, Marketplace string
}

// Result is what a page, or a part of it, holds.
type Result struct {
	// Rows are the leads submitted in the window asked for, in the order of the
	// answer. They are snapshot events, complete with ids and hash.
	Rows []schema.Row
	// Undated are the leads whose submitted time does not say which page is
	// theirs, whatever the window asked for: it is absent, does not fit, or lies
	// outside of the page's window and the seconds beside it. They are complete,
	// too.
	Undated []schema.Row
	// Dead is what could not be read as a lead or a listing, whatever the window.
	Dead []DeadLetter
	// Unfit counts the values in Rows and Undated that did not fit their column
	// and are in extra: a value of a listing once for each of its rows, a time
	// that was cut to milliseconds, a repeated name.
	Unfit int
	// UnfitUndated is the part of Unfit that is of Undated: who reads a page slice
	// by slice meets these with every slice.
	UnfitUndated int

	// unfit is the part of Unfit that is of each of Rows; nil if none has any.
	unfit []int32
}

// Outside returns the part of the result that is of no window: what Page would have
// returned if asked for an empty one.
func (r Result) Outside() Result {
	return Result{Undated: r.Undated, Dead: r.Dead, Unfit: r.UnfitUndated, UnfitUndated: r.UnfitUndated}
}

// Within returns the part of the result that was submitted in w: what Page would
// have returned if asked for w. The rows are copies of the result's, which share
// their texts.
func (r Result) Within(w window.Window) Result {
	part := r.Outside()
	n := 0
	for i := range r.Rows {
		if w.Contains(r.Rows[i].SubmittedTime.Value) {
			n++
		}
	}
	if n == len(r.Rows) {
		return r
	}
	part.Rows = make([]schema.Row, 0, n)
	for i := range r.Rows {
		if !w.Contains(r.Rows[i].SubmittedTime.Value) {
			continue
		}
		part.Rows = append(part.Rows, r.Rows[i])
		if r.unfit != nil {
			part.unfit = append(part.unfit, r.unfit[i])
			part.Unfit += int(r.unfit[i])
		}
	}
	return part
}

// DeadLetter is a piece of an answer that cannot be read.
type DeadLetter struct {
	// Listing is its listing's index in the answer, -1 if all listings are meant.
	Listing int
	// Response is its index in the listing's responses, -1 if it is not one.
	Response int
	// Reason says what is wrong with it; it holds no text of the answer.
	Reason string
	// Raw is the JSON text as received. It can hold personal data.
	Raw []byte
}

// Page flattens the leads of p that were submitted in within, a part of
// p.Window or all of it; leads of the seconds beside p.Window are never returned,
// as they belong to its neighbours. Its memory grows with what it returns and with the
// largest single lead, not with the page.
//
// The strings of a row are views into one copy of the lead's text: keeping one
// column keeps that text, a kilobyte or so.
//
// The one error is a *CorruptError: the body is not gzip, or not an answer. Bad
// values, leads and listings are no errors.
func (f Flattener) Page(p *journal.Page, within window.Window) (Result, error) {
	body, err := gunzip(p.Body)
	if err != nil {
		return Result{}, err
	}
	defer gzipReaders.Put(body)

	b := builder{flattener: f, page: p, within: within.Intersect(p.Window)}
	if b.within.Length() == p.Window.Length() {
		b.dated.rows = make([]schema.Row, 0, min(p.Leads, maxPreallocated))
	}
	if _, _, err := readAnswer(newStream(body, true, sizeOf(p.Body)), &b); err != nil {
		if _, ok := errors.AsType[*CorruptError](err); !ok {
			err = &CorruptError{Err: err} // the body is in memory: it is its gzip
		}
		return Result{}, err
	}
	identify(b.dated.rows)
	identify(b.undated.rows)
	return Result{
		Rows: b.dated.rows, Undated: b.undated.rows, Dead: b.letters,
		Unfit: b.dated.unfit + b.undated.unfit, UnfitUndated: b.undated.unfit, unfit: b.dated.perRow(),
	}, nil
}

// maxPreallocated bounds the rows, of about a kilobyte, that are allocated on
// the word of a page's count.
const maxPreallocated = 4096

// sizeOf returns how much the gzip holds as it says itself, modulo 4 GiB.
func sizeOf(body []byte) int {
	if len(body) < 4 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(body[len(body)-4:]))
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// gunzip returns a reader of the body, from the pool it goes back to.
func gunzip(body []byte) (*gzip.Reader, error) {
	r := gzipReaders.Get().(*gzip.Reader)
	if err := r.Reset(bytes.NewReader(body)); err != nil {
		gzipReaders.Put(r)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, &CorruptError{Err: fmt.Errorf("open its gzip: %w", err)}
	}
	return r, nil
}
