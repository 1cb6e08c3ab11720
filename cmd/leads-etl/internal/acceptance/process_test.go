package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come: far longer than it takes
// on a busy machine.
const patience = 90 * time.Second

// logLine is one line that the program wrote to stderr: of the log, or, with only
// Text, a notice.
type logLine struct {
	Time    time.Time `json:"time"`
	Message string    `json:"msg"`
	Took    string    `json:"took"`
	Pages   int64     `json:"pages_landed"`
	Gaps    int64     `json:"gaps"`
	Until   time.Time `json:"until"`
	Text    string    `json:"-"`
}

// running is the program at work. Its methods are for one goroutine.
type running struct {
	t      testing.TB
	cmd    *exec.Cmd
	stdout bytes.Buffer
	ended  chan struct{}

	mu    sync.Mutex
	lines []logLine
	more  chan struct{} // closed when there are more lines
}

// start runs the program with its log as lines of JSON. What watch is given, if
// not nil, is each line as it comes, in another goroutine.
func (w *world) start(watch func(*running, logLine), args ...string) *running {
	w.t.Helper()
	return w.startCommand(watch, w.command(append(args, "--verbose", "--log-format=json")...))
}

func (w *world) startCommand(watch func(*running, logLine), cmd *exec.Cmd) *running {
	w.t.Helper()
	r := &running{t: w.t, cmd: cmd, ended: make(chan struct{}), more: make(chan struct{})}
	cmd.Stdout = &r.stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		lines := bufio.NewReader(stderr)
		for {
			text, err := lines.ReadString('\n')
			if text != "" {
				line := logLine{Text: strings.TrimSpace(text)}
				_ = json.Unmarshal([]byte(text), &line) // a notice is no JSON
				r.add(line)
				if watch != nil {
					watch(r, line)
				}
			}
			if err != nil {
				break
			}
		}
		_ = cmd.Wait() // the exit code tells
	}()
	w.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended, unless the test failed
		<-r.ended
	})
	return r
}

func (r *running) add(line logLine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
	close(r.more)
	r.more = make(chan struct{})
}

// seen returns the lines so far, and a channel that is closed when there are more.
func (r *running) seen() ([]logLine, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines, r.more
}

// await returns the first line that matches, from now on or before.
func (r *running) await(what string, match func(logLine) bool) logLine {
	r.t.Helper()
	deadline := time.After(patience)
	for next := 0; ; {
		lines, more := r.seen()
		for ; next < len(lines); next++ {
			if match(lines[next]) {
				return lines[next]
			}
		}
		select {
		case <-more:
		case <-r.ended:
			if lines, _ := r.seen(); next == len(lines) {
				r.t.Fatalf("it ended before %s, with exit code %d\n%s", what, r.cmd.ProcessState.ExitCode(), r.tail())
			}
		case <-deadline:
			r.t.Fatalf("no %s after %s\n%s", what, patience, r.tail())
		}
	}
}

// awaitPoll waits for a poll that began after the moment, found no gap, and has
// ended.
func (r *running) awaitPoll(after time.Time) {
	r.t.Helper()
	r.await("a poll", func(line logLine) bool {
		p, ok := pollOf(line)
		return ok && p.clean && p.begun.After(after)
	})
}

// kill ends the program as kill -9 does.
func (r *running) kill() { _ = r.cmd.Process.Kill() } // it may have ended just now

// signal sends a signal; the program may have ended before.
func (r *running) signal(s os.Signal) {
	if err := r.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.t.Fatal(err)
	}
}

// wait waits for the end and returns the exit code, -1 if a signal was the end.
func (r *running) wait(limit time.Duration) int {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(limit):
		r.signal(syscall.SIGQUIT) // the stacks of all goroutines tell what it is at
		select {
		case <-r.ended:
		case <-time.After(5 * time.Second):
			r.kill()
			<-r.ended
		}
		r.t.Fatalf("it did not end within %s\n%s", limit, r.tail())
	}
	return r.cmd.ProcessState.ExitCode()
}

// terminate ends the program by SIGTERM and wants that exit code.
func (r *running) terminate(code int) {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	if got := r.wait(patience); got != code {
		r.t.Fatalf("exit code %d after SIGTERM, want %d\n%s%s", got, code, r.tail(), r.stdout.String())
	}
}

// tail is the end of what it said.
func (r *running) tail() string {
	lines, _ := r.seen()
	var out strings.Builder
	for _, line := range lines[max(0, len(lines)-60):] {
		fmt.Fprintf(&out, "%.600s\n", line.Text)
	}
	return out.String()
}

// output is all that a user could have seen.
func (r *running) output() string {
	lines, _ := r.seen()
	var out strings.Builder
	for _, line := range lines {
		out.WriteString(line.Text + "\n")
	}
	return out.String() + r.stdout.String()
}

// poll is one that came to its end.
type poll struct {
	begun, ended time.Time
	// clean says that it read all that it wanted to.
	clean bool
}

// pollSlack is by how much what a poll counts on may be older than it seems to be.
// What was read less than half an interval before is not read again (schedule.Plan):
// by the poll that a kill ended, as the next one begins at once. And the line is
// written after the time that it tells was measured.
const pollSlack = streamInterval/2 + 200*time.Millisecond

func pollOf(line logLine) (poll, bool) {
	took, err := time.ParseDuration(line.Took)
	if line.Message != "polled" || err != nil {
		return poll{}, false
	}
	return poll{begun: line.Time.Add(-took - pollSlack), ended: line.Time, clean: line.Gaps == 0}, true
}

// polls are those so far.
func (r *running) polls() []poll {
	lines, _ := r.seen()
	var all []poll
	for _, line := range lines {
		if p, ok := pollOf(line); ok {
			all = append(all, p)
		}
	}
	return all
}
