package monitoringtest

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

const dashboardFile = "../grafana/leads-etl.json"

// patience is how long a program is waited for.
const patience = 2 * time.Minute

// Every metric, and every label and value of a label, that an alert or a panel
// asks for, is one that a stream or a batch shows.
func TestRulesAndDashboardAskForWhatThereIs(t *testing.T) {
	have := exposed(t)
	queries := make(map[string]string)
	for name, r := range alerts(t) {
		queries["alert "+name] = r.Expr
	}
	maps.Copy(queries, panels(t))
	used := make(map[string]bool)
	for where, query := range queries {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		for _, selector := range parser.ExtractSelectors(expr) {
			checkSelector(t, where, selector, have, used)
		}
	}
	if len(queries) < 30 {
		t.Errorf("only %d queries", len(queries))
	}
	for name := range have {
		if strings.HasPrefix(name, "leads_etl_") && !used[name] {
			t.Logf("neither an alert nor a panel shows %s", name)
		}
	}
}

// checkSelector checks the name, and the labels but for those that Prometheus adds
// and those that are variables.
func checkSelector(t *testing.T, where string, selector []*labels.Matcher, have map[string]map[string][]string, used map[string]bool) {
	t.Helper()
	name := ""
	for _, m := range selector {
		if m.Name == model.MetricNameLabel {
			name = m.Value
		}
	}
	used[name] = true
	known, ok := have[name]
	if !ok {
		t.Errorf("%s: there is no metric %q", where, name)
		return
	}
	for _, m := range selector {
		if m.Name == model.MetricNameLabel || m.Name == "account" || m.Name == "marketplace" {
			continue
		}
		values, ok := known[m.Name]
		if !ok {
			t.Errorf("%s: %s has no label %s", where, name, m.Name)
		}
		if !slices.ContainsFunc(values, m.Matches) {
			t.Errorf("%s: no %s has %s", where, name, m)
		}
	}
}

// panels are the queries of the dashboard, with values for its variables.
func panels(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	type query struct{ Expr, Query string }
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []query
		}
		Templating struct {
			List []struct {
				Name       string
				Definition string
			}
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$account", ".*", "$marketplace", ".*", "$__rate_interval", "5m")
	queries := make(map[string]string)
	for _, p := range dashboard.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("panel %s asks for nothing", p.Title)
		}
		for i, target := range p.Targets {
			queries["panel "+p.Title+" "+string(rune('A'+i))] = variables.Replace(target.Expr)
		}
	}
	values := regexp.MustCompile(`^label_values\((.*), \w+\)$`)
	for _, v := range dashboard.Templating.List {
		if m := values.FindStringSubmatch(v.Definition); m != nil {
			queries["variable "+v.Name] = m[1]
		}
	}
	return queries
}

// exposed runs a stream and a batch against the simulator, and returns the labels
// and their values of each metric that they show.
func exposed(t *testing.T) map[string]map[string][]string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "leads-etl")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/leads-etl")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	environ := simulate(t, dir, binary)
	file := filepath.Join(dir, "leads.prom")
	batch := exec.CommandContext(t.Context(), binary, "batch", "--last=1d", "--parquet-dir=parquet", "--metrics-file="+file, "--state-dir=batch")
	batch.Dir, batch.Env = dir, environ
	if out, err := batch.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	have := make(map[string]map[string][]string)
	left, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	take(t, have, left)

	stream := exec.CommandContext(t.Context(), binary, "stream", "--interval=1s", "--lookback=1d", "--ndjson-dir=ndjson", "--listen=127.0.0.1:0", "--log-format=json")
	lines := start(t, stream, dir, environ, stream.StderrPipe)
	address := ""
	for address == "" {
		var line struct{ Msg, URL string }
		if !lines.Scan() {
			t.Fatal("the stream ended")
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "metrics are served" {
			address = line.URL
		}
	}
	go func() {
		for lines.Scan() { // a full pipe would hold it up
		}
	}()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^leads_etl_polls_total\{.*\} [1-9]`).Match(text) {
			take(t, have, strings.NewReader(string(text)))
			return have
		}
		if time.Now().After(deadline) {
			t.Fatalf("no poll within %s", patience)
		}
	}
}

// simulate starts the simulator and returns the environment that it prints.
func simulate(t *testing.T, dir, binary string) []string {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	sim := exec.CommandContext(t.Context(), binary, "simulate", "--addr=127.0.0.1:0", "--leads=200",
		"--from="+now.Add(-12*time.Hour).Format(time.RFC3339), "--to="+now.Add(-time.Hour).Format(time.RFC3339))
	lines := start(t, sim, dir, os.Environ(), sim.StdoutPipe)
	environ := append(os.Environ(), "LEADS_ETL_EBAY_ACCOUNT=shop")
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if variable, ok := strings.CutPrefix(line, "export "); ok {
			environ = append(environ, variable)
		}
		if strings.Contains(line, " batch --from ") {
			return environ
		}
	}
	t.Fatal("the simulator ended")
	return nil
}

// start starts the command, and ends it with the test.
func start(t *testing.T, cmd *exec.Cmd, dir string, environ []string, pipe func() (io.ReadCloser, error)) *bufio.Scanner {
	t.Helper()
	cmd.Dir, cmd.Env = dir, environ
	out, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	return bufio.NewScanner(out)
}

// take adds what is shown.
func take(t *testing.T, have map[string]map[string][]string, shown io.Reader) {
	t.Helper()
	metrics := expfmt.NewTextParser(model.UTF8Validation)
	families, err := metrics.TextToMetricFamilies(shown)
	if err != nil {
		t.Fatal(err)
	}
	for name, family := range families {
		if have[name] == nil {
			have[name] = make(map[string][]string)
		}
		for _, m := range family.Metric {
			for _, l := range m.Label {
				have[name][l.GetName()] = append(have[name][l.GetName()], l.GetValue())
			}
		}
	}
}
