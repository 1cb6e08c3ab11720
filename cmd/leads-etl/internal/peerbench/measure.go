package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"
)

// own is what a contender may say of itself on the last line of its output, as
// JSON: what starting up took is then left out of its figures.
type own struct {
	Version string  `json:"version"`
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"`
}

// measure runs a command to its end. What others left to be written to the disk
// is written before. The output is returned, too.
//
// Peak memory is the kernel's ru_maxrss. It cannot be less than what this process
// took when it started the command, which is why this process is kept small and
// everything large runs in others.
func measure(cmd *exec.Cmd) (report.Sample, []byte, error) {
	var begun time.Time
	return measureStarted(cmd, &begun)
}

// measureStarted is measure that also tells when the process was started.
func measureStarted(cmd *exec.Cmd, begun *time.Time) (report.Sample, []byte, error) {
	syscall.Sync()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &tail{into: &stderr}
	*begun = time.Now()
	err := cmd.Run()
	took := time.Since(*begun)
	if err != nil {
		return report.Sample{}, nil, fmt.Errorf("%s: %w\n%s%s", cmd, err, stderr.String(), lastLine(stdout.Bytes()))
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return report.Sample{}, nil, errors.New("this system does not tell what a process used")
	}
	s := report.Sample{
		Seconds: took.Seconds(),
		CPU:     (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(),
		PeakMB:  float64(usage.Maxrss) * maxrssUnit / 1e6,
	}
	var told own
	if json.Unmarshal(lastLine(stdout.Bytes()), &told) == nil {
		if told.Seconds > 0 {
			s.Seconds = told.Seconds
		}
		if told.CPU > 0 {
			s.CPU = told.CPU
		}
	}
	return s, stdout.Bytes(), nil
}

// told runs a command that answers with JSON on its last line.
func told(cmd *exec.Cmd, into any) error {
	var stderr bytes.Buffer
	cmd.Stderr = &tail{into: &stderr}
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, stderr.String())
	}
	if err := json.Unmarshal(lastLine(out), into); err != nil {
		return fmt.Errorf("%s: its answer: %w", cmd, err)
	}
	return nil
}

func lastLine(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[bytes.LastIndexByte(out, '\n')+1:]
}

// tail keeps the last of what is written.
type tail struct{ into *bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	t.into.Write(p)
	if extra := t.into.Len() - most; extra > 0 {
		t.into.Next(extra)
	}
	return len(p), nil
}

// self returns a command that runs this program as one of its children.
func self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, path, args...), nil
}

// say prints a line of progress.
func say(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
