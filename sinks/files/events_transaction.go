package files

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

const (
	// maxOpenParts bounds the files that are open. Beyond it the one that was
	// written to least recently is completed, and later rows of its date begin
	// another: a stream looks back on a month, and writes to little else.
	maxOpenParts = 32
	// Of these, so many stay open that hold largeRows rows: where a stream catches up,
	// dates follow one another, and each file that is open holds a megabyte or two.
	// What comes for a date later still begins another file.
	maxLargeParts = 6
	largeRows     = 1_000
	// maxBufferedBytes bounds the rows that encoders hold in memory, in sum, but
	// for those that came since the date changed: Parquet's row groups, which are
	// ended early where many files are written to in turn.
	maxBufferedBytes = 12 << 20
)

// eventTransaction adds rows: a file for each date that has some, or several. It
// writes nothing before it has a row.
type eventTransaction struct {
	sink  *EventSink
	prior *eventManifest // the one that it follows on, nil if it is the first
	name  string         // its id

	begun   int             // parts begun, and so the number of the next
	open    []*eventPart    // by when they were written to, the last one last
	parts   []eventFile     // those complete
	folders map[string]bool // that have temporary files, relative to the root
	rows    int
	bytes   int64     // of parts
	first   time.Time // when there was a row
	failed  error
	over    bool
}

// eventPart is a part of a date.
type eventPart struct {
	*part
	date   deliver.Partition
	folder string // relative to the root
}

var _ deliver.Lingering = (*eventTransaction)(nil)

// Write adds rows, in any order of their times.
func (t *eventTransaction) Write(ctx context.Context, rows []schema.Row) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	if t.rows == 0 && len(rows) > 0 {
		t.first = t.sink.now()
	}
	for len(rows) > 0 {
		n, err := t.write(rows)
		t.rows += n
		if err != nil {
			t.failed = err
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// write hands over the first rows that are of one date, as far as the date's
// part has room.
func (t *eventTransaction) write(rows []schema.Row) (int, error) {
	date := deliver.DateOf(rows[0].SubmittedTime)
	same := 1
	for same < len(rows) && deliver.DateOf(rows[same].SubmittedTime) == date {
		same++
	}
	p, err := t.part(date)
	if err != nil {
		return 0, err
	}
	n, err := p.write(rows[:same])
	if err != nil || n == same {
		return n, err
	}
	if p.file.Rows == 0 {
		return 0, fmt.Errorf("write %s: the encoder took no row", p.path)
	}
	return n, t.finish(len(t.open) - 1)
}

// part returns the part that rows of the date go to, as the last of those open.
// What is done to others for it depends on the rows alone, not on how they come
// in: it is asked for when the date changes.
func (t *eventTransaction) part(date deliver.Partition) (*eventPart, error) {
	if n := len(t.open); n > 0 && t.open[n-1].date == date {
		return t.open[n-1], nil
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	if err := t.finishLarge(); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(t.open, func(p *eventPart) bool { return p.date == date })
	if i >= 0 {
		p := t.open[i]
		t.open = append(slices.Delete(t.open, i, i+1), p)
		return p, nil
	}
	if len(t.open) == maxOpenParts {
		if err := t.finish(0); err != nil {
			return nil, err
		}
	}
	return t.begin(date)
}

// flush has encoders write what they hold, the one that holds most first, until
// all of it together is within the bound.
func (t *eventTransaction) flush() error {
	for {
		sum := 0
		var most *eventPart
		for _, p := range t.open {
			n := p.encoder.Buffered()
			if sum += n; most == nil || n > most.encoder.Buffered() {
				most = p
			}
		}
		if sum <= maxBufferedBytes {
			return nil
		}
		if err := most.encoder.Flush(); err != nil {
			return fmt.Errorf("encode %s: %w", most.file.Name, err)
		}
	}
}

// finishLarge completes those of the large parts that were written to least recently,
// until as many are left as may be open.
func (t *eventTransaction) finishLarge() error {
	large := func(p *eventPart) bool { return p.file.Rows >= largeRows }
	n := 0
	for _, p := range t.open {
		if large(p) {
			n++
		}
	}
	for ; n > maxLargeParts; n-- {
		if err := t.finish(slices.IndexFunc(t.open, large)); err != nil {
			return err
		}
	}
	return nil
}

func (t *eventTransaction) begin(date deliver.Partition) (*eventPart, error) {
	s := t.sink
	folder := s.folder(date)
	t.folders[folder] = true
	path := filepath.Join(s.root, folder)
	if err := s.disk.makeAll(path); err != nil {
		return nil, err
	}
	name := s.eventPart(s.tag, t.prior.successor(), t.begun, s.format.Extension)
	p, err := newPart(s.disk, s.format, path, name, t.name)
	if err != nil {
		return nil, err
	}
	t.begun++
	t.open = append(t.open, &eventPart{p, date, folder})
	return t.open[len(t.open)-1], nil
}

// finish completes the ith of the open parts.
func (t *eventTransaction) finish(i int) error {
	p := t.open[i]
	t.open = slices.Delete(t.open, i, i+1)
	f, err := p.finish()
	if err != nil {
		return err
	}
	t.parts = append(t.parts, eventFile{p.folder, f})
	t.bytes += f.Size
	return nil
}

// Linger implements deliver.Lingering: a transaction is due when it has the rows
// or bytes of roll-rows or roll-bytes, or its first row the age of roll-interval.
// Bytes that are still to be compressed do not count.
func (t *eventTransaction) Linger() time.Duration {
	if t.rows == 0 {
		return t.sink.rollInterval
	}
	bytes := t.bytes
	for _, p := range t.open {
		bytes += p.file.Size
	}
	if t.rows >= t.sink.rollRows || bytes >= t.sink.rollBytes {
		return 0
	}
	return t.sink.rollInterval - t.sink.now().Sub(t.first) // on the monotonic clock
}

func (t *eventTransaction) usable(ctx context.Context) error {
	if t.over {
		return errOver
	}
	if t.failed != nil {
		return fmt.Errorf("the transaction has failed before: %w", t.failed)
	}
	return ctx.Err()
}

// Rollback removes what the transaction has written, unless it was committed:
// also if the commit reported an error, but the manifest is in place.
func (t *eventTransaction) Rollback() error {
	if t.over {
		return nil
	}
	t.end()
	if err := t.rollback(); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

func (t *eventTransaction) rollback() error {
	s := t.sink
	var errs []error
	for _, p := range t.open {
		errs = append(errs, p.abort())
	}
	newest, err := s.newest()
	if err != nil {
		// Whether it was committed is not known: the next to open the events sees.
		return errors.Join(append(errs, err)...)
	}
	if m := newest[s.tag]; m != nil && m.Transaction == t.name {
		return errors.Join(append(errs, s.rollForward(m))...)
	}
	for folder := range t.folders {
		path := filepath.Join(s.root, folder)
		_, temps, err := scanFolder(path, s.ownsEvents)
		temps = slices.DeleteFunc(temps, func(name string) bool { return !isTempOf(name, t.name) })
		errs = append(errs, err, s.removeTemps(path, temps), s.disk.prune(s.root, path))
	}
	return errors.Join(errs...)
}

func (t *eventTransaction) end() {
	t.over = true
	if t.sink.open == t {
		t.sink.open = nil
	}
}
