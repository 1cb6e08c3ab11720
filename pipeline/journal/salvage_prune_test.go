package journal

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What was lost to damage is known to be lost also after it was pruned, and a
// journal that was pruned keeps its base when its identity has to be made anew.
func TestRepairAndPruning(t *testing.T) {
	w := write(t, 30, 300, 2000)
	damaged := w.path(0)
	b, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0xff
	if err := os.WriteFile(damaged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	repair := func() {
		t.Helper()
		now = now.Add(time.Second) // what is kept aside is named by it
		s := salvage(t, w.dir, 0)
		if _, err := s.Write(nil, now); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	repair()

	j := open(t, w.dir, Options{SegmentBytes: 2000})
	losses := len(j.Losses())
	if losses == 0 {
		t.Fatal("nothing is lost")
	}
	n := j.Segments()[1].First
	if err := j.Prune(n, draftOf(t, j, n, "the past")); err != nil {
		t.Fatal(err)
	}
	again := func(when string) {
		t.Helper()
		if got := len(j.Losses()); got != losses {
			t.Errorf("%s: %d answers are lost, were %d", when, got, losses)
		}
		if got := stands(t, j); got != "the past" {
			t.Errorf("%s: the base holds %q", when, got)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	again("pruned")
	j = open(t, w.dir, Options{SegmentBytes: 2000})
	again("opened again")

	if err := os.WriteFile(filepath.Join(w.dir, journalFolder, identityFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	repair()
	j = open(t, w.dir, Options{SegmentBytes: 2000})
	losses = 0 // which the identity alone knew
	again("with a new identity")
}
