package browse

import (
	"context"
	"iter"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// Output is what a sink has written, to be read back.
type Output interface {
	// Rows yields the rows that are there, from the last to the first as the output
	// has them. It may leave out what lies outside of the window, and need not; an
	// empty window is all. It changes nothing.
	Rows(ctx context.Context, within window.Window) iter.Seq2[schema.Row, error]
}

// RowsOf yields the rows of an output that the filter wants: all versions of a lead
// that it holds, and of all types if none is asked for.
func RowsOf(ctx context.Context, o Output, f Filter) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		if f.Lead != "" {
			id, err := parseID(f.Lead)
			if err != nil {
				yield(schema.Row{}, err)
				return
			}
			f.Lead = id.String()
		}
		for row, err := range o.Rows(ctx, f.Window) {
			if err == nil && !(f.wants(&row) && f.within(&row)) {
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (f *Filter) within(r *schema.Row) bool {
	return !f.bounded() || r.SubmittedTime.Valid && f.Window.Contains(r.SubmittedTime.Value)
}

// NewestFirst merges runs of rows, each from the last seen to the first, into one.
// Of rows seen at the same time those of a later run come first.
func NewestFirst(runs []iter.Seq2[schema.Row, error]) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		heads := make([]*head, 0, len(runs))
		defer func() {
			for _, h := range heads {
				h.stop()
			}
		}()
		for _, run := range runs {
			h := new(head)
			h.next, h.stop = iter.Pull2(run)
			heads = append(heads, h)
			h.advance()
		}
		for {
			var newest *head
			for _, h := range heads {
				if h.ok && (newest == nil || h.err != nil || newest.err == nil && !h.row.ExtractedAt.Before(newest.row.ExtractedAt)) {
					newest = h
				}
			}
			if newest == nil || !yield(newest.row, newest.err) || newest.err != nil {
				return
			}
			newest.advance()
		}
	}
}

// head is the next row of a run.
type head struct {
	row  schema.Row
	err  error
	ok   bool
	next func() (schema.Row, error, bool)
	stop func()
}

func (h *head) advance() { h.row, h.err, h.ok = h.next() }
