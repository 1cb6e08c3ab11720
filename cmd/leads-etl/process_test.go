package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// running is the program, at work.
type running struct {
	*exec.Cmd
	out *bufio.Reader
	// stderr holds what was said, after the end; log is read while it runs.
	stderr *bytes.Buffer
	log    *bufio.Reader
}

// start runs the program in a folder of its own.
func start(t *testing.T, dir string, environ []string, args ...string) *running {
	t.Helper()
	r := prepare(t, dir, environ, args...)
	r.stderr = &bytes.Buffer{}
	r.Stderr = r.stderr
	r.begin(t)
	return r
}

// startLogged is start for tests that read what the program logs.
func startLogged(t *testing.T, dir string, environ []string, args ...string) *running {
	t.Helper()
	r := prepare(t, dir, environ, args...)
	stderr, err := r.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.readLog(stderr)
	r.begin(t)
	return r
}

// readLog makes stderr what is awaited.
func (r *running) readLog(stderr io.Reader) { r.log = bufio.NewReader(stderr) }

func prepare(t *testing.T, dir string, environ []string, args ...string) *running {
	t.Helper()
	cmd := exec.Command(programName, args...)
	cmd.Dir = dir
	cmd.Env = append(environ, "PATH="+os.Getenv("PATH"), "HOME="+dir, "GOCOVERDIR="+t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return &running{Cmd: cmd, out: bufio.NewReader(stdout)}
}

func (r *running) begin(t *testing.T) {
	t.Helper()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.Process.Kill() // it has ended, unless the test failed
		_ = r.Wait()
	})
}

// end waits for the program and returns its exit code and the rest of stdout.
func (r *running) end(t *testing.T) (code int, stdout string) {
	t.Helper()
	if r.log != nil { // a full pipe would hold it up
		go func() { _, _ = io.Copy(io.Discard, r.log) }()
	}
	rest, err := io.ReadAll(r.out)
	if err != nil {
		t.Fatal(err)
	}
	err = r.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(rest)
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, string(rest)
}

// What the simulator prints works as printed, and a signal ends it.
func TestSimulateAsPrinted(t *testing.T) {
	dir := t.TempDir()
	sim := start(t, dir, nil, "simulate", "--addr=127.0.0.1:0", "--leads=100", "--from=2026-09-01", "--to=2026-09-05")
	var commands strings.Builder
	for {
		line, err := sim.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%v, after %q, stderr %q", err, commands.String(), sim.stderr)
		}
		if rest, ok := strings.CutPrefix(line, "  "); ok {
			commands.WriteString(rest)
		}
		if strings.HasPrefix(line, "  "+programName) {
			break
		}
	}
	sh := exec.Command("sh", "-e", "-c", commands.String())
	sh.Dir = dir
	out, err := sh.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Exported [2026-09-01T00:00:00Z, 2026-09-05T00:00:00Z)") {
		t.Errorf("%v\n%s\n%s", err, commands.String(), out)
	}
	if err := sim.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, _ := sim.end(t); code != exitDone || sim.stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, sim.stderr)
	}
}

// slowAPI starts a simulator whose answers take their time, in small windows.
func slowAPI(t *testing.T, slow time.Duration) (server *simulator.Server, environ []string) {
	t.Helper()
	day := func(n int) time.Time { return time.Date(2026, 9, n, 0, 0, 0, 0, time.UTC) }
	server, err := simulator.New(simulator.Config{Leads: 500, From: day(1), To: day(11), Clean: true, Faults: simulator.Faults{Slow: 1, SlowBy: slow}})
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
		"LEADS_ETL_FETCH_WINDOW=1h", "LEADS_ETL_FETCH_CONCURRENCY=1", "LEADS_ETL_NDJSON_DIR=out",
		"LEADS_ETL_BATCH_FROM=2026-09-01", "LEADS_ETL_BATCH_TO=2026-09-11",
	}
}

// A batch that a signal ends says that it can be resumed, and is.
func TestInterruptedBatchIsResumed(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			server, environ := slowAPI(t, 50*time.Millisecond)
			batch := start(t, dir, environ, "batch", "--json")
			for server.Stats().Leads == 0 { // until it is well under way
				time.Sleep(time.Millisecond)
			}
			if err := batch.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			code, stdout := batch.end(t)
			if code != exitInterrupted || !strings.Contains(stdout, `"exit_code": 130`) {
				t.Errorf("exit code %d, want %d:\n%s", code, exitInterrupted, stdout)
			}
			for _, want := range []string{
				"leads-etl: interrupted: finishing what is under way\n  hint: interrupt again to end at once\n",
				"leads-etl: interrupted by " + name + "\n  hint: what was fetched is kept; the same command goes on from there\n",
			} {
				if !strings.Contains(batch.stderr.String(), want) {
					t.Errorf("stderr lacks %q:\n%s", want, batch.stderr)
				}
			}
			if strings.Contains(batch.stderr.String(), "context canceled") || strings.Count(batch.stderr.String(), "leads-etl: ") != 2 {
				t.Errorf("stderr says more than once why it ended:\n%s", batch.stderr)
			}

			server.SetFaults(simulator.Faults{})
			code, stdout = start(t, dir, environ, "batch", "--json").end(t)
			if code != exitDone || !strings.Contains(stdout, `"resumed": true`) {
				t.Errorf("exit code %d, want a batch that was resumed:\n%s", code, stdout)
			}
			seen := map[string]int{}
			for _, e := range server.Exchanges() {
				if e.Outcome == "ok" {
					seen[e.Request]++
				}
			}
			for request, n := range seen {
				// The one that was under way may have been answered in vain.
				if n > 2 {
					t.Errorf("%s was answered %d times", request, n)
				}
			}
			if len(server.Forbidden()) > 0 {
				t.Errorf("forbidden requests: %v", server.Forbidden())
			}
		})
	}
}

// A look at the state of an export that is running does not disturb it.
func TestStatusBesideAnExport(t *testing.T) {
	dir := t.TempDir()
	server, environ := slowAPI(t, 20*time.Millisecond)
	batch := start(t, dir, environ, "batch", "--json")
	for server.Stats().Leads == 0 {
		time.Sleep(time.Millisecond)
	}
	looks := 0
	for ; server.Stats().Leads < 500; looks++ {
		status := start(t, dir, environ, "status", "--verify")
		code, stdout := status.end(t)
		if code != exitDone || !strings.Contains(stdout, "every checksum is right") || !strings.Contains(stdout, "ndjson: out ") {
			t.Fatalf("exit code %d:\n%s%s", code, stdout, status.stderr)
		}
	}
	code, stdout := batch.end(t)
	if code != exitDone || looks == 0 || !strings.Contains(stdout, `"rows": 500,`) || !strings.Contains(stdout, `"retries": 0`) {
		t.Errorf("exit code %d after %d looks:\n%s%s", code, looks, stdout, batch.stderr)
	}
}

// The second signal ends the process at once, whatever it is doing.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	endBySignals(t, stubbornName, "at work", "draining")
}

// The second signal breaks a stream off, the third ends the process at once.
func TestThirdSignalEndsStreamsAtOnce(t *testing.T) {
	endBySignals(t, patientName, "at work", "draining", "interrupted by SIGINT")
}

// endBySignals sends a program a signal after each of the lines, the last of
// which kills it.
func endBySignals(t *testing.T, program string, lines ...string) {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOCOVERDIR=" + t.TempDir()}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(stdout)
	for _, want := range lines {
		if line, err := out.ReadString('\n'); err != nil || strings.TrimSpace(line) != want {
			t.Fatalf("got %q, %v, want %q", line, err, want)
		}
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("ended with %v", cmd.ProcessState)
	}
}

// stubborn is a program that never comes to its end after the first signal.
func stubborn() {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	fmt.Println("at work")
	<-ctx.Done()
	fmt.Println("draining")
	time.Sleep(time.Hour)
}

const stubbornName = "stubborn"

// patient is a stream that never comes to its end after two signals.
func patient() {
	ctx, told, stop := untilSecondSignal(context.Background())
	defer stop()
	fmt.Println("at work")
	<-told
	fmt.Println("draining")
	<-ctx.Done()
	fmt.Println(context.Cause(ctx))
	time.Sleep(time.Hour)
}

const patientName = "patient"

// Nothing of a configuration is needed where there is no configuration.
func TestRunWithoutFile(t *testing.T) {
	r := start(t, t.TempDir(), nil, "batch")
	code, stdout := r.end(t)
	if code != exitUsage || stdout != "" {
		t.Errorf("exit code %d, stdout %q", code, stdout)
	}
	for _, want := range []string{"[ebay] marketplace", "[ebay] client-id", "[ebay] client-secret", "[batch]: no range", "no sink is on"} {
		if !strings.Contains(r.stderr.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, r.stderr)
		}
	}
	if entries, err := filepath.Glob(filepath.Join(r.Dir, "*")); err != nil || len(entries) > 0 {
		t.Errorf("it left %v, %v", entries, err)
	}
}
