package browse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/schema"
)

// History is what happened to one lead, as far as it was seen.
type History struct {
	// Lead is its id; Other are ids that pages show it under since its buyer was
	// renamed.
	Lead  string
	Other []string
	// Versions are all there were, the oldest first. There is at least one.
	Versions []Version
	// FirstSeen and LastSeen are when answers that showed it were received, of
	// which the last may have held nothing new.
	FirstSeen, LastSeen time.Time
	// Vanished says that the API shows it no more.
	Vanished bool
}

// Version is the lead as it was from some answer on.
type Version struct {
	// Row is the event; its extracted_at is when the answer was received.
	Row schema.Row
	// Changed are the columns that differ from the version before, in the order of
	// schema.Columns.
	Changed []schema.Column
}

// History derives all versions of the lead with the id, which may be one that it
// was landed under before or after its buyer was renamed. at, unless it is zero,
// is when the lead was submitted: then the journal is not searched for it. The
// error may be *NotFoundError.
func (l *Landed) History(ctx context.Context, id string, at time.Time) (*History, error) {
	id = normalID(id)
	scope := scopeOf(&schema.Row{SubmittedTime: schema.Opt[time.Time]{Value: at, Valid: !at.IsZero()}})
	if at.IsZero() {
		var err error
		if scope, err = l.find(ctx, id); err != nil {
			return nil, err
		}
	}
	sighted := make(sightings)
	store, err := l.derive(ctx, scope, "", sighted)
	if err != nil {
		return nil, err
	}
	events, err := eventsOf(ctx, store, id)
	if err := joinClose(err, store); err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, &NotFoundError{ID: id}
	}
	h, err := l.historyOf(ctx, events)
	if err != nil {
		return nil, err
	}
	return h, l.seen(ctx, h, events, sighted[events[0].Lead])
}

// eventsOf returns the events of the lead that has the id, or was shown under it.
func eventsOf(ctx context.Context, store *known.Store, id string) ([]known.Event, error) {
	all := make(map[uuid.UUID][]known.Event)
	var lead, shownAs uuid.UUID
	for e, err := range store.Events(ctx, 0, store.Position()) {
		if err != nil {
			return nil, err
		}
		all[e.Lead] = append(all[e.Lead], e)
		if e.Lead.String() == id {
			lead = e.Lead
		}
		if e.Row.String() == id {
			shownAs = e.Lead
		}
	}
	if len(all[lead]) == 0 {
		lead = shownAs
	}
	return all[lead], nil
}

func (l *Landed) historyOf(ctx context.Context, events []known.Event) (*History, error) {
	rows, err := l.view.EventRows(ctx, events)
	if err != nil {
		return nil, err
	}
	h := &History{Lead: events[0].Lead.String()}
	for i := range rows {
		v := Version{Row: rows[i]}
		if i > 0 && rows[i].EventType != schema.Vanished {
			v.Changed = changed(&rows[i-1], &rows[i])
		}
		h.Versions = append(h.Versions, v)
		h.Vanished = rows[i].EventType == schema.Vanished
		if as := events[i].Row.String(); as != h.Lead && !slices.Contains(h.Other, as) {
			h.Other = append(h.Other, as)
		}
	}
	return h, nil
}

// changed returns the columns of the API's that differ, but for messages where one
// of the two answers was asked for without them.
func changed(before, now *schema.Row) []schema.Column {
	a, b := schema.Digests(before, nil), schema.Digests(now, nil)
	var differ []schema.Column
	for i, c := range schema.DigestColumns {
		if a[i] != b[i] {
			differ = append(differ, c)
		}
	}
	return differ
}

// sightings are the first and the last page that show each lead.
type sightings map[uuid.UUID]sighting

type sighting struct{ first, last journal.Seq }

func (s sightings) add(lead uuid.UUID, seq journal.Seq) {
	seen, ok := s[lead]
	if !ok {
		seen.first = seq
	}
	seen.last = seq
	s[lead] = seen
}

// seen finds out when the lead was first and last seen. A stream does not land
// what is as it was, but notes that it was read.
func (l *Landed) seen(ctx context.Context, h *History, events []known.Event, s sighting) error {
	row := &h.Versions[0].Row
	gone := l.journal.End() // from which record on it is not seen
	if h.Vanished {
		gone = events[len(events)-1].Seq
	}
	for r, err := range l.journal.Records(ctx, s.first) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		switch {
		case r.Seq >= gone && r.Seq > s.last:
			return nil
		case r.Page != nil && r.Seq == s.first:
			h.FirstSeen, h.LastSeen = r.Page.Received, r.Page.Received
		case r.Page != nil && r.Seq == s.last:
			h.LastSeen = later(h.LastSeen, r.Page.Received)
		case r.Poll != nil && polled(r.Poll, row) && r.Seq > s.last:
			h.LastSeen = later(h.LastSeen, r.Poll.Received)
		}
	}
	return nil
}

// polled reports whether the windows that were read again show the lead.
func polled(p *journal.Poll, r *schema.Row) bool {
	if !r.SubmittedTime.Valid || p.Query.Status != "" || p.Query.Item != "" && p.Query.Item != r.ItemID.Or("") {
		return false
	}
	for _, w := range p.Windows {
		if w.Contains(r.SubmittedTime.Value) {
			return true
		}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// joinClose closes c and joins what goes wrong to err.
func joinClose(err error, c io.Closer) error { return errors.Join(err, c.Close()) }
