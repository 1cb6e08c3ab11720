package journal

import (
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Seq numbers the records of a journal, from 0, without holes, in the order in
// which they were appended.
type Seq uint64

// Query is what a page was asked for besides its window. Pages of different
// queries do not stand in for each other: a page that was filtered says nothing
// of the leads that the filter left out.
type Query struct {
	// Item limits the answer to one listing; empty asks for all active ones.
	Item string `json:"item,omitempty"`
	// Status is the API's filter, "Answered" or "Unanswered"; empty asks for both.
	Status string `json:"status,omitempty"`
	// Messages says whether message bodies were asked for.
	Messages bool `json:"messages"`
}

// Page is one answer of the API, as received.
type Page struct {
	// Batch is the id of the batch that asked.
	Batch string `json:"batch"`
	Query Query  `json:"query"`
	// Window is the range this page stands for. The body may hold leads beyond
	// it (the API's bounds are inclusive); those belong to the neighbours.
	Window window.Window `json:"window"`
	// Request is the method, path and query that were sent, for the record; it
	// holds no credentials.
	Request string `json:"request"`
	// RequestID is the API's own id of the exchange, if it gave one.
	RequestID string `json:"request_id,omitempty"`
	// Received is when the answer was complete, by our clock, UTC, milliseconds.
	Received time.Time `json:"received"`
	// Items and Leads are what was counted in the body, leads beyond the window
	// included.
	Items int `json:"items"`
	Leads int `json:"leads"`
	// TotalItems and TotalLeads are what the answer announced; nil if it did not.
	TotalItems *int `json:"total_items,omitempty"`
	TotalLeads *int `json:"total_leads,omitempty"`
	// Undated counts leads whose submitted time is absent, does not parse, or is
	// not one that was asked for; they belong to no window and are taken from any
	// page that shows them.
	Undated int `json:"undated,omitempty"`
	// Short marks an answer that stayed short of its own totals: what it holds
	// is kept, but it does not cover its window.
	Short bool `json:"short,omitempty"`
	// Warnings are the API's warnings that came with the answer, as "id: message".
	Warnings []string `json:"warnings,omitempty"`

	// Body is the answer's body, gzip. It is not part of the record's metadata.
	// The journal neither changes nor keeps it; after a read it is the caller's.
	Body []byte `json:"-"`
}

// Begin opens a batch, or takes up one that did not end (same ID again).
type Begin struct {
	ID string `json:"id"`
	// Spec is what the user asked for in words that compare equal when the same
	// is asked again ("2026-09-01T00:00:00Z/2026-10-01T00:00:00Z", "last 720h").
	Spec    string        `json:"spec"`
	Range   window.Window `json:"range"`
	Queries []Query       `json:"queries"`
	Time    time.Time     `json:"time"`
	// Stream marks the run of a stream: its range has no end, and its pages tell
	// what is new, changed or gone, where those of a batch are snapshots.
	Stream bool `json:"stream,omitempty"`
}

// Gap says that a window could not be had: the run went on without it.
type Gap struct {
	Batch  string        `json:"batch"`
	Query  Query         `json:"query"`
	Window window.Window `json:"window"`
	// Reason is the last error in words; no personal data, no secrets.
	Reason string    `json:"reason"`
	Time   time.Time `json:"time"`
}

// Poll says that windows were read again and held just what was known: the
// answers were complete, and not landed, for they would have changed nothing.
type Poll struct {
	Batch   string          `json:"batch"`
	Query   Query           `json:"query"`
	Windows []window.Window `json:"windows"`
	// Received is when the first of the answers was complete, as Page.Received.
	Received time.Time `json:"received"`
}

// End closes a batch whose range was covered but for the gaps recorded.
type End struct {
	Batch string    `json:"batch"`
	Time  time.Time `json:"time"`
}

// Lost stands in the place of a record that was damaged on disk and could not be
// read any more: repairing a journal puts it there, so that no other record gets
// another number. What the record said is lost.
type Lost struct {
	// Kind is what it was, as "page"; empty if that is not known.
	Kind string `json:"kind,omitempty"`
	// Page is what a page said of itself, if only its body is lost.
	Page *Page `json:"page,omitempty"`
	// Begin is what must have been said before the next pages, if another record
	// says it as well: the lost record stands in for the beginning.
	Begin *Begin `json:"begin,omitempty"`
	// Reason is what was wrong with the bytes.
	Reason string    `json:"reason"`
	Time   time.Time `json:"time"`
}

// MayBePage reports whether an answer is lost.
func (l *Lost) MayBePage() bool { return l.Kind == "" || l.Kind == kindPage.word() }

// MayBeGap reports whether the mark of a gap is lost.
func (l *Lost) MayBeGap() bool { return l.Kind == "" || l.Kind == kindGap.word() }

// Record is one entry of the journal: exactly one of the pointers is set, but for
// a Lost that stands in for a beginning, which is there as Begin as well.
type Record struct {
	Seq   Seq
	Page  *Page
	Begin *Begin
	Gap   *Gap
	End   *End
	Poll  *Poll
	Lost  *Lost
}

// time is when the record came about, by our clock.
func (r *Record) time() time.Time {
	switch {
	case r.Page != nil:
		return r.Page.Received
	case r.Begin != nil:
		return r.Begin.Time
	case r.Gap != nil:
		return r.Gap.Time
	case r.End != nil:
		return r.End.Time
	case r.Poll != nil:
		return r.Poll.Received
	}
	return time.Time{}
}
