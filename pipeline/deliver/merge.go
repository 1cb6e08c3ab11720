package deliver

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// sliceLeads is the number of leads beyond which a page is read in slices of
// time, so that memory does not grow with the largest page.
const sliceLeads = 4_000

// slice is a stretch of a page's window.
type slice struct {
	page   ref
	within window.Window
}

// first reports whether it is the first of its page's slices, if that was cut as a
// whole.
func (s slice) first() bool { return s.within.From.Equal(s.page.window.From) }

// slicesOf cuts what of the pages lies in span into slices, in the order of time.
func slicesOf(pages []ref, span window.Window) []slice {
	var all []slice
	for _, p := range pages {
		w := p.window.Intersect(span)
		width := sliceWidth(w, p.leads)
		for !w.Empty() {
			end := w.From.Add(width)
			if end.After(w.To) {
				end = w.To
			}
			all = append(all, slice{p, window.Window{From: w.From, To: end}})
			w.From = end
		}
	}
	slices.SortFunc(all, func(a, b slice) int {
		if c := a.within.From.Compare(b.within.From); c != 0 {
			return c
		}
		return cmp.Compare(a.page.seq, b.page.seq)
	})
	return all
}

// sliceWidth is how wide the slices are of a window with so many leads.
func sliceWidth(w window.Window, leads int) time.Duration {
	n := time.Duration(leads/sliceLeads + 1)
	return max(window.Second, (w.Length()/n + window.Second - 1).Truncate(window.Second))
}

// merge yields the latest version of every lead that the pages show within
// span, sorted by submitted time, then by lead id. It sweeps along the time and
// holds only the leads of the slices that it is passing, so memory grows with
// the number of pages that overlap one another, not with the span.
// What the base b stands for is swept along with. The rows may be shared with other
// sinks: nobody may change them.
func merge(ctx context.Context, r *Reader, b *base.Base, pages []ref, span window.Window) iter.Seq2[*schema.Row, error] {
	return func(yield func(*schema.Row, error) bool) {
		leads := make(versions)
		older := newOlder(ctx, b, span)
		defer older.stop()
		take := func(v *version) bool { return yield(v.latest(), nil) }
		todo := slicesOf(pages, span)
		if len(todo) == 0 {
			if _, err := older.finish(span.To, leads, take); err != nil {
				yield(nil, err)
			}
			return
		}
		next := 0
		for s, err := range flattenAhead(ctx, r, todo) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range s.result.Rows {
				leads.add(&s.result.Rows[i], s.page)
			}
			// No later slice starts before the next one: what lies before that is final,
			// and is handed on before the next one's rows are there.
			next++
			final := span.To
			if next < len(todo) {
				final = todo[next].within.From
			}
			if more, err := older.finish(final, leads, take); !more {
				if err != nil {
					yield(nil, err)
				}
				return
			}
		}
	}
}

// mergeUndated returns the latest version of every lead without a time.
func mergeUndated(ctx context.Context, r *Reader, b *base.Base, pages []ref) ([]schema.Row, error) {
	leads := make(versions)
	for l, err := range b.Undated(ctx) {
		if err != nil {
			return nil, err
		}
		leads.addOlder(l)
	}
	for _, p := range pages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		result, err := r.Page(p.seq, window.Window{})
		if err != nil {
			return nil, err
		}
		for i := range result.Undated {
			leads.add(&result.Undated[i], p)
		}
	}
	var rows []schema.Row
	for _, v := range leads.take(func(*version) bool { return true }) {
		rows = append(rows, *v.latest())
	}
	return rows, nil
}

// versions are the leads that a sweep has met, by lead id.
type versions map[string]*version

// version is the newest row of a lead, and all its sightings. The row is one of
// the slice's that showed it.
type version struct {
	row       *schema.Row
	seq       journal.Seq
	sightings []sighting
	one       [1]sighting // where the first lies: there is seldom another
}

// sighting is one page that showed a lead.
type sighting struct {
	seq      journal.Seq
	received time.Time
	hash     string
}

func (v versions) add(row *schema.Row, page ref) {
	known, ok := v[row.LeadID]
	if !ok {
		known = &version{}
		known.sightings = known.one[:0]
		v[row.LeadID] = known
	}
	if !ok || page.seq >= known.seq {
		known.row, known.seq = row, page.seq
	}
	known.sightings = append(known.sightings, sighting{page.seq, page.received, row.ContentHash})
}

// takeBefore removes and returns the leads submitted before t, sorted.
func (v versions) takeBefore(t time.Time) []*version {
	return v.take(func(known *version) bool { return known.row.SubmittedTime.Value.Before(t) })
}

func (v versions) take(which func(*version) bool) []*version {
	var taken []*version
	maps.DeleteFunc(v, func(_ string, known *version) bool {
		if !which(known) {
			return false
		}
		taken = append(taken, known)
		return true
	})
	slices.SortFunc(taken, func(a, b *version) int {
		if c := a.row.SubmittedTime.Value.Compare(b.row.SubmittedTime.Value); c != 0 {
			return c
		}
		return strings.Compare(a.row.LeadID, b.row.LeadID)
	})
	return taken
}

// latest is the lead's row as it is exported: that of the slice, if nothing in it has
// to be another.
func (v *version) latest() *schema.Row {
	shown := v.firstShown()
	if v.row.ExtractedAt.Equal(shown) {
		return v.row
	}
	row := *v.row
	row.ExtractedAt = shown
	return &row
}

// firstShown is when the page was received that first showed the version that
// is now the latest: the start of the last run of sightings with its content.
func (v *version) firstShown() time.Time {
	slices.SortFunc(v.sightings, func(a, b sighting) int { return cmp.Compare(a.seq, b.seq) })
	first := len(v.sightings) - 1
	for first > 0 && v.sightings[first-1].hash == v.row.ContentHash {
		first--
	}
	return v.sightings[first].received
}
