package acceptance

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// Everything is run over an API that fails in every way, at debug level, in both
// forms of the log, into all sinks, watched by Prometheus and a collector of
// traces: nothing of what comes out but the outputs themselves holds anything of a
// person, or a secret.
func TestNothingOfAPersonComesOut(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			faults, err := simulator.ParseFaults("350000=0.05,429=0.02:1s,html502=0.05,short=0.05,truncate=0.05,not-json=0.05,reset=0.03,warnings=0.1,revoke=0.03,token=0.1,max-leads=120")
			if err != nil {
				t.Fatal(err)
			}
			w := streamWorld(t, simulator.Config{Seed: 31, Leads: 400, Listings: 12, Faults: faults})
			w.extra += "[metrics]\nfile = \"" + w.path("leads.prom") + "\"\n"
			collector := w.newCollector()
			var shown strings.Builder
			persons := make(persons)
			run := func(args ...string) {
				persons.add(w)
				r := w.run(append(args, "--verbose", "--log-format", format)...)
				shown.WriteString(r.output())
				if r.code != 0 {
					t.Logf("%v: exit code %d", args, r.code)
				}
			}
			whole := window.New(w.sim.Range().From, w.sim.Range().To)
			run(between(whole)...)
			run("check")
			run("status")

			story := newStory(t, w.sim, 31)
			address := freeAddress(t)
			// The lines of its log are read as they come, whatever their form.
			r := w.startCommand(nil, w.command("stream", "--verbose", "--log-format", format, "--listen", address, "--pprof"))
			for range 3 {
				for range 20 {
					story.step()
				}
				persons.add(w)
				w.awaitPolls(address, 2)
				for _, path := range []string{"/metrics", "/readyz", "/healthz", "/debug/pprof/goroutine?debug=2"} {
					shown.WriteString(get(t, "http://"+address+path))
				}
			}
			r.terminate(0)
			persons.add(w)
			shown.WriteString(r.output())
			run("status", "--json")
			run("replay", "--json")
			file, err := os.ReadFile(w.path("leads.prom"))
			if err != nil {
				t.Fatal(err)
			}
			shown.Write(file)
			persons.wantNotIn(t, shown.String()+collector.sent())

			wantTraces(t, collector)
			if format == "json" {
				wantKnownKeys(t, shown.String())
			}
		})
	}
}

// wantTraces asserts that batches and polls are traces, with all that belongs to
// them.
func wantTraces(t testing.TB, c *collector) {
	t.Helper()
	for root, sinks := range map[string][]string{
		"batch": {"parquet", "ndjson", "kafka"}, "poll": {"parquet events", "ndjson events", "kafka"},
	} {
		want := []string{"fetch window", "GET classified_lead", "land page"}
		for _, sink := range sinks {
			want = append(want, "deliver to "+sink)
		}
		traces := c.tracesOf(root)
		complete := slices.ContainsFunc(traces, func(names []string) bool {
			return !slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(names, name) })
		})
		if !complete {
			t.Errorf("none of %d traces of a %s has all of %q, such as %q", len(traces), root, want, traces[:min(3, len(traces))])
		}
	}
}

// awaitPolls waits until so many polls more have come to their end.
func (w *world) awaitPolls(address string, n int) {
	w.t.Helper()
	polls := regexp.MustCompile(`(?m)^leads_etl_polls_total\{.*\} ([0-9]+)$`)
	first := -1
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			continue // it does not listen yet
		}
		data, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		now := 0
		if m := polls.FindSubmatch(data); err != nil || m == nil {
			continue
		} else if _, err := fmt.Sscan(string(m[1]), &now); err != nil {
			w.t.Fatal(err)
		}
		if first < 0 {
			first = now
		}
		if now >= first+n {
			return
		}
	}
	w.t.Fatalf("no %d polls within %s", n, patience)
}

// get returns what there is at the URL.
func get(t testing.TB, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// wantKnownKeys asserts that what is logged has documented keys only.
func wantKnownKeys(t testing.TB, log string) {
	t.Helper()
	documented, err := os.ReadFile("../logging/KEYS.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	unknown := make(map[string]string)
	for line := range strings.Lines(log) {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) != nil || record["level"] == nil {
			continue
		}
		lines++
		for key := range record {
			if !strings.Contains(string(documented), "| `"+key+"` |") {
				unknown[key] = fmt.Sprint(record["msg"])
			}
		}
	}
	if lines < 100 || len(unknown) > 0 {
		t.Errorf("%d lines of log, and keys that are not documented: %v", lines, unknown)
	}
}

// freeAddress is one that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
