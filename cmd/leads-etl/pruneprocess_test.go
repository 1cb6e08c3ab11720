package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// forgetful is the program, but that it may be told to keep pages for no time at
// all.
func forgetful() {
	leastKeep = time.Millisecond
	main()
}

const forgetfulName = "forgetful"

// asForgetful makes a program that is about to be started the forgetful one.
func asForgetful(t *testing.T, r *running) *running {
	t.Helper()
	path, err := exec.LookPath(forgetfulName)
	if err != nil {
		t.Fatal(err)
	}
	r.Path, r.Args[0] = path, forgetfulName
	return r
}

func forgetfulRun(t *testing.T, dir string, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	r := asForgetful(t, prepare(t, dir, environ, args...))
	var said strings.Builder
	r.Stderr = &said
	r.begin(t)
	code, stdout = r.end(t)
	return code, stdout, said.String()
}

// lines are the rows of all files of a pattern.
type line struct {
	Event   string `json:"event_id"`
	Type    string `json:"event_type"`
	Lead    string `json:"lead_id"`
	Version int    `json:"lead_version"`
	Hash    string `json:"content_hash"`
}

func linesOf(t *testing.T, dir, pattern string) (all []line) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*", pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.Lines(string(data)) {
			var l line
			if err := json.Unmarshal([]byte(text), &l); err != nil {
				t.Fatal(err)
			}
			all = append(all, l)
		}
	}
	return all
}

// A batch and a stream on a state that is pruned all the time, whose store of known
// leads is lost: each change is told once, as if nothing had ever been pruned.
func TestAStateThatIsPruned(t *testing.T) {
	dir := t.TempDir()
	server, environ := liveAPI(t, 200)
	environ = append(environ, "LANG=C.UTF-8", "LEADS_ETL_NDJSON_DIR=out", "LEADS_ETL_NDJSON_COMPRESSION=none", "LEADS_ETL_NDJSON_ROLL_INTERVAL=1s", "LEADS_ETL_STATE_KEEP=100ms")
	run := func(environ []string, args ...string) string {
		t.Helper()
		code, stdout, stderr := forgetfulRun(t, dir, environ, args...)
		if code != exitDone {
			t.Fatalf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout
	}
	// stream runs until it has seen all of the changes, and, if asked, has pruned what
	// was landed before it began. The rest is pruned by the command.
	stream := func(prunes bool, changes ...func() error) {
		t.Helper()
		r := asForgetful(t, prepare(t, dir, environ, "stream"))
		stderr, err := r.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		r.readLog(stderr)
		r.begin(t)
		for _, change := range changes {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			r.await(t, "level=INFO msg=polled")
			if prunes {
				r.await(t, "pruned the journal")
				prunes = false
			}
		}
		signalTo(t, r, syscall.SIGTERM)
		if code, stdout := r.end(t); code != exitDone {
			t.Fatalf("exit code %d: %s", code, stdout)
		}
		run(environ, "prune")
	}
	young := func(n int) func() error {
		return func() error {
			_, err := server.AddLeads(n, time.Now().Add(-30*time.Minute), time.Now().Add(-20*time.Minute))
			return err
		}
	}

	run(environ, "batch", "--last=1d")
	items := server.ItemIDs()
	stream(true,
		young(7),
		func() error { return server.Respond(3, 4) },
		func() error { return server.EndListing(items[0]) },
	)
	status := run(environ, "status", "--verify")
	if !regexp.MustCompile(`\npruned +\d+ pages with \d+ leads, before record \d+: 207 rows and 207 known leads stand for them`).MatchString(status) || !strings.Contains(status, "every checksum is right") {
		t.Errorf("status of a pruned journal:\n%s", status)
	}
	t.Logf("status:\n%s", status)
	if err := os.RemoveAll(filepath.Join(dir, "leads-state", "known")); err != nil {
		t.Fatal(err)
	}
	stream(false,
		func() error { return server.EndListing(items[1]) },                      // their contents are pruned
		func() error { return server.Change(1, 2, 3, 5, 8, 13, 21, 34, 55, 89) }, // some are there
		func() error { return server.Reactivate(items[0]) },
		young(3),
	)
	t.Logf("prune:\n%s%s", run(environ, "prune", "--dry-run"), run(environ, "prune"))
	run(environ, "batch", "--last=1d")

	// What is told of each lead counts up from the snapshot or the creation, and ends
	// with what it is.
	events := linesOf(t, filepath.Join(dir, "out"), "events-*.ndjson")
	ids, versions, types, last := map[string]bool{}, map[string]int{}, map[string]int{}, map[string]line{}
	for _, e := range events {
		if ids[e.Event] {
			t.Errorf("event %s %s comes twice", e.Type, e.Event)
		}
		ids[e.Event] = true
		types[e.Type]++
		versions[e.Lead] += e.Version
		if e.Version >= last[e.Lead].Version {
			last[e.Lead] = e
		}
	}
	for lead, l := range last {
		if versions[lead] != l.Version*(l.Version+1)/2 {
			t.Errorf("the versions of lead %s up to %d sum up to %d", lead, l.Version, versions[lead])
		}
	}
	if types["snapshot"] != 200 || types["created"] != 10 || types["vanished"] == 0 || types["updated"] < 3 || len(last) != 210 {
		t.Errorf("events %v of %d leads", types, len(last))
	}

	// The truth: what a state that was never pruned exports now.
	run(append(environ, "LEADS_ETL_STATE_DIR=fresh", "LEADS_ETL_NDJSON_DIR=truth", "LEADS_ETL_STATE_KEEP=0s"), "batch", "--last=1d")
	table := map[string]line{}
	for _, l := range linesOf(t, filepath.Join(dir, "out"), "leads-*.ndjson") {
		table[l.Lead] = l
	}
	truth := linesOf(t, filepath.Join(dir, "truth"), "leads-*.ndjson")
	if len(table) != 210 || len(truth) >= 210 || len(truth) == 0 {
		t.Errorf("%d rows of 210 leads, %d of which are to be had", len(table), len(truth))
	}
	told := maps.Clone(last)
	for _, l := range truth {
		if table[l.Lead].Hash != l.Hash || last[l.Lead].Hash != l.Hash || last[l.Lead].Type == "vanished" {
			t.Errorf("lead %s is not what it is: table %v, last event %v", l.Lead, table[l.Lead], last[l.Lead])
		}
		delete(last, l.Lead)
	}
	for _, l := range last {
		if l.Type != "vanished" {
			t.Errorf("lead %s is not to be had, and the last that was told is %s", l.Lead, l.Type)
		}
	}

	looksAtPruned(t, dir, environ, table, told)

	// Sinks that are new get what there is, without a call.
	calls := server.Stats().Calls
	run(append(environ, "LEADS_ETL_NDJSON_DIR=new"), "replay")
	if server.Stats().Calls != calls {
		t.Error("a replay called the API")
	}
	again, fresh := map[string]string{}, map[string]string{}
	for _, l := range linesOf(t, filepath.Join(dir, "new"), "events-*.ndjson") {
		again[l.Lead] = l.Hash
	}
	for _, l := range table {
		fresh[l.Lead] = l.Hash
	}
	if !maps.Equal(again, fresh) {
		t.Errorf("a new sink knows %d leads, and not what the table knows", len(again))
	}
	for _, l := range linesOf(t, filepath.Join(dir, "new"), "leads-*.ndjson") {
		if table[l.Lead] != l {
			t.Errorf("a new table holds %v, the old one %v", l, table[l.Lead])
		}
		delete(table, l.Lead)
	}
	if len(table) > 0 || len(server.Forbidden()) > 0 {
		t.Errorf("%d leads are missing from a new table; forbidden: %v", len(table), server.Forbidden())
	}
}
