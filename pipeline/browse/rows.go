package browse

import (
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// Filter says which rows are wanted; its zero value lets all pass.
type Filter struct {
	// Window holds the submitted times; empty for all, leads without one included.
	Window window.Window
	// Item is a listing and Lead a lead, by their ids; empty for any.
	Item, Lead string
	// Types are those of events; none for leads as they were seen last.
	Types []schema.EventType
	// OldestFirst is for leads, and costs less where all are wanted.
	OldestFirst bool
}

func (f *Filter) wants(r *schema.Row) bool {
	return (f.Item == "" || r.ItemID.Valid && r.ItemID.Value == f.Item) &&
		(f.Lead == "" || r.LeadID == f.Lead) &&
		(len(f.Types) == 0 || slices.Contains(f.Types, r.EventType))
}

// narrow makes the window of a filter for one lead the lead's second.
func (l *Landed) narrow(ctx context.Context, f *Filter) error {
	id, err := parseID(f.Lead)
	if err != nil {
		return err
	}
	f.Lead = id.String() // as rows have it
	scope, err := l.find(ctx, id)
	if err != nil || scope.Undated {
		return err
	}
	if f.bounded() {
		scope.Window = scope.Window.Intersect(f.Window)
	}
	if scope.Window.Empty() {
		return fmt.Errorf("lead %s was not submitted within %s", f.Lead, f.Window)
	}
	f.Window = scope.Window
	return nil
}

// bounded reports whether leads without a time are left out.
func (f *Filter) bounded() bool { return !f.Window.Empty() }

// Rows yields the rows that the filter wants, by default the newest first: leads by their
// submitted time, events by when they were seen. Where types are asked for, the
// events have to be worked out, which takes a folder for temporary files; those of
// pages that were pruned are not known any more.
func (l *Landed) Rows(ctx context.Context, f Filter) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		if f.Lead != "" {
			if err := l.narrow(ctx, &f); err != nil {
				yield(schema.Row{}, err)
				return
			}
		}
		all := l.leads(ctx, &f)
		if len(f.Types) > 0 {
			all = l.events(ctx, &f)
		}
		for row, err := range all {
			if (err != nil || f.wants(&row)) && !yield(row, err) {
				return
			}
		}
	}
}

// leads yields leads as they were seen last. Those without a time of their page
// come first, as nobody knows where they belong.
func (l *Landed) leads(ctx context.Context, f *Filter) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		undated, err := l.view.Undated(ctx)
		if err != nil {
			yield(schema.Row{}, err)
			return
		}
		for _, row := range undated {
			if f.bounded() && !(row.SubmittedTime.Valid && f.Window.Contains(row.SubmittedTime.Value)) {
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
		span := l.view.Span()
		if f.bounded() {
			span = span.Intersect(f.Window)
		}
		if f.OldestFirst {
			l.view.Latest(ctx, span)(yield)
			return
		}
		l.view.Newest(ctx, span)(yield)
	}
}

// events yields events, those of the newest page first.
func (l *Landed) events(ctx context.Context, f *Filter) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		err := l.eachEvent(ctx, f, func(row schema.Row) bool { return yield(row, nil) })
		if err != nil {
			yield(schema.Row{}, err)
		}
	}
}

func (l *Landed) eachEvent(ctx context.Context, f *Filter, yield func(schema.Row) bool) (err error) {
	dir, err := os.MkdirTemp("", "leads-etl-")
	if err != nil {
		return fmt.Errorf("working out what has changed: %w", err)
	}
	defer func() {
		if removeErr := os.RemoveAll(dir); err == nil && removeErr != nil {
			err = fmt.Errorf("removing temporary files: %w", removeErr)
		}
	}()
	scope := known.Scope{Window: f.Window}
	if !f.bounded() {
		scope = known.Scope{Window: everything, Undated: true}
	}
	store, err := l.derive(ctx, scope, dir, nil)
	if err != nil {
		return err
	}
	defer func() { err = joinClose(err, store) }()
	for _, p := range slices.Backward(l.journal.Pages()) {
		var events []known.Event
		for e, err := range store.Events(ctx, p.Seq, p.Seq+1) {
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		// Some at a time: a page may be large.
		for len(events) > 0 {
			n := max(0, len(events)-sliceLeads)
			rows, err := l.view.EventRows(ctx, events[n:])
			if err != nil {
				return err
			}
			events = events[:n]
			for _, row := range slices.Backward(rows) {
				if !yield(row) {
					return nil
				}
			}
		}
	}
	return nil
}

// everything holds all times that a lead can have.
var everything = window.Window{
	From: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
	To:   time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
}
