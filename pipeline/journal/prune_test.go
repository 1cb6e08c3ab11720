package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// draftOf puts a base for the records before n together that holds a text.
func draftOf(t tester, j *Journal, n Seq, text string) string {
	t.Helper()
	draft, err := j.DraftBase(n)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(draft, "known")
	err = errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "state"), []byte(text), 0o644), os.WriteFile(filepath.Join(folder, "LOCK"), nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return draft
}

// stands returns what the journal's base holds; "" if there is none.
func stands(t tester, j *Journal) string {
	t.Helper()
	if j.Base() == "" {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(j.Base(), "known", "state"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// holdsFrom holds the journal to all that was ever appended to it.
func holdsFrom(t tester, j *Journal, all []Record) {
	t.Helper()
	got, err := contents(j)
	if err != nil {
		t.Fatal(err)
	}
	if want := all[j.First():]; len(got) != len(want) || int(j.End()) != len(all) {
		t.Fatalf("%d records up to %d, want %d up to %d", len(got), j.End(), len(want), len(all))
	}
	for i, r := range got {
		if r.Seq != j.First()+Seq(i) {
			t.Fatalf("record %d comes as number %d", r.Seq, j.First()+Seq(i))
		}
		if err := same(r, all[r.Seq]); err != nil {
			t.Fatalf("record %d: %v", r.Seq, err)
		}
	}
}

// leftovers are what is in the folder and not the journal's.
func leftovers(t tester, j *Journal) []string {
	t.Helper()
	files, err := os.ReadDir(j.folder)
	if err != nil {
		t.Fatal(err)
	}
	belong := []string{identityFile}
	for _, s := range j.Segments() {
		belong = append(belong, segmentName(s.First))
	}
	if j.Base() != "" {
		belong = append(belong, filepath.Base(j.Base()))
	}
	var left []string
	for _, f := range files {
		if !slices.Contains(belong, f.Name()) {
			left = append(left, f.Name())
		}
	}
	return left
}

func wellAndGood(t tester, dir string) {
	t.Helper()
	report, err := Verify(t.Context(), dir)
	if err != nil || len(report.Problems) > 0 || len(report.Base) > 0 {
		t.Errorf("Verify: %+v, %v", report, err)
	}
}

func TestPruning(t *testing.T) {
	dir := t.TempDir()
	all := records(40, 500)
	j := open(t, dir, Options{SegmentBytes: 2 << 10})
	appendAll(t, j, all...)
	early := j.Pages()
	oldest := early[0].Seq
	for _, at := range []int{2, 3} {
		n := j.Segments()[at].First
		text := fmt.Sprint("as of ", n)
		if err := j.Prune(n, draftOf(t, j, n, text)); err != nil {
			t.Fatal(err)
		}
		for _, reopened := range []bool{false, true} {
			if reopened {
				j.Close()
				j = open(t, dir, Options{SegmentBytes: 2 << 10})
			}
			if got := stands(t, j); got != text || j.First() != n {
				t.Errorf("a base with %q before %d, want %q before %d", got, j.First(), text, n)
			}
			if left := leftovers(t, j); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			holdsFrom(t, j, all)
			if pages := j.Pages(); len(pages) > 0 && pages[0].Seq < n {
				t.Errorf("page %d is pruned and known", pages[0].Seq)
			}
			if _, err := j.Page(0); err == nil {
				t.Error("a page that was pruned is there")
			}
		}
		wellAndGood(t, dir)
		r, err := OpenReadOnly(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		holdsFrom(t, r, all)
		if _, err := r.DraftBase(n); !errors.Is(err, ErrReadOnly) {
			t.Errorf("a draft for a reader: %v", err)
		}
		r.Close()
	}
	if early[0].Seq != oldest {
		t.Error("pages that were asked for before changed")
	}
	more := records(5, 500)
	appendAll(t, j, more...)
	holdsFrom(t, j, append(all, more...))
	for _, n := range []Seq{0, j.First(), j.First() + 1, j.End()} {
		if err := j.Prune(n, draftOf(t, j, n, "")); err == nil {
			t.Errorf("the journal from %d can be cut at %d", j.First(), n)
		}
	}
}

// Wherever a pruning is interrupted, the journal that is opened next is the one
// before it or the one after it, and nothing is left lying about.
func TestAPruningThatIsInterrupted(t *testing.T) {
	errEnd := errors.New("the end")
	for steps, done := 0, false; !done; steps++ {
		for before := range 2 { // the first pruning, and one that replaces a base
			dir := t.TempDir()
			all := records(40, 500)
			var left *int
			j := open(t, dir, Options{SegmentBytes: 2 << 10, step: func(string) error {
				if left == nil {
					return nil
				}
				if *left--; *left < 0 {
					return errEnd
				}
				return nil
			}})
			appendAll(t, j, all...)
			first, text := Seq(0), ""
			if before > 0 {
				first, text = j.Segments()[1].First, "the old one"
				if err := j.Prune(first, draftOf(t, j, first, text)); err != nil {
					t.Fatal(err)
				}
			}
			n := j.Segments()[3].First
			count := steps
			left = &count
			err := j.Prune(n, draftOf(t, j, n, "the new one"))
			if done = err == nil; !done && !errors.Is(err, errEnd) {
				t.Fatalf("after %d steps: %v", steps, err)
			}
			holdsFrom(t, j, all)
			if again := j.Prune(n, draftOf(t, j, n, "the new one")); !done && again == nil {
				t.Errorf("after %d steps: pruned again as if nothing had happened", steps)
			}
			j.Close()
			if r, err := OpenReadOnly(dir, nil); err != nil {
				t.Errorf("after %d steps, without writing: %v", steps, err)
			} else {
				r.Close()
			}
			wellAndGood(t, dir)
			j = open(t, dir, Options{SegmentBytes: 2 << 10})
			if j.First() == n {
				text = "the new one"
			} else if j.First() != first {
				t.Errorf("after %d steps the journal begins with %d", steps, j.First())
			}
			if got := stands(t, j); got != text {
				t.Errorf("after %d steps, from %d: the base holds %q, want %q", steps, j.First(), got, text)
			}
			holdsFrom(t, j, all)
			if l := leftovers(t, j); len(l) > 0 {
				t.Errorf("after %d steps: left behind %q", steps, l)
			}
			n = j.Segments()[1].First
			if err := j.Prune(n, draftOf(t, j, n, "the last one")); err != nil {
				t.Errorf("after %d steps: pruned again: %v", steps, err)
			}
			j.Close()
			wellAndGood(t, dir)
		}
		if steps > 50 {
			t.Fatal("it never ends")
		}
	}
}

func TestABaseThatIsDamaged(t *testing.T) {
	damages := map[string]struct {
		do     func(base string) error
		opens  bool // only reading all of it tells
		reason string
	}{
		"it is gone":             {do: os.RemoveAll, reason: "missing"},
		"a file is gone":         {do: func(b string) error { return os.Remove(filepath.Join(b, "known", "state")) }, reason: "missing"},
		"a file is shorter":      {do: func(b string) error { return os.Truncate(filepath.Join(b, "known", "state"), 2) }, reason: "2 bytes"},
		"a file is another":      {do: func(b string) error { return os.WriteFile(filepath.Join(b, "known", "state"), []byte("STATE"), 0o600) }, opens: true, reason: "checksum"},
		"the list is gone":       {do: func(b string) error { return os.Remove(filepath.Join(b, listFile)) }, reason: "missing"},
		"the list is another":    {do: func(b string) error { return os.WriteFile(filepath.Join(b, listFile), []byte("[]"), 0o600) }, reason: "not what was written"},
		"what is no part of it ": {do: func(b string) error { return os.Remove(filepath.Join(b, "known", "LOCK")) }, opens: true},
	}
	for name, d := range damages {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir, Options{SegmentBytes: 2 << 10})
			appendAll(t, j, records(20, 500)...)
			n := j.Segments()[2].First
			if err := j.Prune(n, draftOf(t, j, n, "state")); err != nil {
				t.Fatal(err)
			}
			base := j.Base()
			j.Close()
			if err := d.do(base); err != nil {
				t.Fatal(err)
			}
			for i, open := range []func() (*Journal, error){
				func() (*Journal, error) { return Open(dir, Options{Identity: seller}) },
				func() (*Journal, error) { return OpenReadOnly(dir, nil) },
			} {
				j, err := open()
				if d.opens {
					if err != nil {
						t.Fatal(err)
					}
					j.Close()
					continue
				}
				e, ok := errors.AsType[*BaseError](err)
				if !ok || !strings.Contains(e.Error(), d.reason) || !strings.Contains(e.Error(), "restore that folder from a backup") {
					t.Errorf("opening %d: %v", i, err)
				}
			}
			report, err := Verify(t.Context(), dir)
			if err != nil || len(report.Problems) > 0 || len(report.Base) != min(1, len(d.reason)) {
				t.Fatalf("Verify: %+v, %v", report, err)
			}
			if d.reason != "" && !strings.Contains(report.Base[0].Error(), d.reason) {
				t.Errorf("Verify says %v", report.Base[0])
			}
		})
	}
}

// A segment that holds little is ended for its age, so that it can be pruned.
func TestSegmentsEndByAge(t *testing.T) {
	dir := t.TempDir()
	begun := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	o := Options{SegmentAge: 24 * time.Hour}
	j := open(t, dir, o)
	hours := []int{0, 5, 23, 24, 30, 47, 48, 100, 99, 101}
	var firsts []Seq
	for i, hour := range hours {
		if i == 5 { // what it knows of the segment's age is in the segment
			j.Close()
			j = open(t, dir, o)
		}
		appendAll(t, j, Record{Poll: &Poll{Received: begun.Add(time.Duration(hour) * time.Hour)}})
	}
	for _, s := range j.Segments() {
		firsts = append(firsts, s.First)
	}
	if want := []Seq{0, 3, 6, 7}; !slices.Equal(firsts, want) {
		t.Errorf("segments begin with %d, want %d", firsts, want)
	}
}

// Whoever reads what is being pruned is told so, and may begin again.
func TestReadingWhatIsPruned(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentBytes: 2 << 10})
	appendAll(t, j, records(40, 500)...)
	r, err := OpenReadOnly(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := j.Segments()[2].First
	if err := j.Prune(n, draftOf(t, j, n, "state")); err != nil {
		t.Fatal(err)
	}
	for _, err = range r.Records(t.Context(), 0) {
		if err != nil {
			break
		}
	}
	if e, ok := errors.AsType[*PrunedError](err); !ok || e.Seq != 0 {
		t.Errorf("another process reads on: %v", err)
	}
	again, err := OpenReadOnly(dir, nil)
	if err != nil || again.First() != n {
		t.Errorf("opened again: %v", err)
	}
}
