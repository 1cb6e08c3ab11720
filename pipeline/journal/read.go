package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// End returns the number that the next record will have: all records before it
// are landed.
func (j *Journal) End() Seq { return j.index.next() }

// Changed returns a channel that is closed when something is appended after
// the call. To miss nothing, ask for the channel first and look at the journal
// then. It is not closed by Close, and never for a journal opened for reading.
func (j *Journal) Changed() <-chan struct{} {
	j.index.mu.RLock()
	defer j.index.mu.RUnlock()
	return j.index.changed
}

// Records returns the records from a number on, up to End at the time of the
// call, in order and read from disk as the caller goes; pages come without
// body. If the records before some number were removed from the journal, it
// begins there. The first error ends it: the context's, a *CorruptionError, or
// what reading the file gave.
func (j *Journal) Records(ctx context.Context, from Seq) iter.Seq2[Record, error] {
	end := j.End()
	from = max(from, j.index.first())
	return func(yield func(Record, error) bool) {
		var open openedSegment
		defer open.close()
		for seq := from; seq < end; seq++ {
			if err := ctx.Err(); err != nil {
				yield(Record{}, err)
				return
			}
			e, err := j.read(&open, seq)
			if !yield(e.rec, err) || err != nil {
				return
			}
		}
	}
}

// Page returns the page with that number, with its body, verified. The page is
// the caller's. The error is a *NoPageError if there is none under that number,
// and a *CorruptionError if what is there is not what was landed.
func (j *Journal) Page(seq Seq) (*Page, error) {
	if _, ok := j.index.locate(seq); !ok {
		return nil, &NoPageError{Seq: seq, Problem: fmt.Sprintf("is not in the journal, which holds %d to %d (exclusive)", j.index.first(), j.End())}
	}
	var open openedSegment
	defer open.close()
	e, err := j.read(&open, seq)
	if err != nil {
		return nil, err
	}
	if e.rec.Page == nil {
		return nil, &NoPageError{Seq: seq, Problem: "is not a page but " + e.kind.String()}
	}
	body := make([]byte, e.body)
	if err := open.reader.body(e.frame, body); err != nil {
		return nil, open.explain(err, e.off, seq)
	}
	e.rec.Page.Body = body
	return e.rec.Page, nil
}

// read returns a record that is in the index, without body.
func (j *Journal) read(open *openedSegment, seq Seq) (entry, error) {
	if j.closed() {
		return entry{}, ErrClosed
	}
	at, ok := j.index.locate(seq)
	if !ok {
		return entry{}, &PrunedError{Seq: seq}
	}
	if err := open.open(filepath.Join(j.folder, segmentName(at.base)), segmentHeader{at.base, j.id.Journal}, at.limit); err != nil {
		if j.prunedMeanwhile(seq) {
			return entry{}, &PrunedError{Seq: seq}
		}
		return entry{}, err
	}
	e, err := open.reader.entry(at.off, seq)
	if err != nil {
		return entry{}, open.explain(err, at.off, seq)
	}
	return e, nil
}

// openedSegment is the segment that somebody reads at the moment. The zero
// value is none.
type openedSegment struct {
	path   string
	file   *os.File
	reader *segmentReader
}

// open makes the segment of that path the opened one, if it is not already,
// and readable up to limit.
func (o *openedSegment) open(path string, h segmentHeader, limit int64) error {
	if o.path == path {
		o.reader.size = max(o.reader.size, limit)
		return nil
	}
	o.close()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &CorruptionError{Segment: path, Seq: h.base, Reason: "the file is gone"}
	}
	if err != nil {
		return fmt.Errorf("open a journal segment: %w", err)
	}
	*o = openedSegment{path: path, file: f, reader: newSegmentReader(f, limit, h)}
	return nil
}

func (o *openedSegment) close() {
	if o.file != nil {
		o.file.Close()
	}
	*o = openedSegment{}
}

// explain makes an error of a record's reading one for the caller. All that is
// in the index had been synced, so that damage cannot be a torn end.
func (o *openedSegment) explain(err error, off int64, seq Seq) error {
	if d, ok := errors.AsType[*damage](err); ok {
		return &CorruptionError{Segment: o.path, Offset: off, Seq: seq, Reason: d.reason}
	}
	return fmt.Errorf("read the journal: record %d: %w", seq, err)
}
