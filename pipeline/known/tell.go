package known

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/schema"
)

// seen tells of a known lead that a row shows.
func (d *deriver) seen(r *shown, known *lead) error {
	now := *known
	now.vanished = false
	var differ uint64
	changed, told := false, true
	if d.comparable(known) || known.vanished {
		// What a lost answer showed was told, and is not known: it is told again, as
		// a version that none can have had.
		lost := d.lost(known.page+1, &known.group)
		now.version += lost
		told = lost == 0
	}
	if d.comparable(known) {
		if changed = known.hash != r.hash; changed {
			differ = differing(r.columns(), known.digests)
			now.digests = r.columns()
		}
		d.show(&now, r)
	}
	if r.undated {
		now.space = undated
	}
	if now.space == undated {
		d.sighted(known, &now)
	}
	if !changed && told && !known.vanished {
		return d.take(known, &now, nil)
	}
	c := d.changeOf(r, schema.Updated)
	c.differ = differ
	if d.stream {
		now.version++
	}
	return d.take(known, &now, c)
}

// created tells of a row that is no known lead. Its id is the row's, unless a lead
// that was renamed has that.
func (d *deriver) created(r *shown) error {
	now := lead{space: dated, group: r.group, id: r.id, digests: r.columns()}
	for ordinal := 2; d.match.has(now.id); ordinal++ {
		id, err := uuid.Parse(schema.LeadID(r.row, ordinal))
		if err != nil {
			return fmt.Errorf("lead id of a row: %w", err)
		}
		now.id = id
	}
	d.match.ids = append(d.match.ids, now.id)
	if r.undated {
		now.space = undated
		d.sighted(nil, &now)
	}
	d.show(&now, r)
	now.version = d.lost(0, &r.group)
	if d.stream {
		now.version++
	}
	return d.take(nil, &now, d.changeOf(r, schema.Created))
}

// show makes the row the one that shows the lead's content.
func (d *deriver) show(l *lead, r *shown) {
	l.messages = d.messages
	l.hash, l.page, l.row, l.submitted = r.hash, d.seq, r.id, noTime
	if !r.undated {
		l.submitted = r.row.SubmittedTime.Value.UnixMilli()
	}
}

func (d *deriver) changeOf(r *shown, typ schema.EventType) *change {
	c := &change{class: classDated, index: r.index, typ: typ}
	if r.undated {
		c.class = classUndated
	}
	if !d.stream {
		c.typ = schema.Snapshot
	}
	return c
}
