// Package browse answers questions about what is landed, for people: which leads
// there are, what happened to one of them, what there was at some moment. It reads
// the journal without its lock, beside whatever runs, and changes nothing; only
// AsOf writes, into a folder of its own. It reads what sinks have written, too,
// through an interface that they implement.
//
// Of a journal that was pruned, the base stands for what is gone: each lead as it
// was known then. What happened to it before cannot be told any more.
//
// What must not be here: how answers are shown, and what is masked in them.
package browse

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
)

// Landed is what is landed, as of the moment when it was opened.
type Landed struct {
	journal   *journal.Journal
	base      *base.Store
	flattener flatten.Flattener
	view      *deliver.View
}

// Open looks at a journal, which the caller closes after what it gets. asOf is as in
// deliver.NewView; the error is *TooEarlyError if what there was then is not known
// any more, and *journal.PrunedError if the journal was pruned meanwhile.
func Open(ctx context.Context, j *journal.Journal, asOf time.Time) (_ *Landed, err error) {
	id := j.Identity()
	l := &Landed{journal: j, flattener: flatten.Flattener{Account: id.Account, Marketplace: id.Marketplace}}
	if l.base, err = base.Open(j, l.flattener, slog.New(slog.DiscardHandler)); err != nil {
		return nil, fmt.Errorf("opening what stands for the pruned part of the journal: %w", err)
	}
	defer func() {
		if err != nil {
			err = joinClose(err, l.base)
		}
	}()
	if !asOf.IsZero() {
		pruned, err := l.Pruned(ctx)
		if err != nil {
			return nil, err
		}
		if pruned != nil && asOf.Before(pruned.Until) {
			return nil, &TooEarlyError{AsOf: asOf, Earliest: pruned.Until}
		}
	}
	l.view, err = deliver.NewView(ctx, j, l.base, l.flattener, asOf)
	return l, err
}

// Close closes what Open has opened.
func (l *Landed) Close() error { return l.base.Close() }

// Pruned is what of a journal is gone.
type Pruned struct {
	// The records before Before are.
	Before journal.Seq
	// Until is when the last of their pages was received: from then on, what was
	// known is known.
	Until time.Time
}

// Pruned returns what of the journal is gone; nil if it is whole.
func (l *Landed) Pruned(ctx context.Context) (*Pruned, error) {
	b, release := l.base.Pin()
	defer release()
	if b == nil {
		return nil, nil //nolint:nilnil // it is whole
	}
	until, err := b.Until(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking when the journal was pruned: %w", err)
	}
	return &Pruned{Before: b.Next(), Until: until}, nil
}

// TooEarlyError says that what was known at a moment would take pages that were
// pruned.
type TooEarlyError struct{ AsOf, Earliest time.Time }

func (e *TooEarlyError) Error() string {
	return fmt.Sprintf("the table as of %s cannot be told any more: the journal was pruned (state.keep), and each lead is kept as it was known at %s; that is the earliest moment to ask for",
		e.AsOf.UTC().Format(time.RFC3339Nano), e.Earliest.UTC().Format(time.RFC3339Nano))
}

// View returns the view of what is landed.
func (l *Landed) View() *deliver.View { return l.view }

// Journal returns the journal.
func (l *Landed) Journal() *journal.Journal { return l.journal }

// derive works out what the landed pages say of the leads in scope: what the
// store of known leads says, which a running stream has locked. dir is where it is
// kept until it is closed, in memory if that is empty.
func (l *Landed) derive(ctx context.Context, scope known.Scope, dir string, sighted sightings) (*known.Store, error) {
	o := known.Options{
		Dir: dir, Journal: l.journal, Pages: l.view.Reader(), Flattener: l.flattener, Scope: &scope,
		Logger: slog.New(slog.DiscardHandler),
	}
	if dir == "" {
		o.Dir, o.FS = "known", vfs.NewMem()
	}
	if sighted != nil {
		o.Sighted = sighted.add
	}
	s, err := known.Open(ctx, o)
	if err != nil {
		return nil, l.meanwhile(err)
	}
	if err := s.Advance(ctx); err != nil {
		return nil, fmt.Errorf("working out what has changed: %w", joinClose(err, s))
	}
	return s, nil
}

// meanwhile is the error of reading what stands for the pruned part of the journal.
// Another process may have put a newer one in its place.
func (l *Landed) meanwhile(err error) error {
	if err != nil && l.journal.Outdated() {
		return &journal.PrunedError{Seq: l.journal.First()}
	}
	return err
}
