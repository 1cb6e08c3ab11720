//go:build peers

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"
)

// TestMain lets the test's program be started again as a child, as peerbench is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if child, ok := children[os.Args[1]]; ok {
			if err := child(context.Background(), os.Args[2:]); err != nil {
				os.Stderr.WriteString(err.Error() + "\n")
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// A small comparison runs through with all peers, whose outputs are the same rows
// as ours; and once more, it takes all samples over and measures none.
func TestCompare(t *testing.T) {
	top, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(top)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	// What is installed for the peers is kept from test to test, and nothing else.
	dir, out := filepath.Join(cache, "leads-etl-ci", "bench"), t.TempDir()
	if err := os.RemoveAll(filepath.Join(dir, "corpus-2000")); err != nil {
		t.Fatal(err)
	}
	args := []string{"-leads", "2000", "-rounds", "1", "-dir", dir, "-out", out}
	if err := run(t.Context(), append(args, "-fresh")); err != nil {
		t.Fatal(err)
	}
	samples := filepath.Join(dir, "samples.jsonl")
	before, err := os.ReadFile(samples)
	if err != nil {
		t.Fatal(err)
	}
	results, err := report.Load(filepath.Join(out, report.ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	b := bench{broker: &broker{}}
	for _, c := range b.contenders() {
		s := results.Samples[c.id]
		if len(s) != 1 || s[0].Seconds <= 0 || s[0].CPU <= 0 || s[0].PeakMB <= 0 {
			t.Errorf("%s: %+v", c.id, s)
		}
	}
	shown := make(map[string]bool)
	for _, row := range results.Rows {
		shown[row.ID] = true
		if row.Figure == 0 && row.ID != "journal" {
			t.Errorf("no figure for %s", row.Work)
		}
	}
	for _, l := range lines {
		if once := strings.Contains(l.Ours, "ten times") || strings.Contains(l.Ours, "idle"); shown[l.ID] == once {
			t.Errorf("%s: in the table: %v", l.ID, shown[l.ID])
		}
	}
	for _, name := range []string{"DuckDB", "dlt", "kafka-go", "Kafka"} {
		if !strings.HasPrefix(results.Setting.Peers[name], name+" ") {
			t.Errorf("no version of %s: %v", name, results.Setting.Peers)
		}
	}
	if err := run(t.Context(), args); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(samples); err != nil || string(after) != string(before) {
		t.Errorf("the second run measured again: %v", err)
	}
}
