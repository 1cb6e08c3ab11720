package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// looker looks at a journal beside its writer.
type looker struct {
	*browse.Landed
	journal *journal.Journal
}

func (w *twin) look(t *rapid.T, asOf time.Time) (*looker, error) {
	j, err := journal.OpenReadOnly(w.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := browse.Open(t.Context(), j, asOf)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &looker{l, j}, nil
}

func (l *looker) close(t *rapid.T) {
	if err := errors.Join(l.Close(), l.journal.Close()); err != nil {
		t.Fatal(err)
	}
}

// compareLooks holds what those are shown who look at the pruned journal to what
// the whole one shows: tables are the same, and what happened since is.
func (m *twins) compareLooks(t *rapid.T) {
	var at [2]*looker
	for i, w := range m.both {
		var err error
		if at[i], err = w.look(t, time.Time{}); err != nil {
			t.Fatal(err)
		}
		defer at[i].close(t)
	}
	pruned, whole := at[0], at[1]
	gone, err := pruned.Pruned(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var until time.Time
	for _, p := range whole.journal.Pages() {
		if p.Seq < pruned.journal.First() {
			until = p.Received
		}
	}
	if isPruned := pruned.journal.First() > 0; isPruned != (gone != nil) || isPruned && !gone.Until.Equal(until) {
		t.Fatalf("the journal begins with record %d, what came before goes until %s, and is said to be %+v", pruned.journal.First(), until, gone)
	}
	filter := browse.Filter{OldestFirst: rapid.Bool().Draw(t, "oldest first")}
	if rapid.Bool().Draw(t, "bounded") {
		from := rapid.IntRange(0, pastSeconds-1).Draw(t, "from")
		filter.Window = pastSpan(from, rapid.IntRange(from+1, pastSeconds).Draw(t, "to"))
	}
	same(t, "rows that are shown", collected(t, pruned.Rows(t.Context(), filter)), collected(t, whole.Rows(t.Context(), filter)))
	filter.Types = schema.EventTypes
	since := slices.DeleteFunc(collected(t, whole.Rows(t.Context(), filter)), func(r schema.Row) bool { return !r.ExtractedAt.After(until) })
	same(t, "events that are shown", collected(t, pruned.Rows(t.Context(), filter)), since)
	m.compareMoments(t, until)
	ids := make(map[string]bool)
	rows := collected(t, whole.Rows(t.Context(), browse.Filter{}))
	for i := range rows {
		ids[rows[i].LeadID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		compareHistories(t, pruned, whole, id, until)
		for _, other := range historyOf(t, pruned, id).Other {
			if !ids[other] {
				t.Fatalf("no page ever showed %s under %s", id, other)
			}
		}
	}
}

func collected(t *rapid.T, rows iter.Seq2[schema.Row, error]) []schema.Row {
	var all []schema.Row
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

// compareMoments compares the tables of some moment, and of those about the last
// that is pruned.
func (m *twins) compareMoments(t *rapid.T, until time.Time) {
	moments := []time.Time{pastAt(100 + rapid.IntRange(0, m.records).Draw(t, "moment"))}
	if !until.IsZero() {
		moments = append(moments, until, until.Add(-time.Millisecond), until.Add(time.Millisecond))
	}
	for _, moment := range moments {
		var tables [2]*delivertest.Store
		for i, w := range m.both {
			l, err := w.look(t, moment)
			if i == 0 && moment.Before(until) {
				early, ok := errors.AsType[*browse.TooEarlyError](err)
				if !ok || !early.Earliest.Equal(until) {
					t.Fatalf("as of %s, where the earliest is %s: %v", moment, until, err)
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			tables[i] = delivertest.NewStore(deliver.Replace)
			writeTable(t, l, tables[i])
			l.close(t)
		}
		if tables[0] != nil {
			sameTables(t, fmt.Sprint("the table as of ", moment), tables[0], tables[1])
		}
	}
}

func writeTable(t *rapid.T, l *looker, to *delivertest.Store) {
	sink, err := to.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Table(t.Context(), []deliver.Sink{sink}, "moment"); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
}

// historyOf is an empty history where there is none.
func historyOf(t *rapid.T, l *looker, id string) *browse.History {
	h, err := l.History(t.Context(), id, time.Time{})
	if err != nil {
		return new(browse.History)
	}
	return h
}

// compareHistories compares what happened to the lead that a page showed under an id.
func compareHistories(t *rapid.T, pruned, whole *looker, id string, until time.Time) {
	want, wantErr := whole.History(t.Context(), id, time.Time{})
	got, err := pruned.History(t.Context(), id, time.Time{})
	if _, missing := errors.AsType[*browse.NotFoundError](wantErr); missing && errors.As(err, new(*browse.NotFoundError)) {
		return // an answer without messages showed a buyer who was renamed, and made no event
	}
	if wantErr != nil && err == nil && slices.Contains(got.Other, id) {
		return // it made no event, and the base goes by what was shown last
	}
	if wantErr != nil {
		t.Fatalf("of the whole journal: %v; of the pruned: %v", wantErr, err)
	}
	if missing, ok := errors.AsType[*browse.NotFoundError](err); ok {
		// Only who was renamed before, and goes by a third name since or by the first
		// again, cannot be asked for.
		if !missing.Renamed || want.Lead == id || slices.ContainsFunc(want.Versions, func(v browse.Version) bool { return v.Row.ExtractedAt.After(until) && v.Row.LeadID == id }) {
			t.Fatalf("lead %s, as pages show %s: %v", want.Lead, id, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got.Lead != want.Lead { // several were shown under that id
		if got.Lead == id || want.Lead == id {
			t.Fatalf("asked for %s, the pruned journal tells of %s, and the whole one of %s", id, got.Lead, want.Lead)
		}
		return
	}
	before := 0
	for before < len(want.Versions) && !want.Versions[before].Row.ExtractedAt.After(until) {
		before++
	}
	if before == 0 {
		if g, w := tellOf(t, got, 0), tellOf(t, want, 0); g != w {
			t.Fatalf("a lead that came later: %s\nof the whole journal %s", g, w)
		}
		return
	}
	if got.Pruned == nil || !got.Pruned.Until.Equal(until) || len(got.Versions) != 1+len(want.Versions)-before {
		t.Fatalf("%s\nof the whole journal, of which %d versions are pruned, %s", tellOf(t, got, 0), before, tellOf(t, want, 0))
	}
	first, last := got.Versions[0], want.Versions[before-1]
	for _, v := range want.Versions[:before] { // what a batch landed last has none of its own
		if v.Row.LeadVersion.Valid {
			last.Row.LeadVersion = v.Row.LeadVersion
		}
	}
	if stateOf(&first.Row) != stateOf(&last.Row) || first.Changed != nil || first.Row.ExtractedAt.After(until) || first.Row.EventID != schema.EventID(&first.Row) {
		t.Fatalf("what was known at the pruning is %s\nof the whole journal %s", tellOf(t, got, 0), tellOf(t, want, before-1))
	}
	if g, w := versionsOf(t, got, 1), versionsOf(t, want, before); g != w {
		t.Fatalf("what came since is %s\nof the whole journal %s", g, w)
	}
	unseen := got.LastSeen.IsZero() && wasPruned(t, pruned, whole, want.LastSeen)
	if got.Vanished != want.Vanished || !got.FirstSeen.IsZero() || !got.LastSeen.Equal(want.LastSeen) && !unseen {
		t.Fatalf("%s\nof the whole journal, with what is pruned until %s, %s", tellOf(t, got, 0), until, tellOf(t, want, 0))
	}
}

// wasPruned reports whether what was received at a moment, a page or that there was
// nothing new, is among the records that are gone.
func wasPruned(t *rapid.T, pruned, whole *looker, moment time.Time) bool {
	for r, err := range whole.journal.Records(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Page != nil && r.Page.Received.Equal(moment) || r.Poll != nil && r.Poll.Received.Equal(moment) {
			return r.Seq < pruned.journal.First()
		}
	}
	return false
}

// tellOf is a history, from one of its versions on.
func tellOf(t *rapid.T, h *browse.History, from int) string {
	return fmt.Sprint(h.Lead, h.Other, h.FirstSeen, h.LastSeen, h.Vanished, versionsOf(t, h, from))
}

func versionsOf(t *rapid.T, h *browse.History, from int) (text string) {
	for _, v := range h.Versions[from:] {
		line, err := schema.AppendJSON([]byte("\n"), &v.Row)
		if err != nil {
			t.Fatal(err)
		}
		text += string(line)
		for i := range v.Changed {
			text += " " + v.Changed[i].Name
		}
	}
	return text
}

// stateOf is what is known of a lead, however it was learned.
func stateOf(r *schema.Row) string {
	return fmt.Sprint(r.LeadID, r.LeadVersion, r.ContentHash, r.EventType == schema.Vanished)
}
