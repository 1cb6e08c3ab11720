package known

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/internal/freeze"
	"github.com/leads-etl/leads-etl/pipeline/internal/sealed"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// Past is a store that no longer changes: what was known when a journal was
// pruned. It is safe for concurrent use.
type Past struct{ db *pebble.DB }

// OpenPast opens the store in a folder that Flush and Close were the last to
// write to. Any number of processes can have it open.
func OpenPast(folder string, logger *slog.Logger) (_ *Past, err error) {
	defer recoverFatal(&err)
	options := pebbleOptions()
	options.Logger = &failing{logger: logger, disk: freeze.New(vfs.Default)}
	db, err := sealed.Open(folder, options)
	if err != nil {
		return nil, &journal.BaseError{Path: folder, Problem: err.Error()}
	}
	return &Past{db}, nil
}

// Close closes it. It must not be in use.
func (p *Past) Close() (err error) {
	defer recoverFatal(&err)
	return p.db.Close()
}

// Leads yields all leads that were known, from after a place on (nil for the
// beginning), each with its place: as an event of no page that says what the lead
// was then, a snapshot or vanished. What it yields is the caller's.
func (p *Past) Leads(ctx context.Context, after []byte) iter.Seq2[Placed, error] {
	return func(yield func(Placed, error) bool) {
		if err := p.leads(ctx, after, yield); err != nil {
			yield(Placed{}, fmt.Errorf("reading what was known when the journal was pruned: %w", err))
		}
	}
}

// Of yields those leads that are in scope, as Leads does.
func (p *Past) Of(ctx context.Context, scope Scope) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		wanted := func(l Placed, _ error) bool { return !scope.wants(groupAt(l.Place)) || yield(l.Event, nil) }
		in := scope.datedSpan()
		more, err := p.leadsBetween(ctx, in[0], in[1], wanted)
		if err == nil && more {
			_, err = p.leadsBetween(ctx, []byte{byte(undated)}, []byte{byte(undated) + 1}, wanted)
		}
		if err != nil {
			yield(Event{}, fmt.Errorf("reading what was known when the journal was pruned: %w", err))
		}
	}
}

// Placed is what was known of a lead, and the place where it is.
type Placed struct {
	Event
	Place []byte
}

func (p *Past) leads(ctx context.Context, after []byte, yield func(Placed, error) bool) (err error) {
	for _, s := range []space{dated, undated} {
		from, to := []byte{byte(s)}, []byte{byte(s) + 1}
		if len(after) > 0 {
			if after[0] > byte(s) {
				continue
			}
			if after[0] == byte(s) {
				from = append(append([]byte{}, after...), 0)
			}
		}
		more, err := p.leadsBetween(ctx, from, to, yield)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (p *Past) leadsBetween(ctx context.Context, from, to []byte, yield func(Placed, error) bool) (more bool, err error) {
	all, err := p.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	for ok := all.First(); ok; ok = all.Next() {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		var l lead
		value, err := all.ValueAndErr()
		if err == nil {
			err = l.read(all.Key(), value)
		}
		if err != nil {
			return false, err
		}
		e := Event{Type: schema.Snapshot, Lead: l.id, Version: l.version, Page: l.page, Row: l.row, Submitted: timeOf(l.submitted)}
		if l.vanished {
			e.Type = schema.Vanished
		}
		if !yield(Placed{e, append([]byte{}, all.Key()...)}, nil) {
			return false, nil
		}
	}
	return true, all.Error()
}

// Shown returns those known leads whose content is the row that the page shows.
func (s *Store) Shown(page journal.Seq, row *schema.Row) ([]uuid.UUID, error) {
	id, err := uuid.Parse(row.LeadID)
	if err != nil {
		return nil, fmt.Errorf("lead id of a row: %w", err)
	}
	g := groupOf(row)
	var leads []uuid.UUID
	for _, in := range []space{dated, undated} {
		key := appendGroupKey(nil, in, &g)
		all, err := s.db.NewIter(&pebble.IterOptions{LowerBound: key, UpperBound: successor(append([]byte{}, key...))})
		if err != nil {
			return nil, fmt.Errorf("reading known leads: %w", err)
		}
		for ok := all.First(); ok && err == nil; ok = all.Next() {
			var value []byte
			var l lead
			if value, err = all.ValueAndErr(); err == nil {
				err = l.read(all.Key(), value)
			}
			if err == nil && l.page == page && l.row == id {
				leads = append(leads, l.id)
			}
		}
		if err = errors.Join(err, all.Close()); err != nil {
			return nil, s.checked(fmt.Errorf("reading known leads: %w", err))
		}
	}
	return leads, nil
}
