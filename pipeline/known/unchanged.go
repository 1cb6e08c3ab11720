package known

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// errNews ends a comparison: there is something to tell.
var errNews = errors.New("something has changed")

// Unchanged reports whether an answer that is not landed says just what is known:
// as a page of a stream it would make no event. It compares with what Advance has
// taken in.
func (s *Store) Unchanged(ctx context.Context, page *journal.Page) (bool, error) {
	view := s.db.NewSnapshot()
	err := s.compare(ctx, view, page)
	if closeErr := view.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, errNews) {
		return false, nil
	}
	return err == nil, s.checked(err)
}

// compare returns errNews if the answer has something to tell.
func (s *Store) compare(ctx context.Context, view *pebble.Snapshot, page *journal.Page) error {
	undated := s.Stats().Undated
	sighted := make(map[leadName]struct{})
	var d *deriver
	slices := slicesOf(page.Window, page.Leads, s.options.sliceLeads)
	part, release, err := s.partsOf(view, page, slices)
	if err != nil {
		return fmt.Errorf("flattening an answer: %w", err)
	}
	defer release()
	for i, w := range slices {
		result, err := part(w)
		if err != nil {
			return fmt.Errorf("flattening an answer: %w", err)
		}
		r := readingOf(s.options.Journal.End(), page, true, s.options.Journal.Losses())
		d = newDeriver(r, view, undated > 0, func(_, _ *lead, c *change) error {
			if c != nil {
				return errNews
			}
			return nil
		})
		d.shown = sighted
		if i == 0 {
			if known, err := deadKnown(view, result.Dead); err != nil || !known {
				return cmp.Or(err, errNews)
			}
			if err := compareRows(result.Undated, true, func(rows []*shown) error { return d.undated(ctx, rows) }); err != nil {
				return err
			}
		}
		if err := compareRows(result.Rows, false, func(rows []*shown) error {
			return d.between(ctx, rows, w.From.Unix(), w.To.Unix())
		}); err != nil {
			return err
		}
	}
	if undated == 0 || undated > maxUndated {
		return nil
	}
	// What an answer rules out without telling anything is worth landing as well:
	// the next one may rule out the rest.
	if err := d.missing(ctx); err != nil || !d.progress {
		return err
	}
	return errNews
}

// knowsAny reports whether a lead is known, be it gone, that was submitted within w.
func knowsAny(view pebble.Reader, w window.Window) (bool, error) {
	leads, err := view.NewIter(&pebble.IterOptions{
		LowerBound: datedKey(w.From.Unix()), UpperBound: datedKey(w.To.Unix()),
	})
	if err != nil {
		return false, err
	}
	known := leads.First()
	return known, errors.Join(leads.Error(), leads.Close())
}

// partsOf returns what flattens a slice of an answer, and what to call when all are
// read. An answer of several slices is cut first, for its leads come in the order of
// their listings: read slice by slice, it would be decompressed for each, and the few
// leads of one keep the text of all between them. Where nothing is known, the first
// slice will have news, and is read as it is. One large answer is looked at at a
// time, and the others wait: each takes megabytes.
func (s *Store) partsOf(view pebble.Reader, page *journal.Page, slices []window.Window) (part func(window.Window) (flatten.Result, error), release func(), err error) {
	f := s.options.Flattener
	whole := func(w window.Window) (flatten.Result, error) { return f.Page(page, w) }
	if len(slices) == 1 {
		return whole, func() {}, nil
	}
	s.comparing.Lock()
	defer func() {
		if err != nil {
			s.comparing.Unlock()
		}
	}()
	if known, err := knowsAny(view, page.Window); err != nil || !known {
		return whole, s.comparing.Unlock, err
	}
	cut, err := f.Cut(page, slices[0].Length())
	if err != nil {
		return nil, nil, err
	}
	return cut.Page, s.comparing.Unlock, nil
}

func compareRows(rows []schema.Row, undated bool, with func([]*shown) error) error {
	shown, err := readRows(rows, undated)
	if err != nil {
		return err
	}
	return with(shown)
}
