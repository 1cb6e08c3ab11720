package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "leads-etl-acceptance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "leads-etl")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, "github.com/leads-etl/leads-etl/cmd/leads-etl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is released
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	if err := kafkatest.Shutdown(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

const (
	account     = "acme"
	marketplace = "EBAY_DE"
	secret      = "a-secret-that-must-not-show"
)

// world is a simulated API and a place for one exporter's state and outputs.
type world struct {
	t      testing.TB
	sim    *simulator.Server
	api    string
	broker *kafkatest.Kafka
	dir    string
	topic  string
	// sinks are those that are on.
	parquetOn, ndjsonOn, kafkaOn bool
	brokers                      string
	extra                        string // more configuration
	files                        string // more configuration of both kinds of files
	environ                      []string
}

// newWorld starts the API with the config and prepares an exporter with all
// three sinks.
func newWorld(t testing.TB, config simulator.Config) *world {
	t.Helper()
	return newWorldOn(t, kafkatest.Broker(t), config)
}

// newWorldOn is newWorld with a broker of its own.
func newWorldOn(t testing.TB, broker *kafkatest.Kafka, config simulator.Config) *world {
	t.Helper()
	config.ClientSecret = secret
	sim, err := simulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	api, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return &world{
		t: t, sim: sim, api: api, broker: broker, dir: t.TempDir(), topic: kafkatest.Unique("leads"),
		parquetOn: true, ndjsonOn: true, kafkaOn: true, brokers: broker.Brokers[0],
	}
}

// writeConfig writes the configuration of the exporter and returns its path.
func (w *world) writeConfig() string {
	w.t.Helper()
	var c strings.Builder
	fmt.Fprintf(&c, `
[ebay]
api-url = %q
token-url = %q
account = %q
marketplace = %q
client-id = "simulator"
include-messages = true

[state]
dir = %q
%s
`, w.api+simulator.LeadsPath, w.api+simulator.TokenPath, account, marketplace, w.path("state"), w.extra)
	if w.parquetOn {
		fmt.Fprintf(&c, "[parquet]\ndir = %q\n%s", w.path("parquet"), w.files)
	}
	if w.ndjsonOn {
		fmt.Fprintf(&c, "[ndjson]\ndir = %q\n%s", w.path("ndjson"), w.files)
	}
	if w.kafkaOn {
		fmt.Fprintf(&c, "[kafka]\nbrokers = [%q]\ntopic = %q\ntransactional-id = %q\npositions-topic = %q\npartitions = 3\nreplication = 1\n",
			w.brokers, w.topic, w.topic, w.topic+"-positions")
	}
	path := w.path("leads-etl.toml")
	if err := os.WriteFile(path, []byte(c.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// result is a finished run of the program.
type result struct {
	code           int
	stdout, stderr string
}

// output is all that a user could have seen.
func (r result) output() string { return r.stdout + r.stderr }

func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, append(args, "--config", w.writeConfig())...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "LEADS_ETL_EBAY_CLIENT_SECRET="+secret, "HOME="+w.dir)
	cmd.Env = append(cmd.Env, w.environ...)
	return cmd
}

// run runs the program to its end.
func (w *world) run(args ...string) result {
	w.t.Helper()
	return w.runFor(-1, args...)
}

// runFor kills the program after that time; a negative time lets it end.
func (w *world) runFor(limit time.Duration, args ...string) result {
	w.t.Helper()
	ctx := context.Background()
	if limit >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	var stdout, stderr bytes.Buffer
	cmd := w.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
	defer stop()
	err := cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		w.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// mustRun runs the program and wants that exit code.
func (w *world) mustRun(code int, args ...string) result {
	w.t.Helper()
	r := w.run(args...)
	if r.code != code {
		w.t.Fatalf("%v: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", args, r.code, code, r.stdout, r.stderr)
	}
	return r
}

// between are the arguments of a batch over the window.
func between(w window.Window) []string {
	return []string{"batch", "--from", w.From.Format(time.RFC3339), "--to", w.To.Format(time.RFC3339)}
}

// wantNoForbiddenRequests asserts that the client kept to the reference.
func (w *world) wantNoForbiddenRequests() {
	w.t.Helper()
	if n := w.sim.Stats().Forbidden; n != 0 {
		w.t.Errorf("%d forbidden requests, such as %q", n, w.sim.Forbidden()[0])
	}
}

// wantNoTemporaryFiles asserts that no run left one behind.
func (w *world) wantNoTemporaryFiles() {
	w.t.Helper()
	for _, dir := range []string{"parquet", "ndjson", "state"} {
		err := filepath.WalkDir(w.path(dir), func(path string, d os.DirEntry, err error) error {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			if err == nil && !d.IsDir() && (strings.HasPrefix(d.Name(), ".") || strings.Contains(d.Name(), ".tmp")) {
				w.t.Errorf("a temporary file is left: %s", path)
			}
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}
