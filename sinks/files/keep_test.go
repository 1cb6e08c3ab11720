package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// Files are kept as they are, of the partitions that are concerned, each time in a
// folder of its own, also twice in one second.
func TestKeep(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, spec(dir))
	mustCommit(t, s, today, sinktest.Leads(day, 0, 4), 1)
	mustCommit(t, s, deliver.Partition{}, sinktest.Undated(1), 1)
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	keep := func(wantFiles int, wantFolder string, which func(deliver.Partition) bool) {
		t.Helper()
		o, err := Observe(spec(dir))
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		n, folder, err := o.Keep(which, now)
		if err != nil || n != wantFiles || folder != wantFolder {
			t.Fatalf("%d files in %q, error %v; want %d in %q", n, folder, err, wantFiles, wantFolder)
		}
	}
	content := func(paths []string) map[string]string {
		all := make(map[string]string)
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(path)] = string(b)
		}
		return all
	}
	files, err := filepath.Glob(filepath.Join(dir, dateFolder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	was := content(files)
	todays := func(p deliver.Partition) bool { return p == today }
	keep(2, "_superseded/20261124T120000Z-repair", todays)
	mustCommit(t, s, today, sinktest.Leads(day, 0, 2), 2)
	keep(1, "_superseded/20261124T120000Z-repair-2", todays)
	keep(2, "_superseded/20261124T120000Z-repair-3", func(deliver.Partition) bool { return true })
	kept, err := filepath.Glob(filepath.Join(dir, "_superseded/20261124T120000Z-repair", dateFolder, "*"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	for name, text := range content(kept) {
		if want := was[strings.TrimSuffix(name, supersededSuffix)]; text == "" || text != want {
			t.Errorf("%s holds %q, want %q", name, text, want)
		}
	}
}
