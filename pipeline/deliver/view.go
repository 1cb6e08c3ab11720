package deliver

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// View is what is landed, for those who look at it and deliver nothing: it writes
// nothing, and the journal may be one that was opened for reading beside a run. A
// View belongs to one goroutine.
type View struct {
	feed   *feed
	reader *Reader
	base   *base.Store
	rows   *eventReader
}

// NewView returns a view of what is in the journal, and in its base b, now. With
// asOf, unless it is zero, it is what was landed by then: pages that were received
// later are not in it. What the base has must have been landed by then.
func NewView(ctx context.Context, j *journal.Journal, b *base.Store, f flatten.Flattener, asOf time.Time) (*View, error) {
	pruned, release := b.Pin()
	feed := newFeed(j, pruned.Past())
	release()
	feed.asOf = asOf
	if _, err := feed.advance(ctx); err != nil {
		return nil, err
	}
	// What is odd about the pages was told when they were delivered.
	reader := NewReader(j, f, nil, slog.New(slog.DiscardHandler))
	return &View{feed: feed, reader: reader, base: b, rows: newEventReader(j, reader, b)}, nil
}

// Reader returns the view's way of turning pages into rows.
func (v *View) Reader() *Reader { return v.reader }

// Coverage returns what the journal's records say of batches and gaps, those of
// pages that came after asOf included.
func (v *View) Coverage() *coverage.Tracker { return &v.feed.tracker }

// Span returns the range from the first day of which something is landed to the
// end of the last; it is empty if nothing is.
func (v *View) Span() window.Window {
	days := v.feed.index.days()
	if len(days) == 0 {
		return window.Window{}
	}
	return window.Window{From: days[0].start(), To: days[len(days)-1].window().To}
}

// Latest yields the latest version of every lead submitted within span, as a table
// holds it: sorted by submitted time, then by lead id. Memory grows with the
// number of pages that overlap one another, not with the span.
func (v *View) Latest(ctx context.Context, span window.Window) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		b, release := v.base.Pin()
		defer release()
		for row, err := range merge(ctx, v.reader, b, v.feed.index.touching(span), span) {
			if err != nil {
				yield(schema.Row{}, err)
				return
			}
			if !yield(*row, nil) {
				return
			}
		}
	}
}

// Undated returns the latest version of every lead that has no submitted time, or
// one that was not asked for.
func (v *View) Undated(ctx context.Context) ([]schema.Row, error) {
	b, release := v.base.Pin()
	defer release()
	return mergeUndated(ctx, v.reader, b, v.feed.index.undated)
}

// newestLeads is how many leads Newest aims to have in memory at a time.
const newestLeads = 4 * sliceLeads

// Newest is Latest from the last lead to the first. Pages that span a long time
// are read more often, for it goes back through the time step by step.
func (v *View) Newest(ctx context.Context, span window.Window) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		for _, d := range slices.Backward(v.feed.index.days()) {
			within := d.window().Intersect(span)
			if within.Empty() {
				continue
			}
			steps, err := v.stepsOf(ctx, within)
			if err != nil {
				yield(schema.Row{}, err)
				return
			}
			for _, step := range slices.Backward(steps) {
				var rows []schema.Row
				for row, err := range v.Latest(ctx, step) {
					if err != nil {
						yield(schema.Row{}, err)
						return
					}
					rows = append(rows, row)
				}
				for _, row := range slices.Backward(rows) {
					if !yield(row, nil) {
						return
					}
				}
			}
		}
	}
}

// stepsOf cuts w so that a step has newestLeads leads or so, if they are spread
// evenly over their pages, and over w those that the base has.
func (v *View) stepsOf(ctx context.Context, w window.Window) ([]window.Window, error) {
	b, release := v.base.Pin()
	defer release()
	older, err := b.Count(ctx, w.From, w.To)
	if err != nil {
		return nil, err
	}
	leads := float64(older)
	for _, p := range v.feed.index.touching(w) {
		leads += float64(p.leads) * float64(p.window.Intersect(w).Length()) / float64(p.window.Length())
	}
	n := time.Duration(leads/newestLeads) + 1
	width := max(window.Second, (w.Length()/n + window.Second - 1).Truncate(window.Second))
	var steps []window.Window
	for w.Length() > width {
		steps = append(steps, window.Window{From: w.From, To: w.From.Add(width)})
		w.From = w.From.Add(width)
	}
	return append(steps, w), nil
}

// EventRows returns the rows of events, which are those of the view's journal, in
// their order.
func (v *View) EventRows(ctx context.Context, events []known.Event) ([]schema.Row, error) {
	return v.rows.rows(ctx, events)
}
