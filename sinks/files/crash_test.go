package files

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// scenario is a commit that follows on something.
type scenario struct {
	name string
	// before prepares the partition, after is what is committed then.
	before, after []schema.Row
	format        func(Format) Format // of the second commit
	foreign       bool                // before was written for another journal
}

func scenarios() []scenario {
	rows := sinktest.Leads(day, 0, 8)
	return []scenario{
		{name: "first", after: rows[:3]},
		{name: "one file by one", before: rows[:3], after: rows[1:4]},
		{name: "one file by three", before: rows[:3], after: rows},
		{name: "three files by one", before: rows, after: rows[:2]},
		{name: "three files by three", before: rows[:7], after: rows[1:]},
		{name: "first file stays", before: rows[:7], after: rows[:5]},
		{name: "same rows", before: rows, after: rows},
		{name: "by nothing", before: rows},
		{name: "other extension", before: rows, after: rows[:5], format: func(f Format) Format { f.Extension = ".ids.old"; return f }},
		{name: "other journal", before: rows, after: rows[:5], foreign: true},
		{name: "other journal, same rows", before: rows, after: rows, foreign: true},
		{name: "other journal, by nothing", before: rows, foreign: true},
	}
}

// TestCrashAtEachStep crashes at each step of a commit, then at each step of the
// recovery from that, and looks at what readers see all along.
func TestCrashAtEachStep(t *testing.T) {
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			for n := 1; crash(t, sc, n); n++ {
			}
		})
	}
}

// crash lets the nth step of the commit fail, and each step of the recovery. It
// reports whether there was an nth step.
func crash(t *testing.T, sc scenario, n int) bool {
	for m := 1; ; m++ {
		var f sinktest.FailingSteps
		dir := sinktest.Folder(t)
		sp := spec(dir)
		sp.Step = f.Step
		prepare(t, sp, sc)
		before, position1 := leadIDs(sc.before), position(t, mustOpen(t, sp), today)

		if sc.format != nil {
			sp.Format = sc.format(sp.Format)
		}
		s := mustOpen(t, sp)
		f.From(n)
		_, err := commitAndDie(t, s, sc.after)
		hit := f.Tried() >= n
		f.From(0)
		if !hit && err != nil {
			t.Fatalf("no step failed, and the commit did: %v", err)
		}
		wantOldOrNew(t, dir, before, leadIDs(sc.after), sc.foreign)

		f.From(m)
		if s, err := Open(t.Context(), sp); err == nil {
			_, _ = s.Position(t.Context(), today)
		}
		recovered := f.Tried() < m
		f.From(0)
		wantOldOrNew(t, dir, before, leadIDs(sc.after), sc.foreign)

		s = mustOpen(t, sp)
		pos := position(t, s, today)
		wantNoTemps(t, dir)
		switch want := leadIDs(sc.after); {
		case pos.Next == 2 && pos.Journal == journalID:
			wantEqual(t, globbed(t, dir, today), want)
			wantEqual(t, followed(t, dir, today), want)
		case pos == position1 && err != nil:
			wantEqual(t, globbed(t, dir, today), before)
			wantEqual(t, followed(t, dir, today), before)
		default:
			t.Fatalf("step %d, then %d: commit said %v, and the position is %+v", n, m, err, pos)
		}
		wantNothingLost(t, dir, sc)

		// It goes on from there.
		mustCommit(t, s, today, sc.after, 3)
		wantEqual(t, globbed(t, dir, today), leadIDs(sc.after))
		wantNothingLost(t, dir, sc)
		if recovered {
			return hit
		}
	}
}

func prepare(t *testing.T, sp Spec, sc scenario) {
	t.Helper()
	if sc.before == nil {
		return
	}
	if sc.foreign {
		sp.Binding.JournalID = "journal-0"
	}
	mustCommit(t, mustOpen(t, sp), today, sc.before, 1)
}

// commitAndDie commits without cleaning up after an error, as a process does
// that is killed.
func commitAndDie(t *testing.T, s *Sink, rows []schema.Row) (deliver.Receipt, error) {
	t.Helper()
	tx, err := s.Begin(t.Context(), today)
	if err != nil {
		return deliver.Receipt{}, err
	}
	if err := tx.Write(t.Context(), rows); err != nil {
		return deliver.Receipt{}, err
	}
	return tx.Commit(t.Context(), deliver.Position{Journal: journalID, Next: 2})
}

// wantOldOrNew looks at a partition in the midst of a commit. Who follows the
// manifest sees the old or the new state and nothing else, but for files of a
// journal that is gone, whose manifest is not theirs. Who goes by names sees so
// too where the partition is one file.
func wantOldOrNew(t *testing.T, dir string, before, after []string, foreign bool) {
	t.Helper()
	if got := followed(t, dir, today); !slices.Equal(got, before) && !slices.Equal(got, after) {
		t.Fatalf("the manifest shows %d leads, neither the %d before nor the %d after", len(got), len(before), len(after))
	}
	if foreign || len(before) > 3 || len(after) > 3 {
		return
	}
	if got := globbed(t, dir, today); !slices.Equal(got, before) && !slices.Equal(got, after) {
		t.Fatalf("names show %d leads, neither the %d before nor the %d after", len(got), len(before), len(after))
	}
}

// wantNothingLost finds the leads of another journal's files, in their place or
// set aside.
func wantNothingLost(t *testing.T, dir string, sc scenario) {
	t.Helper()
	if !sc.foreign {
		return
	}
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, ".ids") || strings.HasSuffix(path, supersededSuffix)) {
			found = append(found, readLines(t, path)...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range leadIDs(sc.before) {
		if !slices.Contains(found, id) {
			t.Fatal("a lead of the other journal is nowhere any more")
		}
	}
}
