package deliver

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// fresh picks the rows of a page that a log does not have yet as they are now.
// A row of a page in the stretch is fresh if
//   - no later page of the stretch shows other content of the lead: else it is
//     out of date, and that page will bring what is right;
//   - the page of the stretch before it that shows the lead, if any, shows other
//     content: else that page has brought it;
//   - the last page before the stretch that shows the lead, if any, shows other
//     content: else the log has it.
//
// It is all the same whether a page shows the lead in its time or, astray, among
// those without one.
//
// An answer that is lost may have shown any content of a lead, and the log may
// have it: what pages before it showed says nothing of the log then.
type fresh struct {
	reader  *Reader
	base    *base.Store
	index   *index
	dated   digests
	undated digests
}

func newFresh(r *Reader, b *base.Store, x *index) *fresh {
	return &fresh{
		reader: r, base: b, index: x,
		dated:   digests{read: datedDigest(r), known: make(map[journal.Seq]digest)},
		undated: digests{read: undatedDigest(r), known: make(map[journal.Seq]digest)},
	}
}

// rows yields the fresh rows of a slice of a page: those of its time, and, with the
// first, those that come with every slice. They may be shared with other sinks: nobody
// may change them.
func (f *fresh) rows(ctx context.Context, s flattened, in stretch) iter.Seq2[[]schema.Row, error] {
	return func(yield func([]schema.Row, error) bool) {
		pages := append(f.dated.ofAll(f.index.touching(s.within)), f.undated.ofAll(f.index.undated)...)
		news, err := f.pick(ctx, s.page, in, s.result.Rows, pages)
		if !yield(news, err) || err != nil {
			return
		}
		if !s.first() || len(s.result.Undated) == 0 {
			return
		}
		// Leads without a time are in no window: any page may show the same.
		pages = append(f.undated.ofAll(f.index.undated), f.dated.ofAll(f.placesOf(s.result.Undated))...)
		yield(f.pick(ctx, s.page, in, s.result.Undated, pages))
	}
}

// placesOf returns the pages that may show the rows that have a time in it, each
// once. There are few such rows.
func (f *fresh) placesOf(rows []schema.Row) []ref {
	var places []ref
	for i := range rows {
		if t := rows[i].SubmittedTime; t.Valid {
			second := t.Value.Truncate(time.Second)
			places = append(places, f.index.touching(window.New(second, second.Add(time.Second)))...)
		}
	}
	slices.SortFunc(places, func(a, b ref) int { return cmp.Compare(a.seq, b.seq) })
	return slices.CompactFunc(places, func(a, b ref) bool { return a.seq == b.seq })
}

// showing is a page, and those of its leads that are looked at.
type showing struct {
	ref
	leads *digests
}

// others returns those of the pages that count besides page itself: the ones up
// to the end of the stretch that hold anything, by number.
func others(page ref, in stretch, pages []showing) []showing {
	var others []showing
	for _, r := range pages {
		if r.seq != page.seq && r.seq < in.through && r.ref.leads > 0 {
			others = append(others, r)
		}
	}
	slices.SortFunc(others, func(a, b showing) int { return cmp.Compare(a.seq, b.seq) })
	return others
}

// pick returns those of the page's rows that are fresh, given the pages that may
// show the same leads: the rows themselves if all are.
func (f *fresh) pick(ctx context.Context, page ref, in stretch, rows []schema.Row, pages []showing) ([]schema.Row, error) {
	pages = others(page, in, pages)
	b, release := f.base.Pin()
	defer release()
	if len(pages) == 0 && b == nil {
		return rows, nil
	}
	leads := make(map[leadKey]*told, len(rows))
	keys := make([]leadKey, len(rows))
	for i := range rows {
		lead, content, err := keysOf(&rows[i])
		if err != nil {
			return nil, err
		}
		// What the pruned pages came to is before the stretch.
		submitted := rows[i].SubmittedTime.Or(time.Time{})
		inLog, err := b.Shown(&rows[i])
		if err != nil {
			return nil, err
		}
		inLog = inLog && !f.lost(0, page.seq, submitted)
		keys[i], leads[lead] = lead, &told{content: content, submitted: submitted, inLog: inLog}
	}
	for _, other := range pages { // in the order of their numbers: the last word counts
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d, err := other.leads.of(other.ref)
		if err != nil {
			return nil, err
		}
		for _, e := range d {
			k, ok := leads[e.lead]
			same := ok && e.content == k.content && !(other.seq < page.seq && f.lost(other.seq, page.seq, k.submitted))
			switch {
			case !ok:
			case other.seq < in.base:
				k.inLog = same
			case other.seq < page.seq:
				k.brought = same
			case !same:
				k.outdated = true
			}
		}
	}
	isFresh := func(i int) bool {
		k := leads[keys[i]]
		return !k.inLog && !k.brought && !k.outdated
	}
	n := 0
	for i := range rows {
		if isFresh(i) {
			n++
		}
	}
	if n == len(rows) {
		return rows, nil
	}
	news := make([]schema.Row, 0, n)
	for i := range rows {
		if isFresh(i) {
			news = append(news, rows[i])
		}
	}
	return news, nil
}

// lost reports whether an answer is lost between two pages that may have shown a
// lead that was submitted then.
func (f *fresh) lost(after, before journal.Seq, submitted time.Time) bool {
	for _, l := range f.index.losses {
		if after < l.Seq && l.Seq < before && l.MayHold(submitted) {
			return true
		}
	}
	return false
}

// told is what other pages say of one row's lead.
type told struct {
	content                  contentKey
	submitted                time.Time
	inLog, brought, outdated bool
}

type (
	leadKey    [16]byte
	contentKey [32]byte
)

// digest is what a page showed, without the rows.
type digest []digestEntry

type digestEntry struct {
	lead    leadKey
	content contentKey
}

// maxDigestEntries bounds the memory of kept digests, at 48 bytes an entry.
const maxDigestEntries = 200_000

// digests keeps the digests of the pages asked for last.
type digests struct {
	read    func(ref) (digest, error)
	known   map[journal.Seq]digest
	order   []journal.Seq // oldest first
	entries int
}

// ofAll are the pages with what d has of them.
func (d *digests) ofAll(pages []ref) []showing {
	all := make([]showing, len(pages))
	for i, r := range pages {
		all[i] = showing{r, d}
	}
	return all
}

func (d *digests) of(page ref) (digest, error) {
	if got, ok := d.known[page.seq]; ok {
		return got, nil
	}
	got, err := d.read(page)
	if err != nil {
		return nil, err
	}
	d.known[page.seq] = got
	d.order = append(d.order, page.seq)
	d.entries += len(got)
	for d.entries > maxDigestEntries && len(d.order) > 1 {
		d.entries -= len(d.known[d.order[0]])
		delete(d.known, d.order[0])
		d.order = d.order[1:]
	}
	return got, nil
}

// datedDigest reads what a page showed within its window.
func datedDigest(r *Reader) func(ref) (digest, error) {
	return func(page ref) (digest, error) {
		d := make(digest, 0, page.leads)
		for _, s := range slicesOf([]ref{page}, page.window) {
			result, err := r.Page(page.seq, s.within)
			if err != nil {
				return nil, err
			}
			if d, err = d.add(result.Rows); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
}

// undatedDigest reads what a page showed without a time, or astray.
func undatedDigest(r *Reader) func(ref) (digest, error) {
	return func(page ref) (digest, error) {
		result, err := r.Page(page.seq, window.Window{})
		if err != nil {
			return nil, err
		}
		return make(digest, 0, len(result.Undated)).add(result.Undated)
	}
}

func (d digest) add(rows []schema.Row) (digest, error) {
	for i := range rows {
		lead, content, err := keysOf(&rows[i])
		if err != nil {
			return nil, err
		}
		d = append(d, digestEntry{lead, content})
	}
	return d, nil
}

func keysOf(r *schema.Row) (lead leadKey, content contentKey, err error) {
	id, err := uuid.Parse(r.LeadID)
	if err != nil {
		return lead, content, fmt.Errorf("lead id: %w", err)
	}
	n, err := hex.Decode(content[:], []byte(r.ContentHash))
	if err != nil || n != len(content) {
		return lead, content, fmt.Errorf("content hash of lead %s is no SHA-256", r.LeadID)
	}
	return leadKey(id), content, nil
}
