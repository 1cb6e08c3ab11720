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
	// Pruned is what of the journal is gone, if the lead was known by then: the first
	// of Versions is the lead as it was known when that went, and there may have been
	// earlier ones. Else it is nil.
	Pruned *Pruned
	// FirstSeen and LastSeen are when answers that showed it were received, of
	// which the last may have held nothing new. They are zero if that was pruned.
	FirstSeen, LastSeen time.Time
	// Vanished says that the API shows it no more.
	Vanished bool
}

// Version is the lead as it was from some answer on.
type Version struct {
	// Row is the event; its extracted_at is when the answer was received. What was
	// known when the journal was pruned is a snapshot, or a vanished row, with the
	// version that the lead had; its extracted_at is when its content was seen first.
	Row schema.Row
	// Changed are the columns that differ from the version before, in the order of
	// schema.Columns.
	Changed []schema.Column
}

// History derives all versions of the lead with the id, which may be one that it
// was landed under before or after its buyer was renamed. Of a lead that was known
// when the journal was pruned, these are how it was known then, and those since. at, unless it is zero,
// is when the lead was submitted: then the journal is not searched for it. The
// error may be *NotFoundError.
func (l *Landed) History(ctx context.Context, lead string, at time.Time) (*History, error) {
	id, err := parseID(lead)
	if err != nil {
		return nil, err
	}
	scope := scopeOf(&schema.Row{SubmittedTime: schema.Opt[time.Time]{Value: at, Valid: !at.IsZero()}})
	if at.IsZero() {
		if scope, err = l.find(ctx, id); err != nil {
			return nil, err
		}
	}
	sighted := make(sightings)
	store, err := l.derive(ctx, scope, "", sighted)
	if err != nil {
		return nil, err
	}
	s, err := l.storyOf(ctx, store, scope, id)
	if err := joinClose(err, store); err != nil {
		return nil, err
	}
	h, err := l.historyOf(ctx, s)
	if err != nil {
		return nil, err
	}
	return h, l.seen(ctx, h, s, sighted[s.lead])
}

// story is what is left of what happened to a lead.
type story struct {
	lead uuid.UUID
	// pruned is what was known of it when the journal was pruned; nil if it was not
	// known then.
	pruned *known.Event
	events []known.Event
}

// storyOf returns that of the lead that has the id, or was shown under it.
func (l *Landed) storyOf(ctx context.Context, store *known.Store, scope known.Scope, id uuid.UUID) (*story, error) {
	all := make(map[uuid.UUID]*story)
	var shownAs *story
	of := func(e *known.Event) *story {
		if all[e.Lead] == nil {
			all[e.Lead] = &story{lead: e.Lead}
		}
		if e.Row == id {
			shownAs = all[e.Lead]
		}
		return all[e.Lead]
	}
	b, release := l.base.Pin()
	defer release()
	for e, err := range b.Of(ctx, scope) {
		if err != nil {
			return nil, l.meanwhile(err)
		}
		of(&e).pruned = &e
	}
	for e, err := range store.Events(ctx, 0, store.Position()) {
		if err != nil {
			return nil, err
		}
		s := of(&e)
		s.events = append(s.events, e)
	}
	if all[id] != nil {
		return all[id], nil
	}
	if shownAs != nil {
		return shownAs, nil
	}
	_, renamed, err := b.Find(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("searching for a lead among those of pruned pages: %w", err)
	}
	return nil, &NotFoundError{ID: id.String(), Renamed: renamed}
}

func (l *Landed) historyOf(ctx context.Context, s *story) (*History, error) {
	h := &History{Lead: s.lead.String()}
	if s.pruned != nil {
		var err error
		if h.Pruned, err = l.Pruned(ctx); err != nil {
			return nil, err
		}
		b, release := l.base.Pin()
		row, err := b.Row(s.pruned)
		release()
		if err != nil {
			return nil, err
		}
		h.add(row, s.pruned)
	}
	rows, err := l.view.EventRows(ctx, s.events)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		h.add(rows[i], &s.events[i])
	}
	return h, nil
}

// add adds the next version.
func (h *History) add(row schema.Row, e *known.Event) {
	v := Version{Row: row}
	h.Vanished = row.EventType == schema.Vanished
	if n := len(h.Versions); n > 0 && !h.Vanished {
		v.Changed = changed(&h.Versions[n-1].Row, &row)
	}
	h.Versions = append(h.Versions, v)
	if as := e.Row.String(); as != h.Lead && !slices.Contains(h.Other, as) {
		h.Other = append(h.Other, as)
	}
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
func (l *Landed) seen(ctx context.Context, h *History, of *story, s sighting) error {
	row := &h.Versions[0].Row
	gone := l.journal.End() // from which record on it is not seen
	switch n := len(of.events); {
	case h.Vanished && n > 0:
		gone = of.events[n-1].Seq
	case h.Vanished:
		return nil // it was seen by pruned pages only
	}
	for r, err := range l.journal.Records(ctx, s.first) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		switch {
		case r.Seq >= gone && r.Seq > s.last:
			return nil
		case r.Page != nil && r.Seq == s.first:
			if h.Pruned == nil {
				h.FirstSeen = r.Page.Received
			}
			h.LastSeen = r.Page.Received
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
