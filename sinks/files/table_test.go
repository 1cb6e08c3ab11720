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
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	jn "github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

const dateFolder = "marketplace=EBAY_DE/date=" + day

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Fatalf("%s holds %q, want %q", path, got, want)
	}
}

func TestLayoutOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, spec(dir))
	mustCommit(t, s, today, sinktest.Leads(day, 0, 4), 1)
	mustCommit(t, s, deliver.Partition{}, sinktest.Undated(1), 1)
	want := []string{
		"_leads-etl/",
		"_leads-etl/ids/",
		"_leads-etl/ids/marketplace=EBAY_DE/",
		"_leads-etl/ids/marketplace=EBAY_DE/account=example-motors/",
		"_leads-etl/ids/marketplace=EBAY_DE/account=example-motors/2026-09-01.json",
		"_leads-etl/ids/marketplace=EBAY_DE/account=example-motors/undated.json",
		"marketplace=EBAY_DE/",
		"marketplace=EBAY_DE/date=2026-09-01/",
		"marketplace=EBAY_DE/date=2026-09-01/leads-example-motors-00000.ids",
		"marketplace=EBAY_DE/date=2026-09-01/leads-example-motors-00001.ids",
		"marketplace=EBAY_DE/date=__HIVE_DEFAULT_PARTITION__/",
		"marketplace=EBAY_DE/date=__HIVE_DEFAULT_PARTITION__/leads-example-motors-00000.ids",
	}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Opening, asking for positions and giving up leave no trace.
func TestNoTrace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	s := mustOpen(t, spec(dir))
	position(t, s, today)
	for _, n := range []int{0, 10} {
		tx, err := s.Begin(t.Context(), today)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Write(t.Context(), sinktest.Leads(day, 0, n)); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if left := tree(t, dir); len(left) > 0 {
			t.Errorf("left by the rollback of %d rows: %v", n, left)
		}
	}
}

// A partition that never had a row has a position all the same: else it would be
// behind for good.
func TestAnEmptyPartitionHasAPosition(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	s := mustOpen(t, spec(dir))
	if r := mustCommit(t, s, today, nil, 1); !r.Unchanged {
		t.Errorf("receipt %+v", r)
	}
	if pos := position(t, mustOpen(t, spec(dir)), today); pos.Next != 1 {
		t.Errorf("position %+v", pos)
	}
	for _, path := range tree(t, dir) {
		if !strings.HasPrefix(path, manifestFolder) {
			t.Errorf("%s is left", path)
		}
	}
}

// A partition that became empty keeps its position and nothing else.
func TestEmptied(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, spec(dir))
	mustCommit(t, s, today, sinktest.Leads(day, 0, 10), 1)
	mustCommit(t, s, today, nil, 2)
	for _, path := range tree(t, dir) {
		if !strings.HasPrefix(path, manifestFolder) {
			t.Errorf("%s is left", path)
		}
	}
	if pos := position(t, mustOpen(t, spec(dir)), today); pos.Next != 2 {
		t.Errorf("position %+v", pos)
	}
	if r := mustCommit(t, s, today, nil, 3); !r.Unchanged {
		t.Errorf("receipt %+v", r)
	}
	if pos := position(t, s, today); pos.Next != 3 {
		t.Errorf("position %+v", pos)
	}
}

// The file of the same rows is not touched; of several, those that changed are
// written and no other.
func TestUnchangedFilesStay(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, spec(dir))
	rows := sinktest.Leads(day, 0, 9)
	mustCommit(t, s, today, rows, 1)
	part := func(n int) string { return filepath.Join(dir, dateFolder, s.part(n, ".ids")) }
	long := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range 3 {
		if err := os.Chtimes(part(n), long, long); err != nil {
			t.Fatal(err)
		}
	}
	wantOld := func(n int, want bool) {
		t.Helper()
		info, err := os.Stat(part(n))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.ModTime().Equal(long); got != want {
			t.Errorf("part %d is untouched: %t, want %t", n, got, want)
		}
	}

	r := mustCommit(t, s, today, rows, 2)
	if !r.Unchanged || r.Files != 0 || r.Bytes != 0 || r.Rows != 9 {
		t.Errorf("receipt of the same rows: %+v", r)
	}
	for n := range 3 {
		wantOld(n, true)
	}

	changed := slices.Clone(rows)
	changed[4] = sinktest.Leads(day, 1000, 1)[0]
	r = mustCommit(t, s, today, changed, 3)
	if r.Unchanged || r.Files != 1 {
		t.Errorf("receipt of one other row: %+v", r)
	}
	wantOld(0, true)
	wantOld(1, false)
	wantOld(2, true)
	wantEqual(t, globbed(t, dir, today), leadIDs(changed))
	if r := mustCommit(t, s, today, changed[:6], 4); r.Unchanged || r.Files != 0 {
		t.Errorf("receipt of fewer files: %+v", r)
	}
	wantOld(0, true)
	wantEqual(t, globbed(t, dir, today), leadIDs(changed[:6]))
}

// Files that are not ours are not touched, whatever happens to ours.
func TestOthersFilesStay(t *testing.T) {
	dir := t.TempDir()
	others := map[string]string{
		dateFolder + "/notes.txt":                                            "a",
		dateFolder + "/_SUCCESS":                                             "",
		dateFolder + "/leads-other-00000.ids":                                "b",
		dateFolder + "/leads-example-motors-2-00000.ids":                     "c",
		dateFolder + "/leads-example-motors-00000.parquet":                   "d",
		dateFolder + "/.leads-example-motors.swp":                            "e",
		dateFolder + "/.leads-other-00000.ids.0123456789abcdef.tmp":          "f",
		"marketplace=EBAY_US/date=2026-09-01/leads-example-motors-00000.ids": "g",
	}
	for path, content := range others {
		put(t, filepath.Join(dir, path), content)
	}
	s := mustOpen(t, spec(dir))
	for next, rows := range []int{4, 10, 0, 2} {
		r := mustCommit(t, s, today, sinktest.Leads(day, 0, rows), uint64(next+1))
		if len(r.Superseded) > 0 {
			t.Errorf("set aside: %v", r.Superseded)
		}
	}
	for path, content := range others {
		wantContent(t, filepath.Join(dir, path), content)
	}
}

// Two formats and two accounts share a folder.
func TestShared(t *testing.T) {
	dir := t.TempDir()
	a := spec(dir)
	b := spec(dir)
	b.Binding.Account = "example-motors-2"
	c := spec(dir)
	c.Format.Name, c.Format.Extension, c.Format.Extensions = "other", ".other", []string{".other"}
	rows := sinktest.Leads(day, 0, 5)
	for i, sp := range []Spec{a, b, c} {
		if r := mustCommit(t, mustOpen(t, sp), today, rows[i:], uint64(i+1)); len(r.Superseded) > 0 {
			t.Errorf("set aside: %v", r.Superseded)
		}
	}
	for i, sp := range []Spec{a, b, c} {
		if pos := position(t, mustOpen(t, sp), today); pos.Next != jn.Seq(i+1) {
			t.Errorf("position %+v", pos)
		}
	}
	mustCommit(t, mustOpen(t, a), today, nil, 9)
	if n := len(tree(t, filepath.Join(dir, dateFolder))); n != 2+1 {
		t.Errorf("%d files of the others are left, want 3", n)
	}
}

// What was written for another journal, or put there under our names, is set
// aside under a name of its own, as it is.
func TestSetAside(t *testing.T) {
	dir := t.TempDir()
	old := spec(dir)
	old.Binding.JournalID = "journal-0"
	mustCommit(t, mustOpen(t, old), today, sinktest.Leads(day, 0, 4), 7)
	first, err := os.ReadFile(filepath.Join(dir, dateFolder, "leads-example-motors-00000.ids"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, dateFolder, "leads-example-motors-77777.ids.old"), "put here\n")

	var log bytes.Buffer
	sp := spec(dir)
	sp.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := mustOpen(t, sp)
	s.now = func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("", 3600)) }
	rows := sinktest.Leads(day, 2, 5)
	r := mustCommit(t, s, today, rows, 1)
	wantEqual(t, globbed(t, dir, today), leadIDs(rows))
	if len(r.Superseded) != 3 {
		t.Fatalf("set aside: %v", r.Superseded)
	}
	for i, name := range []string{"leads-example-motors-00000.ids", "leads-example-motors-00001.ids", "leads-example-motors-77777.ids.old"} {
		to := r.Superseded[i]
		if !strings.HasPrefix(to, "_superseded/20261123T110000Z-") || !strings.HasSuffix(to, "/"+dateFolder+"/"+name+".superseded") {
			t.Errorf("set aside as %s", to)
		}
		if !strings.Contains(log.String(), to) {
			t.Errorf("the log does not name %s", to)
		}
	}
	wantContent(t, filepath.Join(dir, r.Superseded[0]), string(first))
	wantContent(t, filepath.Join(dir, r.Superseded[2]), "put here\n")

	// The next loss of state, in the same second, has a place of its own.
	sp.Binding.JournalID = "journal-2"
	s2 := mustOpen(t, sp)
	s2.now = s.now
	r2 := mustCommit(t, s2, today, rows, 1)
	if len(r2.Superseded) != 2 || filepath.Dir(r2.Superseded[0]) == filepath.Dir(r.Superseded[0]) {
		t.Errorf("set aside: %v and %v", r.Superseded, r2.Superseded)
	}
}

// A manifest says less than nothing when its files are not as it says.
func TestMissingOrChangedFiles(t *testing.T) {
	rows := sinktest.Leads(day, 0, 7)
	for name, harm := range map[string]func(path string) error{
		"missing": os.Remove,
		"shorter": func(path string) error { return os.Truncate(path, 5) },
		"a folder": func(path string) error {
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mustCommit(t, mustOpen(t, spec(dir)), today, rows, 4)
			s := mustOpen(t, spec(dir))
			if err := harm(filepath.Join(dir, dateFolder, s.part(1, ".ids"))); err != nil {
				t.Fatal(err)
			}
			if pos := position(t, s, today); pos != (deliver.Position{}) {
				t.Errorf("position %+v", pos)
			}
			r := mustCommit(t, s, today, rows, 4)
			if r.Files != 1 {
				t.Errorf("receipt %+v", r)
			}
			if aside := len(r.Superseded); aside != 1 && name != "missing" || aside > 1 {
				t.Errorf("set aside: %v", r.Superseded)
			}
			wantEqual(t, globbed(t, dir, today), leadIDs(rows))
			if pos := position(t, s, today); pos.Next != 4 {
				t.Errorf("position %+v", pos)
			}
		})
	}
}

// A manifest that cannot be read makes its files foreign: none is lost, none is
// counted in, and the log says so.
func TestDamagedManifest(t *testing.T) {
	dir := t.TempDir()
	rows := sinktest.Leads(day, 0, 7)
	mustCommit(t, mustOpen(t, spec(dir)), today, rows, 4)
	var log bytes.Buffer
	sp := spec(dir)
	sp.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s := mustOpen(t, sp)
	put(t, filepath.Join(dir, s.manifest(today)), "{")
	if pos := position(t, s, today); pos != (deliver.Position{}) {
		t.Errorf("position %+v", pos)
	}
	r := mustCommit(t, s, today, rows, 5)
	if len(r.Superseded) != 3 || !strings.Contains(log.String(), "damaged") {
		t.Errorf("set aside: %v; log: %s", r.Superseded, log.String())
	}
	wantEqual(t, globbed(t, dir, today), leadIDs(rows))
}

// Files under another setting's extension are the same table's.
func TestOtherExtension(t *testing.T) {
	dir := t.TempDir()
	mustCommit(t, mustOpen(t, spec(dir)), today, sinktest.Leads(day, 0, 7), 1)
	sp := spec(dir)
	sp.Format.Extension = ".ids.old"
	rows := sinktest.Leads(day, 0, 2)
	r := mustCommit(t, mustOpen(t, sp), today, rows, 2)
	if len(r.Superseded) > 0 {
		t.Errorf("set aside: %v", r.Superseded)
	}
	wantEqual(t, globbed(t, dir, today), leadIDs(rows))
	if left := tree(t, filepath.Join(dir, dateFolder)); !slices.Equal(left, []string{"leads-example-motors-00000.ids.old"}) {
		t.Errorf("left: %v", left)
	}
}

// A second process with another state that tidies up in the midst of a commit is
// noticed: the commit does not say that it succeeded.
func TestMeddled(t *testing.T) {
	dir := t.TempDir()
	mustCommit(t, mustOpen(t, spec(dir)), today, sinktest.Leads(day, 50, 2), 1)
	s := mustOpen(t, spec(dir))
	tx, err := s.Begin(t.Context(), today)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Write(t.Context(), sinktest.Leads(day, 0, 7)); err != nil {
		t.Fatal(err)
	}
	other := spec(dir)
	other.Binding.JournalID = "journal-2"
	rows := sinktest.Leads(day, 100, 3)
	mustCommit(t, mustOpen(t, other), today, rows, 1)
	if _, err := tx.Commit(t.Context(), deliver.Position{Journal: journalID, Next: 2}); !errors.Is(err, errMeddled) {
		t.Fatalf("commit: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, globbed(t, dir, today), leadIDs(rows))
	if pos := position(t, mustOpen(t, other), today); pos.Next != 1 {
		t.Errorf("the other's position is %+v", pos)
	}
}

// The position belongs to the sink's journal, and is refused if it does not.
func TestPositionOfAnotherJournal(t *testing.T) {
	s := mustOpen(t, spec(t.TempDir()))
	tx, err := s.Begin(t.Context(), today)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context(), deliver.Position{Journal: "journal-2", Next: 2}); err == nil {
		t.Error("taken")
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, change := range map[string]func(sp *Spec){
		"no dir":         func(sp *Spec) { sp.Options.Dir = "" },
		"no journal":     func(sp *Spec) { sp.Binding.JournalID = "" },
		"no account":     func(sp *Spec) { sp.Binding.Account = "" },
		"no marketplace": func(sp *Spec) { sp.Binding.Marketplace = "" },
	} {
		sp := spec(t.TempDir())
		change(&sp)
		_, err := Open(t.Context(), sp)
		if _, ok := errors.AsType[*deliver.PermanentError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
