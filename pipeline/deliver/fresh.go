package deliver

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
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
type fresh struct {
	reader  *Reader
	index   *index
	digests digests
}

func newFresh(r *Reader, x *index) *fresh {
	return &fresh{reader: r, index: x, digests: digests{reader: r, known: make(map[journal.Seq]digest)}}
}

func (f *fresh) rows(ctx context.Context, page ref, in stretch) ([]schema.Row, error) {
	var rows []schema.Row
	for i, s := range slicesOf([]ref{page}, page.window) {
		result, err := flattenSlice(ctx, f.reader, s)
		if err != nil {
			return nil, err
		}
		rows = append(rows, result.Rows...)
		if i == 0 {
			rows = append(rows, result.Undated...)
		}
	}
	others := f.others(page, in)
	if len(others) == 0 {
		return rows, nil
	}
	return f.pick(ctx, page, in, rows, others)
}

// others returns the other pages up to the end of the stretch that may show the
// same leads, by number.
func (f *fresh) others(page ref, in stretch) []ref {
	others := f.index.touching(page.window)
	if page.undated > 0 {
		others = append(others, f.index.undated...)
	}
	slices.SortFunc(others, func(a, b ref) int { return cmp.Compare(a.seq, b.seq) })
	others = slices.CompactFunc(others, func(a, b ref) bool { return a.seq == b.seq })
	return slices.DeleteFunc(others, func(r ref) bool { return r.seq == page.seq || r.seq >= in.through || r.leads == 0 })
}

func (f *fresh) pick(ctx context.Context, page ref, in stretch, rows []schema.Row, others []ref) ([]schema.Row, error) {
	leads := make(map[leadKey]*known, len(rows))
	keys := make([]leadKey, len(rows))
	for i := range rows {
		lead, content, err := keysOf(&rows[i])
		if err != nil {
			return nil, err
		}
		keys[i], leads[lead] = lead, &known{content: content}
	}
	for _, other := range others { // in the order of their numbers: the last word counts
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d, err := f.digests.of(other)
		if err != nil {
			return nil, err
		}
		for _, e := range d {
			k, ok := leads[e.lead]
			same := ok && e.content == k.content
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
	news := rows[:0]
	for i := range rows {
		if k := leads[keys[i]]; !k.inLog && !k.brought && !k.outdated {
			news = append(news, rows[i])
		}
	}
	return news, nil
}

// known is what other pages say of one row's lead.
type known struct {
	content                  contentKey
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
	reader  *Reader
	known   map[journal.Seq]digest
	order   []journal.Seq // oldest first
	entries int
}

func (d *digests) of(page ref) (digest, error) {
	if got, ok := d.known[page.seq]; ok {
		return got, nil
	}
	got := make(digest, 0, page.leads)
	for i, s := range slicesOf([]ref{page}, page.window) {
		result, err := d.reader.Page(page.seq, s.within)
		if err != nil {
			return nil, err
		}
		if got, err = got.add(result, i == 0); err != nil {
			return nil, err
		}
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

func (d digest) add(result flatten.Result, undated bool) (digest, error) {
	rows := [][]schema.Row{result.Rows}
	if undated {
		rows = append(rows, result.Undated)
	}
	for _, part := range rows {
		for i := range part {
			lead, content, err := keysOf(&part[i])
			if err != nil {
				return nil, err
			}
			d = append(d, digestEntry{lead, content})
		}
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
