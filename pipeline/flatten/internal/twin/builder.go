package twin

import (
	"time"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// The documented members of a listing (ClassifiedLead).
const (
	listingItemID field = 1 << iota
	listingItemTitle
)

// builder makes the rows of an answer; it is the visitor of Page. The rows of a
// listing are completed when it closes, since its own members may come last.
type builder struct {
	flattener flatten.Flattener
	page      *journal.Page
	within    window.Window

	dated, undated section
	letters        []flatten.DeadLetter

	// Of the open listing:
	listing      object
	listingNotes notes
	itemID       schema.Opt[string]
	itemTitle    schema.Opt[string]
	leadNotes    notes // of all its leads, one after the other
	scratch      []byte
}

// section is a list of rows, of which the last may belong to the open listing.
type section struct {
	rows []schema.Row
	// open holds, for each row of the open listing, where its notes are in
	// builder.leadNotes.
	open []span
	// unfit counts the rows' misfits.
	unfit int
}

type span struct{ from, to int }

func (b *builder) announced(string, string) {}

func (b *builder) openListing() {
	b.itemID, b.itemTitle = schema.Opt[string]{}, schema.Opt[string]{}
	b.listingNotes = notes{}
	b.listing = object{notes: &b.listingNotes, at: scope{path: "listing"}}
}

func (b *builder) listed(name, value string) {
	switch name {
	case "itemId":
		b.listing.text(listingItemID, name, value, &b.itemID)
	case "itemTitle":
		b.listing.text(listingItemTitle, name, value, &b.itemTitle)
	default:
		b.listing.unknown(name, value)
	}
}

func (b *builder) lead(text string) {
	submitted := submittedTime(text)
	s := &b.undated
	if submitted.Valid && !stray(b.page.Window, submitted.Value) {
		if !b.within.Contains(submitted.Value) {
			return
		}
		s = &b.dated
	}
	s.rows = append(s.rows, schema.Row{
		EventType:     schema.Snapshot,
		Account:       b.flattener.Account,
		MarketplaceID: b.flattener.Marketplace,
		ExtractedAt:   b.page.Received,
		SchemaVersion: schema.Version,
	})
	from, unfit := len(b.leadNotes.list), b.leadNotes.unfit
	readLead(&s.rows[len(s.rows)-1], &b.leadNotes, text)
	s.unfit += b.leadNotes.unfit - unfit
	s.open = append(s.open, span{from, len(b.leadNotes.list)})
}

// stray reports whether a lead with that time is at home neither in a page of the
// window nor in one of its neighbours. The API's bounds are inclusive seconds, so
// an answer may show the second on either side of its window, and the neighbour
// shows it as well. What lies further off no other answer need ever show: the
// API goes by a lead's creation, which need not be the time that it tells.
func stray(w window.Window, submitted time.Time) bool {
	return submitted.Before(w.From.Add(-window.Second)) || !submitted.Before(w.To.Add(window.Second))
}

func (b *builder) closeListing() {
	b.complete(&b.dated)
	b.complete(&b.undated)
	clear(b.leadNotes.list)
	b.leadNotes = notes{list: b.leadNotes.list[:0]}
}

// complete gives the open listing's rows what they have from the listing, and
// their extra.
func (b *builder) complete(s *section) {
	rows := s.rows[len(s.rows)-len(s.open):]
	for i := range rows {
		r, at := &rows[i], s.open[i]
		r.ItemID, r.ItemTitle = b.itemID, b.itemTitle
		s.unfit += b.listingNotes.unfit
		if at.from == at.to && len(b.listingNotes.list) == 0 {
			continue
		}
		list := b.leadNotes.list[at.from:at.to:at.to]
		list = append(list, b.listingNotes.list...)
		b.scratch = appendExtra(b.scratch[:0], list)
		r.Extra = schema.Some(string(b.scratch))
	}
	s.open = s.open[:0]
}

func (b *builder) dead(letter flatten.DeadLetter) { b.letters = append(b.letters, letter) }
