package known

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// Scope is the leads that somebody wants to look at. Leads are only ever compared
// with leads of the same second, so a store with a scope has the events of these
// leads just as a store of all leads has them, and reads no page that cannot show
// any of them.
type Scope struct {
	// Window holds the submitted times of the leads.
	Window window.Window
	// Undated says that leads without a submitted time are wanted, too.
	Undated bool
}

// identity is what it adds to what a store says of itself: a store of some leads
// must not be taken for one of all.
func (s *Scope) identity() string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf(", scope %s %t", s.Window, s.Undated)
}

// spans are the ranges of keys, in order, in which all is that a store of these
// leads holds, but for what it says of itself. Among them are those of leads without
// a certain time that are not in scope.
func (s *Scope) spans() [][2][]byte {
	if s == nil {
		return [][2][]byte{{{metaKind + 1}, nil}}
	}
	return [][2][]byte{
		{{metaKind + 1}, {byte(dated)}},
		s.datedSpan(),
		{{byte(dated) + 1}, nil},
	}
}

// datedSpan is the range of keys of the dated space in which leads are in scope.
func (s *Scope) datedSpan() [2][]byte {
	if s.Window.Empty() {
		return [2][]byte{{byte(dated)}, {byte(dated)}}
	}
	return [2][]byte{datedKey(s.Window.From.Unix()), datedKey(s.Window.To.Unix())}
}

// wants reports whether a lead of the group is in scope.
func (s *Scope) wants(g group) bool {
	if s == nil {
		return true
	}
	if g.second() == noSecond {
		return s.Undated
	}
	return s.Window.Contains(time.Unix(g.second(), 0))
}

// of returns the part of the page's window that is in scope, and whether the page
// may show any lead that is.
func (s *Scope) of(p *journal.Page) (within window.Window, concerned bool) {
	if s == nil {
		return p.Window, true
	}
	within = p.Window.Intersect(s.Window)
	// Of those that are out of their time, any page may show some.
	return within, !within.Empty() || p.Undated > 0
}

// cut leaves out of a page's rows without a time of the page those that are out of
// scope.
func (s *Scope) cut(r *flatten.Result) {
	if s == nil {
		return
	}
	// Others may share the rows.
	r.Undated = slices.DeleteFunc(slices.Clone(r.Undated), func(row schema.Row) bool {
		if !row.SubmittedTime.Valid {
			return !s.Undated
		}
		return !s.Window.Contains(row.SubmittedTime.Value)
	})
}

// deadOutOfScope is deadKnown, once the dead letters of those pages are noted that
// were passed over: those first that overlap this one, for the API goes by the time
// at which a lead was created; then all others, for two leads may be unreadable in
// the same way.
func (in *intake) deadOutOfScope(ctx context.Context, letters []flatten.DeadLetter) (bool, error) {
	for _, overlapping := range []bool{true, false} {
		for _, p := range in.store.options.Journal.Pages() {
			if p.Seq >= in.seq {
				break
			}
			if p.Window.Overlaps(in.page.Window) != overlapping {
				continue
			}
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if err := in.store.noteDeadOutOfScope(p); err != nil {
				return false, err
			}
		}
		if known, err := deadKnown(in.store.db, letters); known || err != nil {
			return known, err
		}
	}
	return false, nil
}

// noteDeadOutOfScope notes the dead letters of a page, if it was passed over.
func (s *Store) noteDeadOutOfScope(p journal.PageRef) error {
	passed := !p.Window.Overlaps(s.options.Scope.Window) && p.Undated == 0
	if !passed || s.deadRead[p.Seq] {
		return nil
	}
	result, err := s.options.Pages.Page(p.Seq, window.Window{})
	if err != nil {
		return err
	}
	for i := range result.Dead {
		if err := s.db.Set(deadKey(&result.Dead[i]), nil, pebble.NoSync); err != nil {
			return fmt.Errorf("noting a dead letter: %w", err)
		}
	}
	s.deadRead[p.Seq] = true
	return nil
}
