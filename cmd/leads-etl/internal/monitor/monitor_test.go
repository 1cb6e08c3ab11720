package monitor

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func streaming() Snapshot {
	return Snapshot{
		Stream: &pipeline.StreamProgress{
			Phase: pipeline.PhaseIdle, Polls: 7, Polled: noon, Leads: 40, Pages: 3, OpenGaps: 1, Watermark: noon.Add(-time.Minute),
			Sinks: []deliver.Report{{Sink: "kafka", Rows: 9, Events: map[schema.EventType]int{schema.Created: 8, schema.Updated: 1}}},
		},
		API:     &API{Stats: source.Stats{Requests: 5, Outcomes: map[source.Outcome]int64{source.OutcomeAnswered: 5}}, Used: 5, Limit: 100, SkewKnown: true},
		Journal: Journal{Bytes: 1000, Records: 4, Pages: 3},
	}
}

// Names, units and helps are as Prometheus wants them, and all that is registered
// can be gathered.
func TestMetricsKeepToTheRules(t *testing.T) {
	for name, s := range map[string]Snapshot{
		"stream": streaming(),
		"batch":  {Batch: &pipeline.Progress{Sinks: []deliver.Report{{Sink: "parquet"}}}},
		"replay": {Sinks: []deliver.Report{{Sink: "ndjson"}}},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(Build{Version: "v1"}, "shop", "EBAY_DE")
			m.Watch(func() Snapshot { return s })
			problems, err := testutil.GatherAndLint(m.registry)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				t.Errorf("%s: %s", p.Metric, p.Text)
			}
		})
	}
}

func TestAStreamsMetrics(t *testing.T) {
	m := New(Build{}, "shop", "EBAY_DE")
	m.Watch(streaming)
	want := `
# HELP leads_etl_gaps_open Windows that could not be had up to now.
# TYPE leads_etl_gaps_open gauge
leads_etl_gaps_open{account="shop",marketplace="EBAY_DE"} 1
# HELP leads_etl_last_poll_timestamp_seconds When the last poll came to its end.
# TYPE leads_etl_last_poll_timestamp_seconds gauge
leads_etl_last_poll_timestamp_seconds{account="shop",marketplace="EBAY_DE"} 1.7882640e+09
# HELP leads_etl_quota_left_calls Calls to the API that are left of the day's budget.
# TYPE leads_etl_quota_left_calls gauge
leads_etl_quota_left_calls{account="shop",marketplace="EBAY_DE"} 95
# HELP leads_etl_sink_events_total Rows that were committed to the sink, by type of event.
# TYPE leads_etl_sink_events_total counter
leads_etl_sink_events_total{account="shop",marketplace="EBAY_DE",sink="kafka",type="created"} 8
leads_etl_sink_events_total{account="shop",marketplace="EBAY_DE",sink="kafka",type="snapshot"} 0
leads_etl_sink_events_total{account="shop",marketplace="EBAY_DE",sink="kafka",type="updated"} 1
leads_etl_sink_events_total{account="shop",marketplace="EBAY_DE",sink="kafka",type="vanished"} 0
`
	err := testutil.GatherAndCompare(m.registry, strings.NewReader(want),
		"leads_etl_gaps_open", "leads_etl_last_poll_timestamp_seconds", "leads_etl_quota_left_calls", "leads_etl_sink_events_total")
	if err != nil {
		t.Error(err)
	}
}

func TestReadiness(t *testing.T) {
	failing := deliver.Report{Sink: "kafka", Failing: errors.New("no broker answers"), Since: noon}
	away := &fetch.UnavailableError{Err: errors.New("connection refused")}
	for name, c := range map[string]struct {
		snapshot *Snapshot
		want     string // "" for ready
	}{
		"before it runs":         {nil, "starting: the state folder is being read"},
		"before it polled":       {&Snapshot{Stream: &pipeline.StreamProgress{}}, "the first poll has not come to its end"},
		"a stream":               {&Snapshot{Stream: &pipeline.StreamProgress{Polls: 1}}, ""},
		"during an outage":       {&Snapshot{Stream: &pipeline.StreamProgress{Polls: 1, Phase: pipeline.PhasePolling, Trouble: away}}, "the API cannot be reached: connection refused"},
		"an outage at the start": {&Snapshot{Stream: &pipeline.StreamProgress{Trouble: away}}, "the API cannot be reached: connection refused"},
		"at its end":             {&Snapshot{Stream: &pipeline.StreamProgress{Polls: 1, Phase: pipeline.PhaseDraining}}, "stopping: what is landed is being delivered"},
		"with a sink":            {&Snapshot{Stream: &pipeline.StreamProgress{Polls: 1, Sinks: []deliver.Report{{Sink: "ndjson"}, failing}}}, "sink kafka fails since 2026-09-01T12:00:00Z: no broker answers"},
		"a batch":                {&Snapshot{Batch: &pipeline.Progress{}}, ""},
		"a batch's sink":         {&Snapshot{Batch: &pipeline.Progress{Sinks: []deliver.Report{failing}}}, "sink kafka fails since 2026-09-01T12:00:00Z: no broker answers"},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(Build{}, "shop", "EBAY_DE")
			if c.snapshot != nil {
				m.Watch(func() Snapshot { return *c.snapshot })
			}
			status, text := http.StatusOK, "ready"
			if c.want != "" {
				status, text = http.StatusServiceUnavailable, c.want
			}
			got := ask(m, "/readyz", false)
			if got.Code != status || strings.TrimSpace(got.Body.String()) != text {
				t.Errorf("%d %s", got.Code, got.Body)
			}
			if alive := ask(m, "/healthz", false); alive.Code != http.StatusOK {
				t.Errorf("healthz: %d", alive.Code)
			}
		})
	}
}

func ask(m *Monitor, path string, profiles bool) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	m.handler(profiles).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer
}

func TestProfilesAreServedOnRequestOnly(t *testing.T) {
	m := New(Build{}, "shop", "EBAY_DE")
	for profiles, status := range map[bool]int{false: http.StatusNotFound, true: http.StatusOK} {
		if got := ask(m, "/debug/pprof/goroutine?debug=1", profiles); got.Code != status {
			t.Errorf("profiles %t: %d", profiles, got.Code)
		}
	}
}

func TestServe(t *testing.T) {
	m := New(Build{}, "shop", "EBAY_DE")
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	stop, err := m.Serve(t.Context(), ServerConfig{Listen: "0"}, logger)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(log.String(), "url=")
	url := strings.TrimSpace(rest)
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("it listens on %s", url)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || !strings.Contains(string(text), "leads_etl_ready{account=\"shop\",marketplace=\"EBAY_DE\"} 0") {
		t.Errorf("%v\n%s", err, text)
	}
	taken := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/metrics")
	if _, err := m.Serve(t.Context(), ServerConfig{Listen: taken}, logger); !errors.As(err, new(*ListenError)) {
		t.Errorf("the same address again: %v", err)
	}
	stop()
	if answer, err := client.Get(url); err == nil {
		_ = answer.Body.Close()
		t.Error("it still listens")
	}
}

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	for listen, want := range map[string]string{
		"9464": "127.0.0.1:9464", ":9464": "127.0.0.1:9464", "0.0.0.0:1": "0.0.0.0:1", "[::]:9464": "[::]:9464", "localhost:0": "localhost:0",
		"host": "", "1.2.3.4:x": "", "::1:9464": "", "70000": "",
	} {
		c := ServerConfig{Listen: listen}
		got, problem := c.address()
		if got != want || (problem == "") != (want != "") {
			t.Errorf("%q: %q, %q", listen, got, problem)
		}
		problems := 0
		c.Validate(func(key, _ string) { problems++ })
		if (problems > 0) != (want == "") {
			t.Errorf("%q has %d problems", listen, problems)
		}
	}
	for file, want := range map[string]int{"": 0, dir + "/a.prom": 0, dir + "/a.txt": 1, dir + "/none/a.prom": 1} {
		problems := 0
		(&FileConfig{File: file}).Validate(func(string, string) { problems++ })
		if problems != want {
			t.Errorf("%q has %d problems", file, problems)
		}
	}
	problems := 0
	(&ServerConfig{PProf: true}).Validate(func(string, string) { problems++ })
	if problems != 1 {
		t.Error("profiles without an address")
	}
}

// The file goes on with what it says: counters count on, the last success stays
// when a run fails, other accounts and commands keep theirs.
func TestFileGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leads.prom")
	batch := func(exit int, ended time.Time, leads int64) {
		t.Helper()
		m := New(Build{}, "shop", "EBAY_DE")
		if leads > 0 {
			m.Watch(func() Snapshot { return Snapshot{Batch: &pipeline.Progress{Leads: leads, Gaps: leads % 2}} })
		}
		damaged, err := m.WriteFile(path, Run{Command: "batch", Begun: ended.Add(-time.Minute), Ended: ended, ExitCode: exit})
		if damaged != nil || err != nil {
			t.Fatal(damaged, err)
		}
	}
	want := func(lines ...string) {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !strings.Contains(string(data), "\nleads_etl_"+line+"\n") {
				t.Errorf("no %s in\n%s", line, data)
			}
		}
		for _, fleeting := range []string{"leads_etl_ready", "go_", "process_", "build_info"} {
			if strings.Contains(string(data), fleeting) {
				t.Errorf("%s is in the file", fleeting)
			}
		}
	}
	const of = `{account="shop",marketplace="EBAY_DE"}`
	const run = `{account="shop",command="batch",marketplace="EBAY_DE"}`
	batch(0, noon, 10)
	want("leads_received_total"+of+" 10", "gaps_open"+of+" 0", "run_exit_code"+run+" 0",
		"run_last_success_timestamp_seconds"+run+" 1.788264e+09", "run_duration_seconds"+run+" 60")
	batch(4, noon.Add(time.Hour), 5)
	want("leads_received_total"+of+" 15", "gaps_open"+of+" 1", "run_exit_code"+run+" 4",
		"run_last_success_timestamp_seconds"+run+" 1.788264e+09", "run_end_timestamp_seconds"+run+" 1.7882676e+09")
	batch(1, noon.Add(2*time.Hour), 0) // it did not come to anything
	want("leads_received_total"+of+" 15", "gaps_open"+of+" 1", "run_exit_code"+run+" 1")

	other := New(Build{}, "other", "EBAY_US")
	if damaged, err := other.WriteFile(path, Run{Command: "stream", Ended: noon, ExitCode: 3, Only: true}); damaged != nil || err != nil {
		t.Fatal(damaged, err)
	}
	want("leads_received_total"+of+" 15", "run_exit_code"+run+" 1", `run_exit_code{account="other",command="stream",marketplace="EBAY_US"} 3`)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	if err := os.WriteFile(path, []byte("not metrics {"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := New(Build{}, "shop", "EBAY_DE")
	if damaged, err := m.WriteFile(path, Run{Command: "batch", Ended: noon}); damaged == nil || err != nil {
		t.Errorf("a damaged file: %v, %v", damaged, err)
	}
	want("run_exit_code" + run + " 0")
	if rest, err := filepath.Glob(path + "?*"); err != nil || len(rest) > 0 {
		t.Errorf("left behind: %v, %v", rest, err)
	}
}
