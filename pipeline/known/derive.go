package known

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/schema"
)

// shown is a row of an answer.
type shown struct {
	row     *schema.Row
	index   int // in the rows of its kind
	undated bool
	group   group
	id      uuid.UUID
	hash    contentHash
	digests []uint32 // once they were asked for
}

// columns are the digests of the row's columns.
func (r *shown) columns() []uint32 {
	if r.digests == nil {
		r.digests = schema.Digests(r.row, make([]uint32, 0, len(schema.DigestColumns)))
	}
	return r.digests
}

// readRows prepares rows, sorted by their groups and ids.
func readRows(rows []schema.Row, undated bool) ([]*shown, error) {
	all := make([]shown, len(rows))
	sorted := make([]*shown, len(rows))
	for i := range rows {
		r := &rows[i]
		id, err := uuid.Parse(r.LeadID)
		if err != nil {
			return nil, fmt.Errorf("lead id of a row: %w", err)
		}
		all[i] = shown{row: r, index: i, undated: undated, group: groupOf(r), id: id}
		if _, err := hex.Decode(all[i].hash[:], []byte(r.ContentHash[:2*len(contentHash{})])); err != nil {
			return nil, fmt.Errorf("content hash of a row: %w", err)
		}
		sorted[i] = &all[i]
	}
	slices.SortStableFunc(sorted, func(a, b *shown) int {
		if c := a.group.compare(&b.group); c != 0 {
			return c
		}
		return slices.Compare(a.id[:], b.id[:])
	})
	return sorted, nil
}

// deriver works out what an answer says of the known leads. It changes nothing
// itself: take is told. It does not see what it has told itself, and need not: an
// answer has one say on each lead.
type deriver struct {
	reading
	view pebble.Reader
	// strays says that there may be leads in the undated space.
	strays bool
	// take is told of a lead that is new (known is nil), or whose state becomes
	// another, with the event that this makes, if it makes one. All it gets is its
	// own until it returns.
	take func(known, now *lead, c *change) error
	// pass is called before each second, but the first, with leads or rows; nil for
	// nobody.
	pass func(second int64) error

	// shown are leads of the undated space that were told, and progress says that
	// missing has ruled out anything.
	shown    map[leadName]struct{}
	progress bool

	match matcher
	key   []byte
	end   []byte
}

func newDeriver(r reading, view pebble.Reader, strays bool, take func(known, now *lead, c *change) error) *deriver {
	d := &deriver{reading: r, view: view, strays: strays, take: take}
	d.match.reading = &d.reading
	return d
}

// undated works out what the rows say that belong to no time of the page.
func (d *deriver) undated(ctx context.Context, rows []*shown) error {
	for len(rows) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := sameGroup(rows)
		g := &rows[0].group
		d.match.begin(rows[:n])
		if g.second() != noSecond {
			if err := d.load(dated, g); err != nil {
				return err
			}
		}
		if err := d.group(g); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// between works out what the rows, all of the seconds [from, to), say of the
// known leads of these: one pass over both.
func (d *deriver) between(ctx context.Context, rows []*shown, from, to int64) error {
	leads, err := d.scan(datedKey(from), datedKey(to))
	if err != nil {
		return err
	}
	err = d.merge(ctx, rows, leads)
	if closeErr := leads.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (d *deriver) merge(ctx context.Context, rows []*shown, leads *pebble.Iterator) error {
	all := d.stream && d.whole // leads without rows matter
	second := int64(noSecond)
	for ok := leads.First(); ok || len(rows) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var g group
		switch {
		case !ok:
			g = rows[0].group
		case len(rows) == 0 && !all:
			return nil
		case !all:
			g = rows[0].group
			if at := groupAt(leads.Key()); at.compare(&g) < 0 {
				d.key = appendGroupKey(d.key[:0], dated, &g)
				ok = leads.SeekGE(d.key)
			}
		default:
			g = groupAt(leads.Key())
			if len(rows) > 0 && rows[0].group.compare(&g) < 0 {
				g = rows[0].group
			}
		}
		if now := g.second(); now != second {
			if second != noSecond && d.pass != nil {
				if err := d.pass(now); err != nil {
					return err
				}
			}
			second = now
		}
		n := 0
		if len(rows) > 0 && rows[0].group == g {
			n = sameGroup(rows)
		}
		d.match.begin(rows[:n])
		matters := n > 0 || d.vanishes(&g)
		for ; ok && groupAt(leads.Key()) == g; ok = leads.Next() {
			if matters {
				if err := d.add(leads); err != nil {
					return err
				}
			}
		}
		d.match.consider(0)
		if err := d.group(&g); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return leads.Error()
}

func sameGroup(rows []*shown) int {
	n := 1
	for n < len(rows) && rows[n].group == rows[0].group {
		n++
	}
	return n
}

func (d *deriver) scan(from, to []byte) (*pebble.Iterator, error) {
	leads, err := d.view.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, fmt.Errorf("reading known leads: %w", err)
	}
	return leads, nil
}

// add appends the lead at which the iterator is to those of the group.
func (d *deriver) add(leads *pebble.Iterator) error {
	value, err := leads.ValueAndErr()
	if err != nil {
		return err
	}
	n := len(d.match.leads)
	d.match.leads = slices.Grow(d.match.leads, 1)[:n+1] // with the digests' memory of before
	return d.match.leads[n].read(leads.Key(), value)
}

// load adds the leads of a group that are in a space, and matches them.
func (d *deriver) load(s space, g *group) error {
	d.key = appendGroupKey(d.key[:0], s, g)
	d.end = successor(append(d.end[:0], d.key...))
	leads, err := d.scan(d.key, d.end)
	if err != nil {
		return err
	}
	from := len(d.match.leads)
	for ok := leads.First(); ok && err == nil; ok = leads.Next() {
		err = d.add(leads)
	}
	if closeErr := leads.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		d.match.consider(from)
	}
	return err
}

// group tells what the rows of a group, matched with its leads of the dated
// space, amount to.
func (d *deriver) group(g *group) error {
	m := &d.match
	if d.strays && m.unknown() {
		if err := d.load(undated, g); err != nil {
			return err
		}
	}
	if m.unknown() && slices.Contains(m.taken, false) {
		m.compare()
	}
	for i, r := range m.rows {
		var err error
		if k := m.of[i]; k >= 0 {
			err = d.seen(r, &m.leads[k])
		} else {
			err = d.created(r)
		}
		if err != nil {
			return err
		}
	}
	if len(m.rows) > 0 && m.rows[0].undated || !d.vanishes(g) {
		return nil
	}
	for k := range m.leads {
		l := &m.leads[k]
		if m.taken[k] || l.vanished || l.space != dated {
			continue
		}
		now := *l
		now.vanished = true
		now.version += 1 + d.lost(l.page+1, &l.group)
		if err := d.take(l, &now, &change{class: classVanished, typ: schema.Vanished}); err != nil {
			return err
		}
	}
	return nil
}
