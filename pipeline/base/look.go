package base

import (
	"context"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/schema"
)

// Until is the moment from which on the table can be told as it was known: all
// content that the base holds had been seen by then. What there was before, the base
// does not hold.
func (b *Base) Until(ctx context.Context) (time.Time, error) {
	if b == nil {
		return time.Time{}, nil
	}
	if !b.past.Until.IsZero() {
		return b.past.Until, nil
	}
	until, err := lastSeen(ctx, b.rows)
	return until, b.damaged(err)
}

// lastSeen returns when the newest content of all latest rows was seen first. It
// reads all of them: bases of before Past.Until do not say it.
func lastSeen(ctx context.Context, rows pebble.Reader) (last time.Time, err error) {
	err = eachKey(ctx, rows, []byte{latestKind}, []byte{timelessKind + 1}, func(at *pebble.Iterator) error {
		value, err := at.ValueAndErr()
		if err != nil {
			return err
		}
		s, err := readSighting(value)
		if s.since.After(last) {
			last = s.since
		}
		return err
	})
	return last, err
}

// Count returns how many latest rows were submitted in [from, to).
func (b *Base) Count(ctx context.Context, from, to time.Time) (n int, err error) {
	if b == nil {
		return 0, nil
	}
	err = eachKey(ctx, b.rows, appendTime([]byte{latestKind}, from), appendTime([]byte{latestKind}, to), func(*pebble.Iterator) error {
		n++
		return nil
	})
	return n, b.damaged(err)
}

// errFound ends a search.
var errFound = errors.New("found")

// Find returns the latest row of an id, and whether there is one. An id does not
// tell its time, so all keys are searched for it.
func (b *Base) Find(ctx context.Context, id uuid.UUID) (row schema.Row, found bool, err error) {
	if b == nil {
		return row, false, nil
	}
	err = eachKey(ctx, b.rows, []byte{latestKind}, []byte{timelessKind + 1}, func(at *pebble.Iterator) error {
		key := at.Key()
		if len(key) < len(id) || uuid.UUID(key[len(key)-len(id):]) != id {
			return nil
		}
		value, err := at.ValueAndErr()
		if err == nil {
			_, row, err = readRow(value)
		}
		if err != nil {
			return err
		}
		return errFound
	})
	if errors.Is(err, errFound) {
		return row, true, nil
	}
	return row, false, b.damaged(err)
}

// eachKey calls f at each key in [from, to), until that returns an error.
func eachKey(ctx context.Context, rows pebble.Reader, from, to []byte, f func(*pebble.Iterator) error) (err error) {
	all, err := rows.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	for ok := all.First(); ok; ok = all.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(all); err != nil {
			return err
		}
	}
	return all.Error()
}

// Row returns what was known of a lead, which is one that Leads yields: a snapshot
// of it or, if it was gone by then, a vanished row, with its version. It was
// extracted when its content was seen first, of the last run.
func (b *Base) Row(lead *known.Event) (schema.Row, error) {
	row, err := b.Content(lead)
	if err != nil {
		return row, err
	}
	row.EventType, row.LeadID = lead.Type, lead.Lead.String()
	if lead.Version > 0 {
		row.LeadVersion = schema.Some(lead.Version)
	}
	row.EventID = schema.EventID(&row)
	return row, nil
}
