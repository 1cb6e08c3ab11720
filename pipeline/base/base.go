package base

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/internal/sealed"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/schema"
)

const rowsFolder = "rows"

// Base stands for the records before Next. It is safe for concurrent use. A nil
// Base is that of a journal that was never pruned: it stands for nothing.
type Base struct {
	journal *journal.Journal
	folder  string
	past    Past
	rows    *pebble.DB
	logger  *slog.Logger

	mu      sync.Mutex
	known   *known.Past // while anybody reads it
	readers int
}

// open opens the base of a journal, which is in a folder.
func open(j *journal.Journal, folder string, logger *slog.Logger) (_ *Base, err error) {
	defer recoverFatal(&err)
	past, err := readPast(folder)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, rowsFolder)
	db, err := sealed.Open(path, options(logger))
	if err != nil {
		return nil, &journal.BaseError{Path: path, Problem: err.Error()}
	}
	return &Base{journal: j, folder: folder, past: *past, rows: db, logger: logger}, nil
}

func (b *Base) close() (err error) {
	if b == nil {
		return nil
	}
	defer recoverFatal(&err)
	if err := b.rows.Close(); err != nil {
		return fmt.Errorf("closing the journal's base: %w", err)
	}
	return nil
}

// damaged makes an error of reading one that says what to do.
func (b *Base) damaged(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if b.journal.Outdated() {
		return &journal.PrunedError{Seq: b.past.Next} // a newer one is in its place
	}
	return &journal.BaseError{Path: filepath.Join(b.folder, rowsFolder), Problem: err.Error()}
}

// Next is the first record that the base does not stand for.
func (b *Base) Next() journal.Seq {
	if b == nil {
		return 0
	}
	return b.past.Next
}

// Past is what the records say besides their leads. It is not to be changed.
func (b *Base) Past() *Past {
	if b == nil {
		return &Past{}
	}
	return &b.past
}

// Content returns the row in which the content of an event is whose Page the base
// stands for, as flattening the page gave it.
func (b *Base) Content(e *known.Event) (schema.Row, error) {
	key := timelessKey(e.Row)
	if e.Submitted.Valid {
		key = latestKey(e.Submitted.Value, e.Row)
	}
	for _, key := range [][]byte{key, contentKey(e.Lead)} {
		value, err := get(b.rows, key)
		if err != nil {
			return schema.Row{}, b.damaged(err)
		}
		if value == nil {
			continue
		}
		s, err := readSighting(value)
		if err == nil && s.seq == e.Page {
			var row schema.Row
			if _, row, err = readRow(value); err == nil && row.LeadID == e.Row.String() {
				return row, nil
			}
		}
		if err != nil {
			return schema.Row{}, b.damaged(err)
		}
	}
	return schema.Row{}, b.damaged(fmt.Errorf("the content of lead %s as of page %d is missing", e.Lead, e.Page))
}

// Shown reports whether the last page that showed the lead of a row, in its time or
// among those without one, showed the content of the row.
func (b *Base) Shown(row *schema.Row) (same bool, err error) {
	if b == nil {
		return false, nil
	}
	want, err := sightingOf(0, time.Time{}, row)
	if err != nil {
		return false, err
	}
	last := journal.Seq(0)
	for _, undated := range []bool{true, false} {
		if !undated && !row.SubmittedTime.Valid {
			continue
		}
		key, err := rowKey(row, undated)
		if err != nil {
			return false, err
		}
		value, err := get(b.rows, key)
		if err != nil {
			return false, b.damaged(err)
		}
		if value == nil {
			continue
		}
		have, err := readSighting(value)
		if err != nil {
			return false, b.damaged(err)
		}
		if have.seq >= last {
			last, same = have.seq, have.hash == want.hash
		}
	}
	return same, nil
}

// Latest is the latest row of an id, and the page that showed it.
type Latest struct {
	Row  schema.Row // extracted when its content was seen first, of the last run
	Page journal.Seq
	// Place is where it is, for going on after it.
	Place []byte
}

// Dated yields the latest rows that were submitted in [from, to), in the order of
// their times, then of their ids.
func (b *Base) Dated(ctx context.Context, from, to time.Time) iter.Seq2[Latest, error] {
	return b.between(ctx, appendTime([]byte{latestKind}, from), appendTime([]byte{latestKind}, to))
}

// Undated yields the latest rows that belong to no time.
func (b *Base) Undated(ctx context.Context) iter.Seq2[Latest, error] {
	return b.between(ctx, []byte{timelessKind}, []byte{timelessKind + 1})
}

// Rows yields all latest rows from after a place on (nil for the beginning), those
// with a time first. Of an id that was shown both in its time and among those
// without, it yields what was shown last.
func (b *Base) Rows(ctx context.Context, after []byte) iter.Seq2[Latest, error] {
	from := []byte{latestKind}
	if len(after) > 0 {
		from = append(append([]byte{}, after...), 0)
	}
	return func(yield func(Latest, error) bool) {
		for l, err := range b.between(ctx, from, []byte{timelessKind + 1}) {
			later := false
			if err == nil {
				later, err = b.shownLater(&l)
			}
			if !later && !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// shownLater reports whether the row's id was shown later than the row, at the
// other of the two places that it can have.
func (b *Base) shownLater(l *Latest) (bool, error) {
	if !l.Row.SubmittedTime.Valid {
		return false, nil
	}
	key, err := rowKey(&l.Row, l.Place[0] == latestKind)
	if err != nil {
		return false, err
	}
	value, err := get(b.rows, key)
	if err != nil || value == nil {
		return false, b.damaged(err)
	}
	other, err := readSighting(value)
	return other.seq > l.Page, b.damaged(err)
}

func (b *Base) between(ctx context.Context, from, to []byte) iter.Seq2[Latest, error] {
	return func(yield func(Latest, error) bool) {
		if b == nil {
			return
		}
		if err := b.each(ctx, from, to, yield); err != nil {
			yield(Latest{}, b.damaged(err))
		}
	}
}

func (b *Base) each(ctx context.Context, from, to []byte, yield func(Latest, error) bool) (err error) {
	all, err := b.rows.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	for ok := all.First(); ok; ok = all.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		value, err := all.ValueAndErr()
		if err != nil {
			return err
		}
		s, row, err := readRow(value)
		if err != nil {
			return err
		}
		if !yield(Latest{Row: row, Page: s.seq, Place: append([]byte{}, all.Key()...)}, nil) {
			return nil
		}
	}
	return all.Error()
}

// Leads yields all known leads from after a place on (nil for the beginning).
// Content has their rows.
func (b *Base) Leads(ctx context.Context, after []byte) iter.Seq2[known.Placed, error] {
	return func(yield func(known.Placed, error) bool) {
		past, release, err := b.openKnown()
		if err != nil {
			yield(known.Placed{}, err)
			return
		}
		defer release()
		for p, err := range past.Leads(ctx, after) {
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// Of yields the known leads that are in scope. Row has their rows.
func (b *Base) Of(ctx context.Context, scope known.Scope) iter.Seq2[known.Event, error] {
	return func(yield func(known.Event, error) bool) {
		if b == nil {
			return
		}
		past, release, err := b.openKnown()
		if err != nil {
			yield(known.Event{}, err)
			return
		}
		defer release()
		for e, err := range past.Of(ctx, scope) {
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// openKnown opens the leads that were known, once for all who read them.
func (b *Base) openKnown() (_ *known.Past, release func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil {
		if b.known, err = known.OpenPast(filepath.Join(b.folder, known.BaseFolder), b.logger); err != nil {
			return nil, nil, err
		}
	}
	b.readers++
	return b.known, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.readers--; b.readers == 0 {
			_ = b.known.Close() // nothing was written
			b.known = nil
		}
	}, nil
}

// contentOf is the id of the lead whose content a key is of.
func contentOf(key []byte) (uuid.UUID, error) {
	if len(key) != 1+len(uuid.UUID{}) {
		return uuid.UUID{}, errValue
	}
	return uuid.UUID(key[1:]), nil
}
