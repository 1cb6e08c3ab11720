package known

import (
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// reading is what an answer can tell, apart from its rows.
type reading struct {
	seq    journal.Seq
	losses []journal.Loss // all of the journal's
	// landed says that seq is the answer's page; else it is the number that it would
	// have.
	landed bool
	// from and to are its window in Unix seconds.
	from, to int64
	stream   bool // of a stream: else what is new or changed is a snapshot
	messages bool // it was asked for messages
	// filtered says that it was asked for leads of one status only.
	filtered bool
	// whole says that it shows all leads of its window, or of the listing that it
	// was asked for.
	whole bool
	// scoped says that item is the one listing that was asked for.
	scoped bool
	item   [8]byte
}

// readingOf reads what the page says of itself. Whether it had dead letters comes
// with its rows.
func readingOf(seq journal.Seq, p *journal.Page, stream bool, losses []journal.Loss) reading {
	reconciled := p.TotalLeads != nil && *p.TotalLeads == p.Leads
	r := reading{
		seq: seq, losses: losses, from: p.Window.From.Unix(), to: p.Window.To.Unix(), stream: stream, messages: p.Query.Messages,
		filtered: p.Query.Status != "",
		whole:    reconciled && !p.Short && p.Query.Status == "",
	}
	if p.Query.Item != "" {
		r.scoped, r.item = true, digest8(p.Query.Item)
	}
	return r
}

// must reports whether the answer has to show the known leads of the group.
func (r *reading) must(g *group) bool {
	return r.whole && (!r.scoped || [8]byte(g[groupItem:groupText]) == r.item)
}

// vanishes reports whether leads of the group that the answer does not show have
// vanished. A batch notices nothing of the kind.
func (r *reading) vanishes(g *group) bool { return r.stream && r.must(g) }

// comparable reports whether the content that the answer shows can be compared
// with what is known of the lead: without messages, it cannot be with messages.
func (r *reading) comparable(l *lead) bool { return r.messages || !l.messages }

// lost counts the answers from a page on, and before this one, that are lost and
// may have shown leads of the group: each may have made one event of each of them.
func (r *reading) lost(from journal.Seq, g *group) int32 {
	if len(r.losses) == 0 {
		return 0
	}
	var submitted time.Time
	if s := g.second(); s != noSecond {
		submitted = time.Unix(s, 0)
	}
	var n int32
	for _, l := range r.losses {
		if from <= l.Seq && l.Seq < r.seq && l.MayHold(submitted) {
			n++
		}
	}
	return n
}

// sliceLeads is the number of leads beyond which a page is taken in slice by
// slice, so that memory does not grow with the largest page.
const sliceLeads = 4_000

// slicesOf cuts the window of a page with so many leads into slices, at least one.
func slicesOf(w window.Window, leads, limit int) []window.Window {
	n := time.Duration(leads/limit + 1)
	width := max(window.Second, (w.Length()/n + window.Second - 1).Truncate(window.Second))
	var slices []window.Window
	for w.Length() > width {
		end := w.From.Add(width)
		slices = append(slices, window.Window{From: w.From, To: end})
		w.From = end
	}
	return append(slices, w)
}
