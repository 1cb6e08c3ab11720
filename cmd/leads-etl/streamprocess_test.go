package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/sinks/kafka/embedded"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// liveAPI starts a simulator with leads up to now.
func liveAPI(t *testing.T, leads int) (server *simulator.Server, environ []string) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	server, err := simulator.New(simulator.Config{Leads: leads, From: now.Add(-12 * time.Hour), To: now.Add(-time.Hour), Clean: true})
	if err != nil {
		t.Fatal(err)
	}
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	cfg := server.Config()
	return server, []string{
		"LEADS_ETL_EBAY_API_URL=" + url + simulator.LeadsPath, "LEADS_ETL_EBAY_TOKEN_URL=" + url + simulator.TokenPath,
		"LEADS_ETL_EBAY_MARKETPLACE=" + cfg.Marketplace, "LEADS_ETL_EBAY_CLIENT_ID=" + cfg.ClientID, "LEADS_ETL_EBAY_CLIENT_SECRET=" + cfg.ClientSecret,
		"LEADS_ETL_STREAM_INTERVAL=1s", "LEADS_ETL_STREAM_SETTLE=0s", "LEADS_ETL_STREAM_LOOKBACK=1d", "LEADS_ETL_FETCH_DAILY_QUOTA=1000000",
	}
}

// await reads the program's stderr until a line holds the text, and returns all
// that it read.
func (r *running) await(t *testing.T, text string) string {
	t.Helper()
	var seen strings.Builder
	for {
		line, err := r.log.ReadString('\n')
		seen.WriteString(line)
		if strings.Contains(line, text) {
			return seen.String()
		}
		if err != nil {
			t.Fatalf("%v, without %q in\n%s", err, text, seen.String())
		}
	}
}

// streamResult is what a test wants to know of a stream's summary.
type streamResult struct {
	Stream streamSummary
	Sinks  []sinkSummary
	Code   int `json:"exit_code"`
}

func resultOf(t *testing.T, stdout string) (r streamResult) {
	t.Helper()
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v in %q", err, stdout)
	}
	return r
}

func signalTo(t *testing.T, r *running, s os.Signal) {
	t.Helper()
	if err := r.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// A stream sees what is new and what has changed, goes on at the signal until all
// is delivered, and goes on where it was when it is started again.
func TestStreamUntilSignal(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			server, environ := liveAPI(t, 200)
			environ = append(environ, "LEADS_ETL_NDJSON_DIR=out", "LEADS_ETL_NDJSON_COMPRESSION=none")
			stream := startLogged(t, dir, environ, "stream", "--json")
			head := stream.await(t, "msg=polled")
			if !strings.Contains(head, "msg=stream account=default marketplace=EBAY_DE from=") {
				t.Errorf("it does not say what it does:\n%s", head)
			}
			now := time.Now().UTC()
			if _, err := server.AddLeads(10, now.Add(-30*time.Minute), now.Add(-20*time.Minute)); err != nil {
				t.Fatal(err)
			}
			if err := server.Respond(0, 1, 2); err != nil {
				t.Fatal(err)
			}
			stream.await(t, "level=INFO msg=polled")
			signalTo(t, stream, signal)
			stream.await(t, "leads-etl: stopping: what is landed is being delivered")
			code, stdout := stream.end(t)
			r := resultOf(t, stdout)
			if code != exitDone || len(r.Sinks) != 1 || r.Sinks[0].Name != "ndjson events" || r.Sinks[0].Rows != 213 || r.Stream.Polls == 0 {
				t.Errorf("exit code %d: %s", code, stdout)
			}

			if err := server.Change(5); err != nil {
				t.Fatal(err)
			}
			again := startLogged(t, dir, environ, "stream", "--json")
			again.await(t, "level=INFO msg=polled")
			signalTo(t, again, signal)
			code, stdout = again.end(t)
			if r := resultOf(t, stdout); code != exitDone || r.Sinks[0].Rows != 1 {
				t.Errorf("exit code %d: %s", code, stdout)
			}
			if len(server.Forbidden()) > 0 {
				t.Errorf("forbidden requests: %v", server.Forbidden())
			}
			if rest, err := filepath.Glob(filepath.Join(dir, "out", "*", "*", "[._]*")); err != nil || len(rest) > 0 {
				t.Errorf("temporary files: %v, %v", rest, err)
			}
		})
	}
}

// deaf is the address of a broker that never answers.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// A sink that does not take what is landed in time is named, and nothing is lost.
func TestStreamDrainTimeout(t *testing.T) {
	dir := t.TempDir()
	_, environ := liveAPI(t, 50)
	environ = append(environ, "LEADS_ETL_NDJSON_DIR=out")
	stream := startLogged(t, dir, environ, "stream", "--json", "--drain-timeout=1s", "--kafka-brokers="+deaf(t))
	stream.await(t, "level=INFO msg=polled")
	signalTo(t, stream, syscall.SIGTERM)
	said := stream.await(t, "hint: nothing is lost: the next run goes on from there")
	if !strings.Contains(said, "leads-etl: not everything that is landed could be delivered within 1s to kafka\n") {
		t.Errorf("stderr:\n%s", said)
	}
	code, stdout := stream.end(t)
	if r := resultOf(t, stdout); code != exitSink || r.Code != exitSink || r.Sinks[0].Rows != 50 {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// The second signal does not wait for what does not come to an end.
func TestStreamSecondSignal(t *testing.T) {
	dir := t.TempDir()
	server, environ := liveAPI(t, 50)
	stream := startLogged(t, dir, environ, "stream", "--json", "--drain-timeout=1h", "--kafka-brokers="+deaf(t))
	stream.await(t, "level=INFO msg=polled")
	signalTo(t, stream, syscall.SIGTERM)
	stream.await(t, "leads-etl: stopping: ")
	signalTo(t, stream, syscall.SIGINT)
	stream.await(t, "leads-etl: interrupted by SIGINT")
	stream.await(t, "hint: what was fetched is kept")
	if code, stdout := stream.end(t); code != exitInterrupted || !strings.Contains(stdout, `"exit_code": 130`) {
		t.Errorf("exit code %d: %s", code, stdout)
	}

	// What was landed is delivered by the next one, with a sink that works.
	before := server.Stats().Leads
	again := startLogged(t, dir, append(environ, "LEADS_ETL_NDJSON_DIR=out"), "stream", "--json", "--log-level=debug")
	again.await(t, "msg=stream")
	again.await(t, "msg=polled")
	signalTo(t, again, syscall.SIGTERM)
	code, stdout := again.end(t)
	if r := resultOf(t, stdout); code != exitDone || r.Sinks[0].Rows != 50 || before == 0 {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// Two streams with one transactional id: the later fences the earlier, which says
// so and ends.
func TestFencedStreamEnds(t *testing.T) {
	broker, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
	})
	server, environ := liveAPI(t, 50)
	environ = append(environ, "LEADS_ETL_KAFKA_BROKERS="+strings.Join(broker.Addresses(), ","))
	first := startLogged(t, t.TempDir(), environ, "stream", "--json", "--log-level=debug")
	first.await(t, "level=INFO msg=polled")
	second := startLogged(t, t.TempDir(), environ, "stream", "--json", "--log-level=debug")
	second.await(t, "level=INFO msg=polled")
	if err := server.Respond(1); err != nil {
		t.Fatal(err)
	}
	first.await(t, "leads-etl: sink kafka: ")
	code, stdout := first.end(t)
	if code != exitSink {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	signalTo(t, second, syscall.SIGTERM)
	if code, stdout := second.end(t); code != exitDone {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// A real SIGHUP and a real file.
func TestHangupOfAProcess(t *testing.T) {
	dir := t.TempDir()
	_, environ := liveAPI(t, 10)
	file := filepath.Join(dir, defaultFile)
	write := func(interval string) {
		if err := os.WriteFile(file, []byte("[ndjson]\ndir = \"out\"\n[stream]\nlookback = \""+interval+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("2d")
	for i, variable := range environ {
		if strings.HasPrefix(variable, "LEADS_ETL_STREAM_LOOKBACK") {
			environ = append(environ[:i], environ[i+1:]...)
			break
		}
	}
	stream := startLogged(t, dir, environ, "stream")
	stream.await(t, "msg=polled")
	write("3d")
	signalTo(t, stream, syscall.SIGHUP)
	stream.await(t, `msg="the configuration was read again" changed="[stream] lookback"`)
	signalTo(t, stream, syscall.SIGTERM)
	if code, stdout := stream.end(t); code != exitDone || !strings.HasPrefix(stdout, "Streamed for ") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
}

// A batch and a stream on one state: the stream tells of what the batch has
// exported as snapshots, a batch beside it leaves the order of events alone, and a
// replay builds the files of both.
func TestStreamAndBatchShareAState(t *testing.T) {
	dir := t.TempDir()
	server, environ := liveAPI(t, 100)
	environ = append(environ, "LANG=C.UTF-8")
	ndjson := append(environ, "LEADS_ETL_NDJSON_DIR=out", "LEADS_ETL_NDJSON_COMPRESSION=none")
	run := func(environ []string, args ...string) string {
		t.Helper()
		r := start(t, dir, environ, args...)
		code, stdout := r.end(t)
		if code != exitDone {
			t.Fatalf("%v: exit code %d\n%s%s", args, code, stdout, r.stderr)
		}
		return stdout
	}
	types := func() map[string]int {
		t.Helper()
		count := map[string]int{}
		paths, err := filepath.Glob(filepath.Join(dir, "out", "*", "*", "events-*.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(data)) {
				var row struct {
					Type string `json:"event_type"`
				}
				if err := json.Unmarshal([]byte(line), &row); err != nil {
					t.Fatal(err)
				}
				count[row.Type]++
			}
		}
		return count
	}

	run(ndjson, "batch", "--last=1d")
	if _, err := server.AddLeads(7, time.Now().Add(-30*time.Minute), time.Now().Add(-20*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := server.Respond(3); err != nil {
		t.Fatal(err)
	}
	stream := startLogged(t, dir, ndjson, "run", "--mode=stream")
	stream.await(t, "level=INFO msg=polled")
	status := run(ndjson, "status") // beside the stream
	if !strings.Contains(status, "\nstream      since ") || strings.Contains(status, "unfinished") || !strings.Contains(status, "ndjson events: out ") {
		t.Errorf("status of a stream at work:\n%s", status)
	}
	signalTo(t, stream, syscall.SIGTERM)
	if code, stdout := stream.end(t); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stdout)
	}
	if got := types(); got["snapshot"] != 100 || got["created"] != 7 || got["updated"] != 1 || len(got) != 3 {
		t.Errorf("events: %v", got)
	}

	run(ndjson, "batch", "--last=1d")
	before := types()
	if run(ndjson, "replay"); before["created"] != 7 || before["snapshot"] != 100 {
		t.Errorf("after a batch: %v", before)
	}
	if status := run(ndjson, "status"); !strings.Contains(status, "✓ ndjson events: out is up to date") {
		t.Errorf("status after a replay:\n%s", status)
	}
	// A sink that is turned on later gets both, from the journal alone.
	calls := server.Stats().Calls
	parquet := append(environ, "LEADS_ETL_PARQUET_DIR=pq")
	var replayed streamResult
	if err := json.Unmarshal([]byte(run(parquet, "replay", "--json", "--sink=parquet")), &replayed); err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, s := range replayed.Sinks {
		rows[s.Name] = s.Rows
	}
	if rows["parquet"] != 107 || rows["parquet events"] != 108 || server.Stats().Calls != calls {
		t.Errorf("replayed %v", rows)
	}
	if len(server.Forbidden()) > 0 {
		t.Errorf("forbidden requests: %v", server.Forbidden())
	}
}
