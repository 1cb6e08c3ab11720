package acceptance

import (
	"bytes"
	encoding "encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// filesWorld is a world with a stream into NDJSON files only: no broker is needed.
func filesWorld(t testing.TB, config simulator.Config) *world {
	t.Helper()
	w := streamWorldOn(t, &kafkatest.Kafka{Brokers: []string{"none"}}, config)
	w.kafkaOn, w.parquetOn = false, false
	// Small windows make several pages.
	w.extra = strings.Replace(w.extra, `"240h"`, `"48h"`, 1)
	return w
}

// frame is where a record is in a segment (pipeline/journal/FORMAT.md).
type frame struct {
	path             string
	off              int
	kind             byte
	seq              uint64
	metaLen, bodyLen int
}

const (
	frameHeader = 44
	kindPage    = 1
)

// frames are those of the journal, marks left out.
func (w *world) frames() []frame {
	w.t.Helper()
	paths, err := filepath.Glob(w.path("state/journal/*.journal"))
	if err != nil {
		w.t.Fatal(err)
	}
	var all []frame
	for _, path := range paths {
		b := w.read(path)
		for off := 40; off+frameHeader <= len(b) && bytes.Equal(b[off:off+4], []byte("\xf5LR\xe1")); {
			f := frame{path, off, b[off+4], encoding.LittleEndian.Uint64(b[off+8:]), int(encoding.LittleEndian.Uint32(b[off+24:])), int(encoding.LittleEndian.Uint32(b[off+28:]))}
			if f.kind != 5 {
				all = append(all, f)
			}
			off += frameHeader + f.metaLen + f.bodyLen
		}
	}
	return all
}

func (w *world) read(path string) []byte {
	w.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// flip changes one bit of a file.
func (w *world) flip(path string, at int) {
	w.t.Helper()
	b := w.read(path)
	b[at] ^= 0x10
	if err := os.WriteFile(path, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// tree is the content of all files below a folder.
func (w *world) tree(dir string) map[string]string {
	w.t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(w.path(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "LOCK" {
			return err
		}
		all[path] = string(w.read(path))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// wantPresent asserts what holds of the events of a stream whatever was repaired:
// no event twice, versions that only rise, and that the last word on each lead
// that is there is the truth.
func (w *world) wantPresent(events rows) {
	w.t.Helper()
	ids := make(map[any]bool)
	last := make(map[string]map[string]any)
	for _, e := range events {
		if ids[e["event_id"]] {
			w.t.Errorf("event twice: %s", about(e))
		}
		ids[e["event_id"]] = true
		id := e["lead_id"].(string)
		if before := last[id]; before != nil && before["lead_version"].(int64) >= e["lead_version"].(int64) {
			w.t.Errorf("%s after %s", about(e), about(before))
		}
		last[id] = e
	}
	wrong := 0
	truth := make(map[string]map[string]any)
	for _, row := range expect(w.sim.Truth(window.New(w.sim.Range().From, time.Now()))) {
		truth[row["lead_id"].(string)] = row
	}
	for id, row := range truth {
		if e := last[id]; e == nil || e["content_hash"] != row["content_hash"] || e["event_type"] == "vanished" {
			wrong++
			w.t.Logf("of lead %s the last word is %v", id, e)
		}
	}
	for id, e := range last {
		if truth[id] == nil && e["event_type"] != "vanished" {
			wrong++
			w.t.Logf("lead %s is gone, and the last word is %s", id, about(e))
		}
	}
	if wrong > 0 {
		w.t.Errorf("the last word on %d of %d leads is not the truth", wrong, len(truth))
	}
}

// wantFetchedAgain asserts that nothing is damaged and no gap is left.
func (w *world) wantFetchedAgain() {
	w.t.Helper()
	r := w.mustRun(0, "status", "--verify")
	if !strings.Contains(r.stdout, "every checksum is right") || !strings.Contains(r.stdout, "gaps        none") {
		w.t.Errorf("status after the repair:\n%s", r.stdout)
	}
}

// A stream whose journal goes bad in every way: nothing runs until it is repaired,
// nothing is changed by looking, and afterwards what was lost is fetched again.
func TestRepairOfAStream(t *testing.T) {
	t.Parallel()
	pages := func(w *world) []frame {
		return slices.DeleteFunc(w.frames(), func(f frame) bool { return f.kind != kindPage })
	}
	harms := map[string]struct {
		do func(w *world)
		// said has to be in what repair shows.
		said string
	}{
		"body": {func(w *world) {
			f := pages(w)[2]
			w.flip(f.path, f.off+frameHeader+f.metaLen+f.bodyLen/2)
		}, "its window is known"},
		"metadata":       {func(w *world) { f := pages(w)[2]; w.flip(f.path, f.off+frameHeader+5) }, "an answer of which not even the window is known"},
		"header":         {func(w *world) { f := pages(w)[2]; w.flip(f.path, f.off+10) }, "what it was cannot be told"},
		"beginning":      {func(w *world) { f := w.frames()[0]; w.flip(f.path, f.off+frameHeader+2) }, "another record says"},
		"segment header": {func(w *world) { w.flip(w.frames()[0].path, 13) }, "header is incomplete"},
		"identity": {func(w *world) {
			if err := os.Remove(w.path("state/journal/identity.json")); err != nil {
				w.t.Fatal(err)
			}
		}, "identity.json is made anew"},
		"cut in the middle": {func(w *world) {
			f := pages(w)[len(pages(w))/2]
			if err := os.Truncate(f.path, int64(f.off+frameHeader+f.metaLen+3)); err != nil {
				w.t.Fatal(err)
			}
		}, "the journal ends before it"},
		"everything but the header": {func(w *world) {
			if err := os.Truncate(w.frames()[0].path, 40); err != nil {
				w.t.Fatal(err)
			}
		}, "the journal ends before it"},
	}
	for _, name := range slices.Sorted(maps.Keys(harms)) {
		harm := harms[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := filesWorld(t, simulator.Config{Seed: 51, Leads: 300})
			w.streamToTheEnd()
			story := newStory(t, w.sim, 51)
			story.noReturns = true
			happen := func() {
				for range 25 {
					// A lead whose listing ends between an answer that is lost and the next
					// one is told of by nobody: here listings end before, or after.
					if story.random.IntN(100) < 90 {
						if err := w.sim.Change(story.random.IntN(story.leads), story.random.IntN(story.leads)); err != nil {
							t.Fatal(err)
						}
					} else {
						story.add(2, time.Hour)
					}
				}
			}
			happen()
			w.streamToTheEnd()
			harm.do(w)
			happen()

			before := w.tree("state")
			looked := w.mustRun(1, "repair")
			if !strings.Contains(looked.stdout, harm.said) {
				t.Errorf("repair does not say %q:\n%s", harm.said, looked.output())
			}
			if !maps.Equal(before, w.tree("state")) {
				t.Error("looking changed the state")
			}
			if name != "body" { // which nobody asks for, once it is delivered
				refused := w.mustRun(1, "stream")
				if name != "identity" && !strings.Contains(refused.stderr, "repair --write") {
					t.Errorf("the stream does not say what to do:\n%s", refused.stderr)
				}
			}
			done := w.mustRun(0, "repair", "--write")
			t.Log(done.stdout)
			w.mustRun(0, "repair") // nothing is left to repair
			w.streamToTheEnd()
			w.streamToTheEnd() // comes to the same
			w.wantFetchedAgain()
			w.wantPresent(w.events()["ndjson"])
		})
	}
}

// Files of a batch: what only the lost answer showed is kept aside, and the table
// is the truth again.
func TestRepairOfABatch(t *testing.T) {
	t.Parallel()
	w := filesWorld(t, simulator.Config{Seed: 52, Leads: 300})
	w.mustRun(0, between(w.sim.Range())...)
	was := w.ndjson()
	pages := slices.DeleteFunc(w.frames(), func(f frame) bool { return f.kind != kindPage })
	f := pages[len(pages)/2]
	w.flip(f.path, f.off+frameHeader+f.metaLen+7)
	lost := w.lostWindow(f.seq)
	ended := ""
	for lead := range w.sim.Truth(lost) {
		if lead.ItemID.Set {
			ended = lead.ItemID.Value
		}
	}
	if err := w.sim.EndListing(ended); err != nil {
		t.Fatal(err)
	}
	w.mustRun(1, between(w.sim.Range())...)
	done := w.mustRun(0, "repair", "--write")
	if !strings.Contains(done.stdout, "kept") || !strings.Contains(done.stdout, lost.String()) {
		t.Errorf("repair says:\n%s", done.stdout)
	}
	w.mustRun(0, between(w.sim.Range())...)
	w.wantFetchedAgain()

	// Leads whose listing has ended stay where an answer shows them; those of the
	// lost answer are in the files that were kept.
	want := expect(w.sim.AllTruth(w.sim.Range()))
	gone := make(map[any]bool)
	want = slices.DeleteFunc(want, func(row map[string]any) bool {
		submitted, _ := row["submitted_time"].(string)
		at, err := time.Parse(time.RFC3339, submitted)
		lost := err == nil && row["item_id"] == ended && lost.Contains(at)
		if lost {
			gone[row["lead_id"]] = true
		}
		return lost
	})
	if len(gone) == 0 {
		t.Fatal("the lost answer held no lead of the listing that ended: the test shows nothing")
	}
	wantRows(t, "ndjson", w.ndjson(), want)
	kept, err := filepath.Glob(w.path("ndjson/_superseded/*-repair/marketplace=EBAY_DE/date=*/*.superseded"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	aside := make(map[any]bool)
	for _, path := range kept {
		// As a name that the reader knows.
		data := filepath.Join(t.TempDir(), "marketplace=EBAY_DE", filepath.Base(filepath.Dir(path)), strings.TrimSuffix(filepath.Base(path), ".superseded"))
		if err := errors.Join(os.MkdirAll(filepath.Dir(data), 0o700), os.WriteFile(data, w.read(path), 0o600)); err != nil {
			t.Fatal(err)
		}
		for _, row := range w.readNDJSON([]string{data}) {
			aside[row["lead_id"]] = true
		}
	}
	for id := range gone {
		if !aside[id] {
			t.Errorf("lead %v is in no file that was kept; there were %d rows", id, len(was))
		}
	}
}

// lostWindow is the window of a page, from its metadata, which are good.
func (w *world) lostWindow(seq uint64) window.Window {
	w.t.Helper()
	j, err := journal.OpenReadOnly(w.path("state"), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer j.Close()
	for _, p := range j.Pages() {
		if uint64(p.Seq) == seq {
			return p.Window
		}
	}
	w.t.Fatal(fmt.Errorf("no page %d", seq))
	return window.Window{}
}
