// Package browse answers questions about what is landed, for people: which leads
// there are, what happened to one of them, what there was at some moment. It reads
// the journal without its lock, beside whatever runs, and changes nothing; only
// AsOf writes, into a folder of its own. It reads what sinks have written, too,
// through an interface that they implement.
//
// What must not be here: how answers are shown, and what is masked in them.
package browse

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
)

// Landed is what is landed, as of the moment when it was opened.
type Landed struct {
	journal   *journal.Journal
	flattener flatten.Flattener
	view      *deliver.View
}

// Open looks at a journal, which the caller closes. asOf is as in
// deliver.NewView.
func Open(ctx context.Context, j *journal.Journal, asOf time.Time) (*Landed, error) {
	id := j.Identity()
	l := &Landed{journal: j, flattener: flatten.Flattener{Account: id.Account, Marketplace: id.Marketplace}}
	var err error
	l.view, err = deliver.NewView(ctx, j, l.flattener, asOf)
	return l, err
}

// PrunedError says that what was asked for would take pages that were pruned. What
// stands for these, whoever exports has open and locked.
type PrunedError struct{ First journal.Seq }

func (e *PrunedError) Error() string {
	return fmt.Sprintf("the journal was pruned (state.keep): it begins with record %d, and what happened before cannot be told from it; show without --type and report show what is left, and show --output what the sinks hold", e.First)
}

// whole returns *PrunedError if records are missing at the journal's beginning.
func (l *Landed) whole() error {
	if first := l.journal.First(); first > 0 {
		return &PrunedError{first}
	}
	return nil
}

// View returns the view of what is landed.
func (l *Landed) View() *deliver.View { return l.view }

// Journal returns the journal.
func (l *Landed) Journal() *journal.Journal { return l.journal }

// derive works out what the landed pages say of the leads in scope: what the
// store of known leads says, which a running stream has locked. dir is where it is
// kept until it is closed, in memory if that is empty.
func (l *Landed) derive(ctx context.Context, scope known.Scope, dir string, sighted sightings) (*known.Store, error) {
	if err := l.whole(); err != nil {
		return nil, err
	}
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
		return nil, err
	}
	if err := s.Advance(ctx); err != nil {
		return nil, fmt.Errorf("working out what has changed: %w", joinClose(err, s))
	}
	return s, nil
}
