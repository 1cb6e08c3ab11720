package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// simulated is the stand-in for the API, in a process of its own.
type simulated struct {
	url string
	cmd *exec.Cmd
}

// answersKept is the memory for ready answers in bytes: what is asked for again
// costs the simulator next to nothing, and so does not slow those down who ask.
const answersKept = 1 << 30

var urlForm = regexp.MustCompile(`http://[0-9.]+:[0-9]+`)

// simulate starts the simulator with that many leads, all of them tidy: a
// program with fixed types would fail at a misfit, where leads-etl would not.
func simulate(ctx context.Context, binary string, leads int) (*simulated, error) {
	cmd := exec.CommandContext(ctx, binary, "simulate", "--addr", "127.0.0.1:0", "--clean", "--seed", "3",
		"--leads", strconv.Itoa(leads), "--from", rangeFrom.Format(time.RFC3339), "--to", rangeTo.Format(time.RFC3339),
		"--client-id", clientID, "--client-secret", clientSecret, "--cache-bytes", strconv.Itoa(answersKept))
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	s := &simulated{cmd: cmd}
	lines := bufio.NewScanner(out)
	for s.url == "" && lines.Scan() {
		s.url = urlForm.FindString(lines.Text())
	}
	if s.url == "" {
		return nil, fmt.Errorf("the simulator did not say where it listens: %w", cmd.Wait())
	}
	go func() {
		for lines.Scan() { // so that it is never held up
		}
	}()
	return s, nil
}

func (s *simulated) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = s.cmd.Wait()
}
