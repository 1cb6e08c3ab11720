package known

import (
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// scoped holds the events of stores with a scope to those of the world's store:
// each second by itself, leads without a time, and all of it.
func (w *world) scoped(seconds int) {
	w.t.Helper()
	w.advance()
	all := w.events(0, w.journal.End())
	scopes := []Scope{{Undated: true}, {Window: span(-60, seconds+60), Undated: true}}
	for second := range seconds {
		scopes = append(scopes, Scope{Window: span(second, second+1)})
	}
	for _, scope := range scopes {
		o := w.options(vfs.NewMem())
		o.Scope = &scope
		sighted := map[uuid.UUID]journal.Seq{}
		o.Sighted = func(lead uuid.UUID, seq journal.Seq) { sighted[lead] = seq }
		s, err := Open(w.t.Context(), o)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := s.Advance(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(all), func(e Event) bool { return !scope.has(w.row(e)) })
		got := eventsOf(w.t, s, 0, w.journal.End())
		if !slices.EqualFunc(sorted(got), sorted(want), same) {
			w.t.Errorf("scope %s: events\n%+v, want\n%+v", scope.identity(), got, want)
		}
		for _, e := range want {
			if last := sighted[e.Lead]; e.Type != schema.Vanished && last < e.Seq {
				w.t.Errorf("scope %s: lead %s was last sighted on page %d, and changed on %d", scope.identity(), e.Lead, last, e.Seq)
			}
		}
		if err := s.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (s *Scope) has(r schema.Row) bool {
	if !r.SubmittedTime.Valid {
		return s.Undated
	}
	return s.Window.Contains(r.SubmittedTime.Value)
}

// sorted puts the events of a page in an order that does not depend on slices.
func sorted(events []Event) []Event {
	slices.SortStableFunc(events, func(a, b Event) int {
		if a.Seq != b.Seq {
			return int(a.Seq) - int(b.Seq)
		}
		return slices.Compare(a.Lead[:], b.Lead[:])
	})
	return events
}

func same(a, b Event) bool {
	return a.Seq == b.Seq && a.Type == b.Type && a.Lead == b.Lead && a.Version == b.Version &&
		slices.Equal(a.Changed, b.Changed) && a.Page == b.Page && a.Row == b.Row && a.Submitted == b.Submitted
}

// A dead letter that a page out of scope showed first is known: what is missing
// beside it has vanished.
func TestDeadLettersOutOfScope(t *testing.T) {
	w := newWorld(t)
	lead := object{"item": "1", "submittedTime": at(1).Format(time.RFC3339), "userId": "ann"}
	dead := object{"item": "1", "dead": "what is this"}
	w.take(w.page(4, 8, dead))
	w.take(w.page(0, 4, lead))
	w.takes(w.page(0, 8, dead), "vanished ann 2")
	w.scoped(8)
}
