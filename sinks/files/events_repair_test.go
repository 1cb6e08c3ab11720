package files

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// logged returns the spec with a logger, and what that has written.
func logged(sp Spec) (Spec, *bytes.Buffer) {
	var log bytes.Buffer
	sp.Logger = slog.New(slog.NewTextHandler(&log, nil))
	return sp, &log
}

// Files that somebody removed or changed are theirs: the position stays, and
// nothing is written again.
func TestEventsMissing(t *testing.T) {
	dir := t.TempDir()
	mustAdd(t, mustOpenEvents(t, eventSpec(dir)), 30)
	dates, err := filepath.Glob(filepath.Join(dir, "marketplace=*", "date=*"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dates[0]); err != nil { // retention
		t.Fatal(err)
	}
	gone := count(t, dir, ".ids")
	paths, err := filepath.Glob(filepath.Join(dates[1], "*.ids"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(paths[0], 1); err != nil {
		t.Fatal(err)
	}

	sp, log := logged(eventSpec(dir))
	s := mustOpenEvents(t, sp)
	if p := eventPosition(t, s); p != at(streamID, 30) {
		t.Errorf("position %+v", p)
	}
	if n := count(t, dir, ".ids"); n != gone {
		t.Errorf("%d files, %d before", n, gone)
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 1 || !strings.Contains(log.String(), "missing or changed") {
		t.Errorf("the log says: %s", log)
	}
	if r := mustAdd(t, s, 40); len(r.Superseded) > 0 {
		t.Errorf("set aside: %v", r.Superseded)
	}
	if p := eventPosition(t, mustOpenEvents(t, sp)); p != at(streamID, 40) {
		t.Errorf("position %+v", p)
	}
}

// With the manifests gone the events are written anew, and those that are there
// are set aside when the first of the new take effect: no row is there twice.
func TestEventsRebuilt(t *testing.T) {
	for _, first := range []int{0, 3, 30} { // the first commit may have no rows
		dir := t.TempDir()
		s := mustOpenEvents(t, eventSpec(dir))
		mustAdd(t, s, 15)
		mustAdd(t, s, 30)
		files := count(t, dir, ".ids")
		forget(t, dir)

		sp, log := logged(eventSpec(dir))
		s = mustOpenEvents(t, sp)
		if p := eventPosition(t, s); p != (deliver.Position{}) {
			t.Errorf("position %+v", p)
		}
		wantStream(t, dir, 30)
		r, err := add(t.Context(), s, stretch(0, first), at(streamID, max(first, 1)), false)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Superseded) != files || count(t, dir, supersededSuffix) != files || r.Unchanged {
			t.Errorf("%d files were set aside, there were %d", len(r.Superseded), files)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 2 {
			t.Errorf("the log says: %s", log)
		}
		wantStream(t, dir, first)
		if first == 0 {
			continue
		}
		mustAdd(t, s, 30)
		mustAdd(t, s, 35)
		wantStream(t, dir, 35)
		wantChain(t, dir, 35)
		if n := count(t, dir, supersededSuffix); n != files {
			t.Errorf("%d files are set aside, want %d", n, files)
		}
	}
}

// A manifest that cannot be read is no position. If it was the newest, its
// events are written again, and its files set aside.
func TestEventsDamagedManifest(t *testing.T) {
	for name, c := range map[string]struct{ damaged, position, aside int }{
		"newest": {20, 10, 1},
		"older":  {10, 20, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpenEvents(t, eventSpec(dir))
			mustAdd(t, s, 10)
			mustAdd(t, s, 20)
			put(t, s.manifestPath(eventManifestRef{s.tag, at(streamID, c.damaged).Next}), "{")
			sp, log := logged(eventSpec(dir))
			s = mustOpenEvents(t, sp)
			if p := eventPosition(t, s); p != at(streamID, c.position) {
				t.Errorf("position %+v", p)
			}
			if got := strings.Contains(log.String(), "damaged"); got != (c.aside > 0) {
				t.Errorf("the log says: %s", log)
			}
			r := mustAdd(t, s, 25)
			if got := len(r.Superseded) > 0; got != (c.aside > 0) {
				t.Errorf("set aside: %v", r.Superseded)
			}
			wantStream(t, dir, 25)
			if p := eventPosition(t, mustOpenEvents(t, sp)); p != at(streamID, 25) {
				t.Errorf("position %+v", p)
			}
		})
	}
}

// Events of another journal stay where they are; a commit of theirs that was
// interrupted is completed, for they cannot be had again.
func TestEventsOfAnotherJournal(t *testing.T) {
	for n := 1; ; n++ {
		dir := sinktest.Folder(t)
		var f sinktest.FailingSteps
		old := eventSpec(dir)
		old.Binding.JournalID, old.Step = otherID, f.Step
		s := mustOpenEvents(t, old)
		if _, err := add(t.Context(), s, stretch(0, 6), at(otherID, 6), false); err != nil {
			t.Fatal(err)
		}
		f.From(n)
		_, err := add(t.Context(), s, stretch(6, 9), at(otherID, 9), true)

		s = mustOpenEvents(t, eventSpec(dir))
		p := eventPosition(t, s)
		if p != at(otherID, 6) && p != at(otherID, 9) {
			t.Fatalf("position %+v", p)
		}
		wantNoTemps(t, dir)
		wantStream(t, dir, int(p.Next))
		if r, err := add(t.Context(), s, stretch(100, 120), at(streamID, 1), false); err != nil || len(r.Superseded) > 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		both := inDates(append(stretch(0, int(p.Next)), stretch(100, 120)...))
		// Our files sort before theirs.
		got := readEvents(t, dir)
		for date := range got {
			slices.Sort(got[date])
			slices.Sort(both[date])
		}
		if !same(got, both) {
			t.Fatalf("the files hold %v", got)
		}
		if p := eventPosition(t, mustOpenEvents(t, eventSpec(dir))); p != at(streamID, 1) {
			t.Fatalf("position %+v", p)
		}
		if err == nil {
			return
		}
	}
}

// Of several journals that are gone, the position is that of the last.
func TestEventsOfTheLastJournal(t *testing.T) {
	dir := t.TempDir()
	for i, id := range []string{"bbbbbbbb-x", "aaaaaaaa-x", "cccccccc-x", "aaaaaaaa-x"} {
		sp := eventSpec(dir)
		sp.Binding.JournalID = id
		if _, err := add(t.Context(), mustOpenEvents(t, sp), nil, at(id, i+1), false); err != nil {
			t.Fatal(err)
		}
	}
	if p := eventPosition(t, mustOpenEvents(t, eventSpec(dir))); p != at("aaaaaaaa-x", 4) {
		t.Errorf("position %+v", p)
	}
}

// A table and the events of two accounts share a folder.
func TestTableAndEvents(t *testing.T) {
	dir := t.TempDir()
	second := eventSpec(dir)
	second.Binding.Account = sinktest.Account + "-0190c0de-00000000000000000000-00000"
	other := eventSpec(dir)
	other.Format.Name, other.Format.Extension, other.Format.Extensions = "other", ".other", []string{".other"}
	put(t, filepath.Join(dir, dateFolder, "events-notes.ids"), "x\n")
	put(t, filepath.Join(dir, dateFolder, ".events.swp"), "x\n")

	rows := sinktest.Leads(day, 0, 9)
	for i := range 3 { // opened again and again, in turn
		r := mustCommit(t, mustOpen(t, eventSpec(dir)), today, rows[:3+i], uint64(i+1))
		if len(r.Superseded) > 0 {
			t.Errorf("set aside: %v", r.Superseded)
		}
		for _, sp := range []Spec{eventSpec(dir), second, other} {
			s := mustOpenEvents(t, sp)
			if r, err := add(t.Context(), s, rows[3*i:3*i+3], at(streamID, i+1), false); err != nil || len(r.Superseded) > 0 {
				t.Fatalf("%+v, %v", r, err)
			}
		}
	}
	mustCommit(t, mustOpen(t, eventSpec(dir)), today, nil, 9)
	if left := tree(t, filepath.Join(dir, dateFolder)); len(left) != 3*3+2 {
		t.Errorf("%d files are left, want those of the events and two: %v", len(left), left)
	}
	for _, sp := range []Spec{eventSpec(dir), second, other} {
		s := mustOpenEvents(t, sp)
		if p := eventPosition(t, s); p != at(streamID, 3) {
			t.Errorf("position %+v", p)
		}
		if list, err := s.eventManifestRefs(); err != nil || len(list) != 3 {
			t.Errorf("%d manifests, %v", len(list), err)
		}
	}
}

// A second process with another state that tidies up in the midst of a commit is
// noticed: the commit does not say that it succeeded.
func TestEventsMeddled(t *testing.T) {
	dir := t.TempDir()
	s := mustOpenEvents(t, eventSpec(dir))
	tx, err := s.Begin(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Write(t.Context(), stretch(0, 20)); err != nil {
		t.Fatal(err)
	}
	other := eventSpec(dir)
	other.Binding.JournalID = otherID
	mustOpenEvents(t, other)
	if _, err := tx.Commit(t.Context(), at(streamID, 20)); !errors.Is(err, errMeddled) {
		t.Fatalf("commit: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if p := eventPosition(t, s); p != (deliver.Position{}) {
		t.Errorf("position %+v", p)
	}
}

// An observer tells the position that a sink would tell, at every step of a
// commit that fails, and leaves every file as it is.
func TestEventObserver(t *testing.T) {
	for n := 1; ; n++ {
		dir := sinktest.Folder(t)
		var f sinktest.FailingSteps
		sp := eventSpec(dir)
		sp.Step = f.Step
		s := mustOpenEvents(t, sp)
		mustAdd(t, s, 3)
		f.From(n)
		_, err := add(t.Context(), s, stretch(3, 6), at(streamID, 6), true)
		f.From(0)

		before := snapshot(t, dir)
		o, oerr := ObserveEvents(eventSpec(dir))
		if oerr != nil {
			t.Fatal(oerr)
		}
		got, oerr := o.Position(t.Context(), deliver.Whole)
		if oerr != nil || o.Semantics() != deliver.Append {
			t.Fatal(oerr)
		}
		after := snapshot(t, dir)
		if len(after) != len(before) {
			t.Errorf("step %d: %d files, %d before", n, len(after), len(before))
		}
		for path, content := range before {
			if after[path] != content {
				t.Errorf("step %d: the observer changed %s", n, path)
			}
		}
		if want := eventPosition(t, mustOpenEvents(t, eventSpec(dir))); got != want {
			t.Errorf("step %d: observed %+v, the sink says %+v", n, got, want)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		if err == nil {
			return
		}
	}
}
