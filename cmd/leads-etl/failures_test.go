package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/sinks/kafka/embedded"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// mistake is one kind of input or of surroundings that makes a command fail.
type mistake struct {
	name string
	code int
	// environ is set besides what makes the command work, as failing.set does it.
	environ []string
	// before prepares the working folder.
	before func(t *testing.T, w *failing)
	args   []string
}

// failing is a working folder in which commands are run that fail.
type failing struct {
	dir     string
	environ []string
}

var aDay = []string{"batch", "--from=2026-09-01", "--to=2026-09-02"}

// oneDay is aDay with more arguments.
func oneDay(more ...string) []string { return append(append([]string{}, aDay...), more...) }

// What commands say when they fail: the golden file is for people to read. Each
// says what, where and what to do, in few lines, in words of the user's world.
func TestWordsOfFailures(t *testing.T) {
	good := simulated(t, simulator.Config{Leads: 50, From: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 9, 3, 0, 0, 0, 0, time.UTC)})
	broker, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
	})
	write := func(name, text string) func(*testing.T, *failing) {
		return func(t *testing.T, w *failing) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	exported := func(t *testing.T, w *failing) {
		t.Helper()
		if code, out := w.run(aDay...); code != exitDone {
			t.Fatalf("the export before: exit code %d\n%s", code, out)
		}
	}
	noLead := "00000000-0000-5000-8000-000000000000"
	var list strings.Builder
	for _, m := range []mistake{
		{name: "unknown command", code: exitUsage, args: []string{"exprot"}},
		{name: "unknown flag", code: exitUsage, args: oneDay("--parqet-dir=x")},
		{name: "flag without value", code: exitUsage, args: []string{"batch", "--last"}},
		{name: "bad duration", code: exitUsage, args: []string{"batch", "--last=3 weeks"}},
		{name: "bad time", code: exitUsage, args: []string{"batch", "--from=yesterday", "--to=2026-09-02"}},
		{name: "from after to", code: exitUsage, args: []string{"batch", "--from=2026-09-02", "--to=2026-09-01"}},
		{name: "no range", code: exitUsage, args: []string{"batch"}},
		{name: "range in the future", code: exitUsage, args: []string{"batch", "--from=2099-01-01", "--to=2099-02-01"}},
		{name: "unknown key", code: exitUsage, args: aDay, before: write("leads-etl.toml", "[ebay]\nmarketplce = \"EBAY_DE\"\n")},
		{name: "broken TOML", code: exitUsage, args: aDay, before: write("leads-etl.toml", "[ebay\naccount = 3\n")},
		{name: "wrong type", code: exitUsage, args: aDay, before: write("leads-etl.toml", "[fetch]\nconcurrency = \"many\"\n")},
		{name: "no such configuration", code: exitUsage, args: oneDay("--config=none.toml")},
		{name: "wrong marketplace", code: exitUsage, args: oneDay("--ebay-marketplace=Germany")},
		{name: "secret file missing", code: exitUsage, environ: []string{"LEADS_ETL_EBAY_CLIENT_SECRET=", "LEADS_ETL_EBAY_CLIENT_SECRET_FILE=none"}, args: aDay},
		{name: "no sink", code: exitUsage, environ: []string{"LEADS_ETL_NDJSON_DIR="}, args: aDay},
		{name: "login refused", code: exitRefused, environ: []string{"LEADS_ETL_EBAY_CLIENT_SECRET=wrong"}, args: aDay},
		{name: "request refused", code: exitRefused, args: oneDay("--ebay-marketplace=EBAY_MOTORS_UK")},
		{name: "folder not writable", code: exitSink, args: oneDay("--ndjson-dir=file/out"), before: write("file", "")},
		{name: "state folder not writable", code: exitUnexpected, args: oneDay("--state-dir=file/state"), before: write("file", "")},
		{name: "broker down", code: exitSink, environ: []string{"LEADS_ETL_NDJSON_DIR="}, args: []string{"check", "--kafka-brokers=127.0.0.1:1"}},
		{name: "topic missing", code: exitSink, environ: []string{"LEADS_ETL_NDJSON_DIR=", "LEADS_ETL_KAFKA_BROKERS=" + strings.Join(broker.Addresses(), ",")}, args: oneDay("--no-kafka-create-topics")},
		{name: "API unreachable", code: exitUnexpected, environ: []string{"LEADS_ETL_EBAY_API_URL=http://127.0.0.1:1/sell/leads/v1"}, args: aDay},
		{name: "token endpoint unreachable", code: exitUnexpected, environ: []string{"LEADS_ETL_EBAY_TOKEN_URL=http://127.0.0.1:1/token"}, args: aDay},
		{name: "page of broken JSON", code: exitUnexpected, args: aDay, before: answering(`{"classifiedLeads":[{"itemId":`)},
		{name: "page of other JSON", code: exitUnexpected, args: aDay, before: answering(`["leads"]`)},
		{name: "API that never answers", code: exitUnexpected, args: oneDay("--fetch-timeout=1s"), before: silent},
		{name: "quota spent", code: exitIncomplete, args: oneDay("--fetch-daily-quota=1", "--fetch-window=1h", "--fetch-quota-reserve=0")},
		{name: "journal of another account", code: exitUsage, before: exported, args: oneDay("--ebay-account=other")},
		{name: "journal of a newer version", code: exitUnexpected, before: func(t *testing.T, w *failing) { exported(t, w); newer(t, w) }, args: aDay},
		{name: "state locked", code: exitUnexpected, before: func(t *testing.T, w *failing) { exported(t, w); locked(t, w) }, args: aDay},
		{name: "damaged journal", code: exitUnexpected, before: func(t *testing.T, w *failing) { exported(t, w); damaged(t, w) }, args: aDay},
		{name: "history of an unknown lead", code: exitUsage, before: exported, args: []string{"history", noLead}},
		{name: "history of what is no lead id", code: exitUsage, before: exported, args: []string{"history", "42"}},
		{name: "show of an unknown lead", code: exitUsage, before: exported, args: []string{"show", "--lead=" + noLead}},
		{name: "show without a journal", code: exitUsage, args: []string{"show"}},
		{name: "replay without a journal", code: exitUsage, args: []string{"replay"}},
		{name: "replay of a sink that is off", code: exitUsage, before: exported, args: []string{"replay", "--sink=kafka"}},
		{name: "repair without a journal", code: exitUsage, args: []string{"repair"}},
		{name: "repair of a healthy journal", code: exitDone, before: exported, args: []string{"repair", "--write"}},
		{name: "address taken", code: exitUnexpected, before: func(t *testing.T, w *failing) {
			_, api, _ := strings.Cut(good[0], "=http://")
			w.set("LEADS_ETL_METRICS_LISTEN=" + strings.TrimSuffix(api, simulator.LeadsPath))
		}, args: aDay},
	} {
		t.Run(m.name, func(t *testing.T) {
			w := &failing{dir: t.TempDir()}
			t.Chdir(w.dir)
			w.set("HOME="+w.dir, "LANG=C.UTF-8", "LEADS_ETL_NDJSON_DIR=out", "LEADS_ETL_FETCH_MAX_ATTEMPTS=1", "LEADS_ETL_EBAY_ACCOUNT=shop")
			w.set(good...)
			w.set(m.environ...)
			if m.before != nil {
				m.before(t, w)
			}
			code, out := w.run(m.args...)
			if code != m.code {
				t.Errorf("exit code %d, want %d\n%s", code, m.code, out)
			}
			wantWords(t, code, out)
			shown := strings.ReplaceAll(strings.Join(m.args, " "), w.dir, "DIR")
			fmt.Fprintf(&list, "# %s\n$ leads-etl %s\n%s(exit code %d)\n\n", m.name, shown, unfailing(strings.ReplaceAll(out, w.dir, "DIR")), code)
		})
	}
	golden(t, "testdata/failures.txt", list.String())
}

// set sets variables of the environment; one without a value is taken out.
func (w *failing) set(variables ...string) {
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		w.environ = slices.DeleteFunc(w.environ, func(e string) bool { return strings.HasPrefix(e, name+"=") })
		if value != "" {
			w.environ = append(w.environ, v)
		}
	}
}

// run runs the program, and returns what it says to people: stderr without the
// log's lines, or if that is nothing, stdout.
func (w *failing) run(args ...string) (code int, text string) {
	var stdout, stderr *os.File
	for _, f := range []**os.File{&stdout, &stderr} {
		*f, _ = os.CreateTemp(w.dir, "said-*")
		defer os.Remove((*f).Name())
		defer (*f).Close()
	}
	code = run(context.Background(), append([]string{}, args...), w.environ, stdout, stderr)
	out, _ := os.ReadFile(stdout.Name())
	said, _ := os.ReadFile(stderr.Name())
	var b strings.Builder
	for line := range strings.Lines(string(said)) {
		if !strings.HasPrefix(line, "time=") {
			b.WriteString(line)
		}
	}
	if b.Len() == 0 {
		return code, string(out)
	}
	return code, b.String()
}

// goisms are what must be in no word for users.
var goisms = regexp.MustCompile(`%!|: EOF$|: unexpected EOF$|: context deadline exceeded$|: context canceled$|&\{|map\[|\bnil\b|<nil>|goroutine|0x[0-9a-f]{6}|\*[a-z]+\.[A-Z]|strconv\.|json: cannot|dial tcp|invalid character`)

// wantWords asserts the form of what is said: the program's name, few lines, and no
// words of Go.
func wantWords(t *testing.T, code int, out string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for _, line := range lines {
		if goisms.MatchString(line) {
			t.Errorf("words of Go: %s", line)
		}
	}
	if code == exitDone {
		return
	}
	if !strings.HasPrefix(lines[0], programName+": ") && !strings.HasPrefix(lines[0], "✓") {
		t.Errorf("does not begin with the program's name: %s", lines[0])
	}
	if len(lines) > 4 && !strings.HasPrefix(lines[0], "✓") {
		t.Errorf("%d lines", len(lines))
	}
}

// unfailing replaces what differs from run to run, and leaves out what did not
// fail.
func unfailing(text string) string {
	var failed strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "✓") {
			failed.WriteString(line)
		}
	}
	text = failed.String()
	text = regexp.MustCompile(`in use by process \d+`).ReplaceAllString(text, "in use by process PID")
	text = regexp.MustCompile(`[0-9.]+ KiB`).ReplaceAllString(text, "SIZE")
	return unchanging(text)
}

// answering is an API that gives every request for leads this answer.
func answering(body string) func(*testing.T, *failing) {
	return func(t *testing.T, w *failing) {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			rw.Header().Set("Content-Encoding", "gzip")
			var packed bytes.Buffer
			gz := gzip.NewWriter(&packed)
			_, _ = gz.Write([]byte(body))
			_ = gz.Close()
			_, _ = rw.Write(packed.Bytes())
		}))
		t.Cleanup(server.Close)
		w.set("LEADS_ETL_EBAY_API_URL=" + server.URL + simulator.LeadsPath)
	}
}

// silent is an API that takes requests and never answers them.
func silent(t *testing.T, w *failing) {
	t.Helper()
	end := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(end); server.Close() })
	w.set("LEADS_ETL_EBAY_API_URL=" + server.URL + simulator.LeadsPath)
}

// newer makes the journal one of a version that is to come.
func newer(t *testing.T, w *failing) {
	t.Helper()
	path := filepath.Join(w.dir, "leads-state/journal/identity.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var identity map[string]any
	if err := json.Unmarshal(data, &identity); err != nil {
		t.Fatal(err)
	}
	identity["format"] = 99
	if data, err = json.Marshal(identity); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// locked has somebody else at work on the state folder.
func locked(t *testing.T, w *failing) {
	t.Helper()
	var api string
	for _, e := range w.environ {
		if v, ok := strings.CutPrefix(e, "LEADS_ETL_EBAY_API_URL="); ok {
			api = v
		}
	}
	j, err := journal.Open(filepath.Join(w.dir, "leads-state"), journal.Options{
		Identity: journal.Identity{Account: "shop", Marketplace: "EBAY_DE", API: api}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
}

// damaged changes bytes in the middle of the journal.
func damaged(t *testing.T, w *failing) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, "leads-state/journal/*.journal"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%v, %v", paths, err)
	}
	data, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	data[60] ^= 0x10
	if err := os.WriteFile(paths[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
}
