package deliver

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// eventReader makes rows of events: it reads the pages that show their content,
// each once for all events of a call.
type eventReader struct {
	journal *journal.Journal
	reader  *Reader
	base    *base.Store
	dated   map[uuid.UUID]int // places of the page's events, by the ids of their rows
	undated map[uuid.UUID]int
}

func newEventReader(j *journal.Journal, r *Reader, b *base.Store) *eventReader {
	return &eventReader{journal: j, reader: r, base: b, dated: make(map[uuid.UUID]int), undated: make(map[uuid.UUID]int)}
}

// rows returns the row of each event, in their order. They are good until the
// caller lets go of them: their strings share the memory of their pages.
func (e *eventReader) rows(ctx context.Context, events []known.Event) ([]schema.Row, error) {
	rows := make([]schema.Row, len(events))
	b, release := e.base.Pin()
	defer release()
	for _, page := range pagesOf(events) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if page.seq < b.Next() { // a lead that has vanished, or is back: its page is pruned
			for _, i := range page.places {
				var err error
				if rows[i], err = b.Content(&events[i]); err != nil {
					return nil, err
				}
			}
			continue
		}
		if err := e.read(page, events, rows); err != nil {
			return nil, err
		}
	}
	for i := range events {
		if err := e.stamp(&rows[i], &events[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// pageEvents are the places of those events whose content one page shows.
type pageEvents struct {
	seq    journal.Seq
	places []int
}

func pagesOf(events []known.Event) []pageEvents {
	var pages []pageEvents
	at := make(map[journal.Seq]int)
	for i := range events {
		n, ok := at[events[i].Page]
		if !ok {
			n = len(pages)
			at[events[i].Page] = n
			pages = append(pages, pageEvents{seq: events[i].Page})
		}
		pages[n].places = append(pages[n].places, i)
	}
	return pages
}

// read fills in the rows of one page's events.
func (e *eventReader) read(page pageEvents, events []known.Event, rows []schema.Row) error {
	clear(e.dated)
	clear(e.undated)
	var span window.Window
	// One lead may have two events of one content: it vanished and came back.
	var again []int
	for _, i := range page.places {
		event := &events[i]
		ids := e.undated
		if event.Submitted.Valid {
			ids = e.dated
			span = hull(span, event.Submitted.Value)
		}
		if _, ok := ids[event.Row]; ok {
			again = append(again, i)
			continue
		}
		ids[event.Row] = i
	}
	result, err := e.reader.Page(page.seq, span)
	if err != nil {
		return err
	}
	found := 0
	for _, part := range []struct {
		rows []schema.Row
		ids  map[uuid.UUID]int
	}{{result.Rows, e.dated}, {result.Undated, e.undated}} {
		for i := range part.rows {
			id, err := uuid.Parse(part.rows[i].LeadID)
			if err != nil {
				return fmt.Errorf("lead id of a row of landed page %d: %w", page.seq, err)
			}
			if place, ok := part.ids[id]; ok {
				rows[place] = part.rows[i]
				found++
			}
		}
	}
	if want := len(e.dated) + len(e.undated); found != want {
		return fmt.Errorf("landed page %d shows %d of the %d leads that events were derived from: remove the folder of known leads, and they are derived anew", page.seq, found, want)
	}
	for _, i := range again {
		ids := e.undated
		if events[i].Submitted.Valid {
			ids = e.dated
		}
		rows[i] = rows[ids[events[i].Row]]
	}
	return nil
}

// hull returns w, extended to hold the second of t.
func hull(w window.Window, t time.Time) window.Window {
	second := window.New(t, t.Add(window.Second))
	if w.Empty() {
		return second
	}
	if second.From.Before(w.From) {
		w.From = second.From
	}
	if second.To.After(w.To) {
		w.To = second.To
	}
	return w
}

// stamp makes of a page's snapshot of a lead the row of the event.
func (e *eventReader) stamp(row *schema.Row, event *known.Event) error {
	row.EventType = event.Type
	row.LeadID = event.Lead.String()
	if event.Version > 0 {
		row.LeadVersion = schema.Some(event.Version)
	}
	if event.Type == schema.Updated {
		row.ChangedFields = schema.Some(event.Changed)
	}
	if event.Page != event.Seq {
		received, err := e.received(event.Seq)
		if err != nil {
			return err
		}
		row.ExtractedAt = received
	}
	row.EventID = schema.EventID(row)
	return nil
}

// received returns when a landed page was received.
func (e *eventReader) received(seq journal.Seq) (time.Time, error) {
	pages := e.journal.Pages()
	i := sort.Search(len(pages), func(i int) bool { return pages[i].Seq >= seq })
	if i == len(pages) || pages[i].Seq != seq {
		return time.Time{}, &journal.NoPageError{Seq: seq, Problem: "is not in the journal"}
	}
	return pages[i].Received, nil
}
