package acceptance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// topicWorld is a world with a topic only, and several pages in its journal.
func topicWorld(t testing.TB, config simulator.Config) *world {
	t.Helper()
	w := streamWorld(t, config)
	w.parquetOn, w.ndjsonOn = false, false
	w.extra = strings.Replace(w.extra, `"240h"`, `"48h"`, 1)
	return w
}

// harmPages damages the answers in the middle of the journal, each in the middle of
// its bytes, and returns their windows.
func (w *world) harmPages(n int) []window.Window {
	w.t.Helper()
	pages := slices.DeleteFunc(w.frames(), func(f frame) bool { return f.kind != kindPage })
	if len(pages) < n+2 {
		w.t.Fatalf("only %d pages are landed", len(pages))
	}
	var lost []window.Window
	for _, f := range pages[(len(pages)-n)/2:][:n] {
		lost = append(lost, w.lostWindow(f.seq))
		w.flip(f.path, f.off+frameHeader+f.metaLen+f.bodyLen/2)
	}
	return lost
}

// A batch into a topic, whose journal is damaged, repaired and gone on with: the
// last word on each lead is the truth, and only leads of lost answers are told
// twice as they were, with the same event id.
func TestRepairOfABatchIntoATopic(t *testing.T) {
	t.Parallel()
	w := topicWorld(t, simulator.Config{Seed: 53, Leads: 300})
	batch := between(w.sim.Range())
	w.mustRun(0, batch...)
	had := len(w.kafka())
	lost := w.harmPages(2)
	story := newStory(t, w.sim, 53)
	for range 40 {
		if err := w.sim.Change(story.random.IntN(story.leads), story.random.IntN(story.leads)); err != nil {
			t.Fatal(err)
		}
	}
	w.mustRun(1, "repair")
	done := w.mustRun(0, "repair", "--write")
	for _, l := range lost {
		if !strings.Contains(done.stdout, l.String()) {
			t.Errorf("repair does not name %s:\n%s", l, done.stdout)
		}
	}
	w.mustRun(0, batch...)
	w.mustRun(0, batch...)
	w.wantFetchedAgain()

	events := w.kafka()
	last := make(map[any]map[string]any)
	times := make(map[any]int)
	twice := 0
	for _, e := range events {
		last[e["lead_id"]] = e
		if times[e["event_id"]]++; times[e["event_id"]] < 2 {
			continue
		}
		twice++
		submitted, _ := e["submitted_time"].(string)
		at, err := time.Parse(time.RFC3339, submitted)
		if err == nil && !slices.ContainsFunc(lost, func(l window.Window) bool { return l.Contains(at) }) {
			t.Errorf("twice, and of no lost answer: %s", about(e))
		}
		if times[e["event_id"]] > 2 {
			t.Errorf("more than twice: %s", about(e))
		}
	}
	var present rows
	for _, e := range last {
		present = append(present, e)
	}
	wantRows(t, "the last words of the topic", present, expect(w.sim.Truth(w.sim.Range())))
	t.Logf("%d records before the damage, %d at the end, %d of them twice", had, len(events), twice)
	if twice == 0 {
		t.Error("no record is there twice: the test does not show what may be")
	}
}

// A stream into a topic, the same: no event twice, versions that only rise, and the
// last word on each lead is the truth.
func TestRepairOfAStreamIntoATopic(t *testing.T) {
	t.Parallel()
	w := topicWorld(t, simulator.Config{Seed: 54, Leads: 300})
	w.streamToTheEnd()
	story := newStory(t, w.sim, 54)
	story.noReturns = true
	happen := func() {
		for range 40 {
			if err := w.sim.Change(story.random.IntN(story.leads), story.random.IntN(story.leads)); err != nil {
				t.Fatal(err)
			}
		}
		story.add(3, time.Hour)
	}
	happen()
	w.streamToTheEnd()
	had := len(w.kafka())
	w.harmPages(2)
	happen()
	w.mustRun(1, "repair")
	w.mustRun(0, "repair", "--write")
	w.streamToTheEnd()
	w.streamToTheEnd()
	w.wantFetchedAgain()
	events := w.kafka()
	w.wantPresent(events)
	t.Logf("%d events before the damage, %d at the end", had, len(events))
}
