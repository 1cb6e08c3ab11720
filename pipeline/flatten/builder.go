package flatten

import (
	"time"

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
	flattener Flattener
	page      *journal.Page
	within    window.Window

	dated, undated section
	messages       messageStore
	letters        []DeadLetter

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
	// unfit counts the rows' misfits, in all and of each row: of those up to the
	// last that has any.
	unfit  int
	unfits []int32
}

// misfits notes that a row has so many more.
func (s *section) misfits(row, n int) {
	if n == 0 {
		return
	}
	for len(s.unfits) <= row {
		s.unfits = append(s.unfits, 0)
	}
	s.unfits[row] += int32(n)
	s.unfit += n
}

// perRow returns the misfits of each row, or nil if none has any.
func (s *section) perRow() []int32 {
	if s.unfit == 0 {
		return nil
	}
	return append(s.unfits, make([]int32, len(s.rows)-len(s.unfits))...)
}

type span struct{ from, to int }

// messageStore is where the messages of rows lie, so that a lead costs no
// allocation.
type messageStore []schema.Message

// storeMessages is how many messages are allocated at a time, of some 100 bytes.
const storeMessages = 128

// take returns an empty list with room for n messages.
func (m *messageStore) take(n int) []schema.Message {
	if n == 0 {
		return []schema.Message{}
	}
	if cap(*m)-len(*m) < n {
		*m = make([]schema.Message, 0, max(n, storeMessages))
	}
	from := len(*m)
	*m = (*m)[:from+n]
	return (*m)[from : from : from+n]
}

func (b *builder) announced(string, value) {}

func (b *builder) openListing() {
	b.itemID, b.itemTitle = schema.Opt[string]{}, schema.Opt[string]{}
	b.listingNotes = notes{}
	b.listing = object{notes: &b.listingNotes, at: scope{path: "listing"}}
}

func (b *builder) listed(name string, v value) {
	switch name {
	case "itemId":
		b.listing.text(listingItemID, name, v, &b.itemID)
	case "itemTitle":
		b.listing.text(listingItemTitle, name, v, &b.itemTitle)
	default:
		b.listing.unknown(name, v)
	}
}

func (b *builder) lead(v value) {
	submitted := submittedTime(v)
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
	readLead(&s.rows[len(s.rows)-1], &b.leadNotes, &b.messages, v.into())
	s.misfits(len(s.rows)-1, b.leadNotes.unfit-unfit)
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
	first := len(s.rows) - len(s.open)
	for i, at := range s.open {
		r := &s.rows[first+i]
		r.ItemID, r.ItemTitle = b.itemID, b.itemTitle
		s.misfits(first+i, b.listingNotes.unfit)
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

func (b *builder) dead(letter DeadLetter) { b.letters = append(b.letters, letter) }
