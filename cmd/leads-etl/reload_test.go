package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline"
)

// tuned is a stream that notes how it is reconfigured.
type tuned struct {
	mu      sync.Mutex
	configs []pipeline.StreamConfig
}

func (s *tuned) Reconfigure(c pipeline.StreamConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configs = append(s.configs, c)
}

func (s *tuned) taken() []pipeline.StreamConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.configs)
}

// reloading is a stream's command line with a file that tests change, under a
// clock that stands still.
type reloading struct {
	t       *testing.T
	file    string
	stream  tuned
	log     lockedBuffer
	console *console
	hangups chan os.Signal
}

// steady is what the files of the tests begin with.
const steady = `mode = "stream"
[ebay]
marketplace = "EBAY_DE"
client-id = "id"
[ndjson]
dir = "out"
`

// startReloader begins to watch, until the test's bubble ends.
func startReloader(t *testing.T, environ []string, content string, args ...string) *reloading {
	r := &reloading{t: t, file: filepath.Join(t.TempDir(), "stream.toml"), hangups: make(chan os.Signal)}
	r.write(content)
	r.console = &console{err: progress.NewScreen(&r.log), level: new(slog.LevelVar)}
	environ = append(environ, "LEADS_ETL_EBAY_CLIENT_SECRET=hush")
	args = append([]string{"run", "--config", r.file}, args...)
	reread := func() (*commandLine, error) { return parse(args, environ, r.console, readBuild()) }
	line, err := reread()
	if err != nil {
		t.Fatal(err)
	}
	r.console.configure(&line.grammar, line.levelSet)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	watcher := &reloader{process: &process{console: r.console, line: line, reread: reread}, running: &r.stream}
	go func() {
		defer close(done)
		watcher.watch(ctx, r.hangups)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	synctest.Wait()
	return r
}

// write gives the file new content, of another modification time.
func (r *reloading) write(content string) {
	r.t.Helper()
	if err := os.WriteFile(r.file, []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Chtimes(r.file, time.Now(), time.Now()); err != nil {
		r.t.Fatal(err)
	}
}

// after returns what was logged within so long.
func (r *reloading) after(d time.Duration) string {
	time.Sleep(d)
	synctest.Wait()
	return r.log.take()
}

// lockedBuffer is written to by one goroutine and taken from by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// take returns what was written since the last call.
func (l *lockedBuffer) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

// What can be put in force without a restart is, within five seconds of the
// change, and nothing happens while nothing changes.
func TestChangedFileIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startReloader(t, nil, steady)
		if log := r.after(time.Hour); log != "" || len(r.stream.taken()) > 0 {
			t.Errorf("nothing changed, but: %s", log)
		}
		r.write(steady + "[stream]\ninterval = \"10s\"\nlookback = \"7d\"\n[log]\nlevel = \"debug\"\n")
		log := r.after(lookEvery)
		if !strings.Contains(log, `level=INFO msg="the configuration was read again" changed="[stream] interval, [stream] lookback, [log] level"`) || strings.Count(log, "\n") != 1 {
			t.Errorf("logged: %s", log)
		}
		want := pipeline.StreamConfig{Interval: 10 * time.Second, Settle: 2 * time.Minute, Lookback: 7 * config.Day, DrainTimeout: 30 * time.Second}
		if got := r.stream.taken(); len(got) != 1 || got[0] != want {
			t.Errorf("reconfigured: %v", got)
		}
		if !r.console.log.Enabled(t.Context(), slog.LevelDebug) {
			t.Error("the level of the log is as before")
		}

		r.write(steady) // and back
		if log := r.after(lookEvery); !strings.Contains(log, "[stream] interval, [stream] lookback, [log] level") {
			t.Errorf("logged: %s", log)
		}
		if got := r.stream.taken(); len(got) != 2 || got[1].Interval != time.Minute || r.console.log.Enabled(t.Context(), slog.LevelDebug) {
			t.Errorf("reconfigured: %v", got)
		}
	})
}

// A flag wins over the file, also over the changed one.
func TestFlagsStayInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startReloader(t, []string{"LEADS_ETL_STREAM_SETTLE=1m"}, steady, "--interval=3s", "--verbose")
		r.write(steady + "[stream]\ninterval = \"10s\"\nsettle = \"10s\"\n[log]\nlevel = \"error\"\n")
		if log := r.after(lookEvery); !strings.Contains(log, `changed="[log] level"`) {
			t.Errorf("logged: %s", log)
		}
		if got := r.stream.taken(); len(got) != 1 || got[0].Interval != 3*time.Second || got[0].Settle != time.Minute {
			t.Errorf("reconfigured: %v", got)
		}
		if !r.console.log.Enabled(t.Context(), slog.LevelDebug) {
			t.Error("--verbose is out of force")
		}
	})
}

// A file with problems changes nothing; each is logged, without secrets, and once.
func TestBadFileIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startReloader(t, nil, steady)
		r.write(steady + "[stream]\ninterval = \"soon\"\nsetle = \"1m\"\n[kafka]\nbrokers = []\nsasl-password = \"secret\"\n")
		log := r.after(lookEvery)
		for _, want := range []string{"stream.toml:8: [stream] interval: ", "stream.toml:9: [stream] setle: unknown key", "stream.toml:12: [kafka] sasl-password: "} {
			if !strings.Contains(log, want) {
				t.Errorf("not logged: %s\n%s", want, log)
			}
		}
		if strings.Count(log, "level=ERROR") != 3 || strings.Contains(log, `"secret"`) || len(r.stream.taken()) > 0 {
			t.Errorf("logged: %s, reconfigured %v", log, r.stream.taken())
		}
		if log := r.after(time.Hour); log != "" {
			t.Errorf("logged again: %s", log)
		}
		if err := os.Remove(r.file); err != nil {
			t.Fatal(err)
		}
		if log := r.after(lookEvery); !strings.Contains(log, "there is no such file") || len(r.stream.taken()) > 0 {
			t.Errorf("logged: %s", log)
		}
		r.write(steady + "[stream]\ninterval = \"10s\"\n")
		if r.after(lookEvery); len(r.stream.taken()) != 1 {
			t.Error("mended, but not taken up")
		}
	})
}

// What needs a restart is named once, and never shown.
func TestRestartIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startReloader(t, nil, steady)
		const other = steady + "compression = \"none\"\n[state]\ndir = \"private\"\n[log]\nformat = \"json\"\n"
		r.write(other)
		log := r.after(lookEvery)
		if !strings.Contains(log, `settings="[state] dir, [ndjson] compression, [log] format"`) || strings.Count(log, "\n") != 1 || strings.Contains(log, "private") {
			t.Errorf("logged: %s", log)
		}
		if len(r.stream.taken()) > 0 {
			t.Errorf("reconfigured: %v", r.stream.taken())
		}
		r.write(other + "level = \"warn\"\n")
		if log := r.after(lookEvery); log != "" { // at this level the change itself is not told
			t.Errorf("told again: %s", log)
		}
		r.write(other + "level = \"warn\"\n[fetch]\nconcurrency = 8\n")
		if log := r.after(lookEvery); !strings.Contains(log, `settings="[fetch] concurrency"`) {
			t.Errorf("logged: %s", log)
		}
	})
}

// SIGHUP has the file read at once, and is answered.
func TestHangupReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startReloader(t, nil, steady)
		r.hangups <- syscall.SIGHUP
		if log := r.after(0); !strings.Contains(log, "changed=nothing") || len(r.stream.taken()) > 0 {
			t.Errorf("logged: %s", log)
		}
		r.write(steady + "[stream]\ninterval = \"10s\"\n")
		r.hangups <- syscall.SIGHUP
		if log := r.after(0); !strings.Contains(log, `changed="[stream] interval"`) || len(r.stream.taken()) != 1 {
			t.Errorf("logged: %s", log)
		}
		if log := r.after(time.Hour); log != "" {
			t.Errorf("read again: %s", log)
		}
	})
}

// On a terminal, where the log is silent, a reload is told all the same.
func TestReloadOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startReloader(t, nil, steady)
		r.console.live = true
		r.console.level.Set(slog.LevelWarn)
		r.write(steady + "[stream]\ninterval = \"10s\"\n")
		if got, want := r.after(lookEvery), "leads-etl: the configuration was read again, and changes: [stream] interval\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
