package acceptance

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// copyTree copies a folder as it is found, names before contents, as cp -r does:
// what a process removes meanwhile is passed over.
func copyTree(t testing.TB, from, to string, leaveOut ...string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if slices.Contains(leaveOut, name) {
			return fs.SkipDir
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return errors.Join(err, os.WriteFile(filepath.Join(to, name), b, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// backup copies what is to be copied, in the order in which that loses nothing:
// manifests, the files that they name, the state.
func (w *world) backup(to string) {
	w.t.Helper()
	copyTree(w.t, w.path("ndjson/_leads-etl"), filepath.Join(to, "ndjson/_leads-etl"))
	copyTree(w.t, w.path("ndjson"), filepath.Join(to, "ndjson"), "_leads-etl")
	copyTree(w.t, w.path("state"), filepath.Join(to, "state"), "known")
}

// restored is the same exporter at another place.
func (w *world) restored(dir string) *world {
	other := *w
	other.dir = dir
	return &other
}

// What is copied while a stream is at work goes on elsewhere as if nothing had
// happened: each change once, the last word being the truth.
func TestABackupIsRestored(t *testing.T) {
	t.Parallel()
	w := filesWorld(t, simulator.Config{Seed: 61, Leads: 300})
	story := newStory(t, w.sim, 61)
	w.sim.ClientRestarted()
	r := w.start(nil, "stream")
	r.awaitPoll(time.Time{})
	stop := story.goOn(40 * time.Millisecond)
	time.Sleep(4 * time.Second) // for things to happen, not for anything to be done
	before := r.polls()
	backup := t.TempDir()
	w.backup(backup)
	r.awaitPoll(time.Now()) // it goes on, and the copy knows nothing of it
	stop()
	r.kill()
	r.wait(patience)

	other := w.restored(backup)
	checked := other.mustRun(0, "repair")
	if !strings.Contains(checked.stdout, "nothing is damaged") {
		t.Errorf("the copy is not sound:\n%s", checked.stdout)
	}
	polls := append(before, other.streamToTheEnd().polls()...)
	wantTruth(t, other.events()["ndjson"], other.history(), polls, 0)
	other.wantFetchedAgain()
}

// An older copy of the state beside newer files, as when only the state is
// restored: the stream does not start, for its numbers are taken, until a repair
// has closed the hole.
func TestAnOlderStateIsRestored(t *testing.T) {
	t.Parallel()
	w := filesWorld(t, simulator.Config{Seed: 62, Leads: 300})
	w.streamToTheEnd()
	old := t.TempDir()
	copyTree(t, w.path("state"), old)
	for range 3 {
		if err := w.sim.Change(1, 2, 3, 4, 5, 6, 7, 8); err != nil {
			t.Fatal(err)
		}
		w.streamToTheEnd()
	}
	if err := os.RemoveAll(w.path("state")); err != nil {
		t.Fatal(err)
	}
	copyTree(t, old, w.path("state"))
	files := w.tree("ndjson")
	refused := w.mustRun(1, "stream")
	if !strings.Contains(refused.stderr, "restored from an older copy") || !strings.Contains(refused.stderr, "repair --write") {
		t.Errorf("the stream says:\n%s", refused.stderr)
	}
	if shown := w.run("status"); shown.code != 5 || !strings.Contains(shown.stdout, "restored from an older copy") {
		t.Errorf("status ends with %d and says:\n%s", shown.code, shown.output())
	}
	if len(files) != len(w.tree("ndjson")) {
		t.Error("files were written")
	}
	w.mustRun(0, "repair", "--write")
	w.streamToTheEnd()
	w.wantFetchedAgain()
	w.wantPresent(w.events()["ndjson"])
}
