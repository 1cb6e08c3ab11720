package acceptance

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// perfect is what a stream tells that misses nothing, and the polls that it takes.
func perfect(history truth) (events rows, polls []poll) {
	for _, lives := range history {
		for _, l := range lives {
			var before oracle.Row
			id, version := l.states[0].row["lead_id"].(string), int64(0)
			for i := range l.states {
				kind, row := "updated", l.states[i].row
				switch {
				case i == 0:
					kind = "created"
				case l.states[i].gone:
					kind, row = "vanished", before
				}
				version++
				events = append(events, oracle.Event(row, before, kind, id, version))
				if before = row; i > 0 {
					at := l.states[i].since.Add(time.Microsecond)
					polls = append(polls, poll{begun: at, ended: at.Add(time.Microsecond), clean: true})
				}
			}
		}
	}
	for _, e := range events {
		e["extracted_at"] = "2026-11-01T00:00:00.000Z"
	}
	return events, polls
}

// The comparison that the tests of streams rely on finds what may be wrong, and
// nothing where nothing is.
func TestTheComparisonFindsWhatIsWrong(t *testing.T) {
	to := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	sim, err := simulator.New(simulator.Config{Seed: 5, Leads: 200, Listings: 20, Clean: true, From: to.AddDate(0, 0, -5), To: to})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, sim: sim}
	changes := []func() error{
		func() error { return sim.Respond(3) },
		func() error { return sim.AddMessage(3) },
		func() error { return sim.RenameBuyer(3) },
		func() error { return sim.EndListing(sim.ItemIDs()[4]) },
	}
	for _, change := range changes {
		time.Sleep(2 * time.Millisecond) // so that a poll fits in between
		if err := change(); err != nil {
			t.Fatal(err)
		}
	}
	history := w.history()
	all, polls := perfect(history)
	if f := compareTruth(all, history, polls, 0); f.events < 205 || f.sum() > 0 {
		t.Fatalf("a perfect stream: %s %+v", f, f)
	}

	// changed has three updates or more.
	var changed string
	for _, e := range all {
		if e["event_type"] == "updated" && e["lead_version"] == int64(4) {
			changed = e["lead_id"].(string)
		}
	}
	at := func(version int64) int {
		return slices.IndexFunc(all, func(e oracle.Row) bool { return e["lead_id"] == changed && e["lead_version"] == version })
	}
	vanished := slices.IndexFunc(all, func(e oracle.Row) bool { return e["event_type"] == "vanished" })
	without := func(i int) rows { return append(slices.Clone(all[:i]), all[i+1:]...) }
	with := func(i int, column string, value any) rows {
		events := slices.Clone(all)
		events[i] = maps.Clone(events[i])
		events[i][column] = value
		return events
	}
	for name, c := range map[string]struct {
		events rows
		found  func(*findings) []string
	}{
		"a change is missing":        {without(at(2)), func(f *findings) []string { return f.missed }},
		"the last change is missing": {without(at(4)), func(f *findings) []string { return f.stale }},
		"it is not said to be gone":  {without(vanished), func(f *findings) []string { return f.stale }},
		"an event is there again":    {append(slices.Clone(all), all[at(2)]), func(f *findings) []string { return f.twice }},
		"an unknown lead":            {with(at(1), "item_id", "123"), func(f *findings) []string { return f.foreign }},
		"a hole in the versions":     {with(at(4), "lead_version", int64(5)), func(f *findings) []string { return f.wrong }},
		"a wrong column":             {with(at(3), "lead_status", "NEW?"), func(f *findings) []string { return f.wrong }},
		"a wrong type":               {with(at(2), "event_type", "created"), func(f *findings) []string { return f.wrong }},
		"wrong changed fields":       {with(at(2), "changed_fields", []string{"phone"}), func(f *findings) []string { return f.wrong }},
		"a content that never was":   {with(at(2), "content_hash", "0"), func(f *findings) []string { return f.wrong }},
		"a wrong id":                 {with(at(2), "event_id", "0"), func(f *findings) []string { return f.wrong }},
	} {
		if f := compareTruth(c.events, history, polls, 0); len(c.found(f)) == 0 {
			t.Errorf("%s: %s", name, f)
		}
	}
	lost := slices.DeleteFunc(slices.Clone(all), func(e oracle.Row) bool { return e["lead_id"] == changed })
	if f := compareTruth(lost, history, polls, 0); len(f.lost) == 0 {
		t.Errorf("a whole lead is missing: %s", f)
	}
	// What no poll saw need not be told.
	if f := compareTruth(without(at(4)), history, polls[:0], 0); len(f.stale) == 0 {
		t.Errorf("the present is not told: %s", f)
	}
}
