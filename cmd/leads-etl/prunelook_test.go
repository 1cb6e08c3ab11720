package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// looksAtPruned holds what is shown of a state that was pruned to its table, and to
// the last event that a sink has of each lead.
func looksAtPruned(t *testing.T, dir string, environ []string, table, last map[string]line) {
	t.Helper()
	run := func(args ...string) (stdout, stderr string) {
		t.Helper()
		code, stdout, stderr := forgetfulRun(t, dir, environ, args...)
		if code != exitDone {
			t.Fatalf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout, stderr
	}

	shown, stderr := run("show", "--json", "--limit", "0")
	tableIs(t, "show", parsed(t, shown), table)
	if stderr != "" || strings.Contains(shown, "@") {
		t.Errorf("show says %q; what is personal has to be masked", stderr)
	}
	if events, stderr := run("show", "--type", "all", "--limit", "0", "--json"); !strings.Contains(stderr, "events that were seen up to 20") {
		t.Errorf("show of events says %q", stderr)
	} else {
		for _, e := range parsed(t, events) {
			if e.Version > last[e.Lead].Version {
				t.Errorf("event %+v is shown, and the last that was written is %+v", e, last[e.Lead])
			}
		}
	}
	if _, stderr := run("report", "--html", "report.html"); !strings.Contains(stderr, "calls that were seen up to 20") {
		t.Errorf("report says %q", stderr)
	}
	historiesOfPruned(t, run, last)

	code, _, stderr := forgetfulRun(t, dir, environ, "replay", "--as-of", "2020-01-01", "--out", "early")
	earliest := regexp.MustCompile(`2020-01-01T00:00:00Z cannot be told any more: .* as it was known at ([^;]+);`).FindStringSubmatch(stderr)
	if code != exitUsage || earliest == nil {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	run("replay", "--as-of", earliest[1], "--out", "early", "--sink", "ndjson")
	if early := linesOf(t, filepath.Join(dir, "early", "ndjson"), "*.ndjson"); len(early) == 0 || len(early) > len(table) {
		t.Errorf("%d leads as of the earliest moment, and %d now", len(early), len(table))
	}
	run("replay", "--as-of", time.Now().UTC().Format(time.RFC3339Nano), "--out", "now", "--sink", "ndjson")
	tableIs(t, "the table as of now", linesOf(t, filepath.Join(dir, "now", "ndjson"), "*.ndjson"), table)
}

func parsed(t *testing.T, ndjson string) (all []line) {
	t.Helper()
	for text := range strings.Lines(ndjson) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func tableIs(t *testing.T, what string, got []line, want map[string]line) {
	t.Helper()
	for _, l := range got {
		if want[l.Lead] != l {
			t.Errorf("%s: %+v, and the table has %+v", what, l, want[l.Lead])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, and the table has %d", what, len(got), len(want))
	}
}

// historiesOfPruned looks at the histories of some leads of each kind.
func historiesOfPruned(t *testing.T, run func(args ...string) (stdout, stderr string), last map[string]line) {
	t.Helper()
	asked, pruned := map[string]int{}, 0
	for id, l := range last {
		if asked[l.Type]++; asked[l.Type] > 3 {
			continue
		}
		text, _ := run("history", id, "--json")
		var h historyJSON
		if err := json.Unmarshal([]byte(text), &h); err != nil {
			t.Fatal(err)
		}
		rows := make([]string, len(h.Versions))
		for i, v := range h.Versions {
			rows[i] = string(compact(t, v.Row))
		}
		versions := parsed(t, strings.Join(rows, "\n"))
		if now := versions[len(versions)-1]; now.Hash != l.Hash || now.Version != l.Version || h.Vanished != (l.Type == "vanished") {
			t.Errorf("the history of lead %s ends with %+v, vanished %v, the last event is %+v", id, now, h.Vanished, l)
		}
		if h.Pruned == nil {
			continue
		}
		pruned++
		people, _ := run("history", id)
		if !h.FirstSeen.IsZero() || h.Pruned.Until.IsZero() || !strings.Contains(people, "as known when the journal was pruned up to 20") || strings.Contains(people, "@") {
			t.Errorf("the history of lead %s, pruned %+v, first seen %s:\n%s", id, *h.Pruned, h.FirstSeen, people)
		}
		if pruned == 1 {
			t.Logf("history:\n%s", people)
		}
	}
	if pruned == 0 {
		t.Errorf("no history goes back to what is pruned, of leads %v", asked)
	}
}
