package acceptance

import (
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source/simulator"
	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// smallWorld is a world in which tables are followed through their life.
func smallWorld(t testing.TB) *world {
	t.Helper()
	return newWorld(t, simulator.Config{Seed: 11, Leads: 2000, From: september, To: november, Listings: 40})
}

// fingerprints are the contents of all data files of both formats, by path.
func (w *world) fingerprints() map[string][sha256.Size]byte {
	w.t.Helper()
	all := make(map[string][sha256.Size]byte)
	for dir, suffix := range map[string]string{"parquet": ".parquet", "ndjson": ".ndjson.zst"} {
		for _, path := range dataFiles(w.t, w.path(dir), suffix) {
			data, err := os.ReadFile(path)
			if err != nil {
				w.t.Fatal(err)
			}
			all[path] = sha256.Sum256(data)
		}
	}
	return all
}

// Repeating a batch changes no byte of the files and adds nothing to the topic.
func TestRepeatingABatchChangesNothing(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	want := expect(w.sim.Truth(w.sim.Range()))
	w.mustRun(0, between(w.sim.Range())...)
	w.wantAll(want)
	before := w.fingerprints()
	calls := w.sim.Stats().Calls
	w.mustRun(0, between(w.sim.Range())...)
	w.wantAll(want)
	if !maps.Equal(before, w.fingerprints()) {
		t.Error("files changed though nothing else did")
	}
	if w.sim.Stats().Calls == calls {
		t.Error("a finished range was not read again")
	}
	w.wantNoForbiddenRequests()
}

// Ranges that overlap leave each lead once.
func TestOverlappingBatches(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	day := func(n int) time.Time {
		return september.Add(time.Duration(n)*24*time.Hour + 7*time.Hour + 13*time.Minute)
	}
	for _, r := range []window.Window{window.New(day(3), day(20)), window.New(day(10), day(30)), window.New(day(0), day(12)), window.New(day(11), day(11).Add(time.Hour))} {
		w.mustRun(0, between(r)...)
	}
	w.wantAll(expect(w.sim.Truth(window.New(day(0), day(30)))))
	w.wantNoTemporaryFiles()
}

// A lead that changed is replaced in the files and comes once more in the topic;
// a lead whose listing has ended stays as it was last seen.
func TestLeadsChangeAndListingsEnd(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	all := w.sim.Range()
	w.mustRun(0, between(all)...)
	first := expect(w.sim.Truth(all))

	ended := w.sim.ItemIDs()[3]
	if err := w.sim.EndListing(ended); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.Respond(5, 6, 7, 100, 1500); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.AddMessage(5, 900); err != nil {
		t.Fatal(err)
	}
	if _, err := w.sim.AddLeads(20, september, november); err != nil {
		t.Fatal(err)
	}
	w.mustRun(0, between(all)...)

	// What is known: what the API shows now, and of the ended listing what it
	// showed before.
	want := expect(w.sim.Truth(all))
	for _, row := range first {
		if row["item_id"] == ended {
			want = append(want, row)
		}
	}
	wantRows(t, "ndjson", w.ndjson(), want)
	wantRows(t, "parquet", w.parquet(), want)

	// The topic: each version once, the last one of each lead is the table's.
	known := make(map[string]bool)
	var events rows
	for _, row := range append(slices.Clone(first), want...) {
		if id := row["event_id"].(string); !known[id] {
			known[id] = true
			events = append(events, row)
		}
	}
	last := make(map[string]oracle.Row)
	got := w.kafka()
	for _, row := range got {
		last[row["lead_id"].(string)] = row
	}
	if len(got) != len(events) || len(events) <= len(want) {
		t.Errorf("the topic holds %d events, want %d, more than the %d leads", len(got), len(events), len(want))
	}
	wantRows(t, "the topic's last words", slices.Collect(maps.Values(last)), want)
	w.wantNoForbiddenRequests()
}

// The broker was away while leads changed: the topic gets them as they are now.
func TestATopicThatWasAwayGetsLeadsAsTheyAreNow(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	brokers := w.brokers
	w.brokers = "127.0.0.1:1"
	w.mustRun(5, between(w.sim.Range())...)
	if err := w.sim.Respond(1, 2, 3); err != nil {
		t.Fatal(err)
	}
	w.brokers = brokers
	w.mustRun(0, append(between(w.sim.Range()), "--restart")...)
	w.wantAll(expect(w.sim.Truth(w.sim.Range())))
}

// The state is lost: the files written under it are set aside, not deleted, and
// the run says so; no row is there twice.
func TestALostState(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.kafkaOn = false
	w.mustRun(0, between(w.sim.Range())...)
	before := w.fingerprints()
	if err := os.RemoveAll(w.path("state")); err != nil {
		t.Fatal(err)
	}
	month := window.New(september, september.AddDate(0, 1, 0))
	r := w.mustRun(0, between(month)...)
	w.wantAll(expect(w.sim.Truth(w.sim.Range()))) // October's files are as they were
	if !strings.Contains(r.output(), "_superseded") {
		t.Errorf("the run does not say where the files of the lost state are:\n%s", r.output())
	}
	aside := 0
	for _, dir := range []string{"parquet", "ndjson"} {
		err := filepath.WalkDir(w.path(dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(path, "_superseded") {
				return err
			}
			data, err := os.ReadFile(path)
			if err == nil && slices.Contains(slices.Collect(maps.Values(before)), sha256.Sum256(data)) {
				aside++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := 2 * 30; aside < want {
		t.Errorf("%d files set aside, want at least %d", aside, want)
	}
	w.wantNoTemporaryFiles()
}

// The outputs are lost: they are rebuilt from the journal, byte by byte, without
// asking the API for anything.
func TestLostOutputsAreRebuilt(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.kafkaOn = false
	w.mustRun(0, between(w.sim.Range())...)
	before := w.fingerprints()
	for _, dir := range []string{"parquet", "ndjson"} {
		if err := os.RemoveAll(w.path(dir)); err != nil {
			t.Fatal(err)
		}
	}
	w.sim.ResetStats()
	w.mustRun(0, "replay")
	if !maps.Equal(before, w.fingerprints()) {
		t.Error("the rebuilt files differ")
	}
	if calls := w.sim.Stats().Calls; calls != 0 {
		t.Errorf("%d calls", calls)
	}
}

// An interrupt ends the run with 130, and the next one asks only for the rest.
func TestAnInterruptIsResumed(t *testing.T) {
	t.Parallel()
	faults, err := simulator.ParseFaults("slow=1:300ms")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, simulator.Config{Seed: 11, Leads: 20_000, From: september, To: november, Faults: faults})
	w.kafkaOn = false
	cmd := w.command(between(w.sim.Range())...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for w.sim.Stats().Calls < 12 { // some pages are landed, some are under way
		time.Sleep(5 * time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Fatalf("exit code %d", code)
	}
	landed := make(map[string]bool)
	for _, e := range w.sim.Exchanges()[:8] { // four workers: these were answered for certain
		landed[e.Request] = true
	}
	w.sim.ResetStats()
	w.mustRun(0, between(w.sim.Range())...)
	for _, e := range w.sim.Exchanges() {
		if landed[e.Request] {
			t.Errorf("asked for again: %s", e.Request)
		}
	}
	w.wantAll(expect(w.sim.Truth(w.sim.Range())))
	w.wantNoTemporaryFiles()
}
