package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// commit is what is checked out, "unknown" outside of a clone.
func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// processor is the name of the CPU, as far as the system tells.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}

// noticed is from when on it is said that others are at work, in percent.
const noticed = 10

// othersAtWork waits for a moment, in which nothing of ours has work to do, and
// returns how busy the machine was in percent; 0 where the system does not tell.
func othersAtWork(ctx context.Context) (float64, error) {
	const moment = 500 * time.Millisecond
	busy, all := ticks()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(moment):
	}
	busyNow, allNow := ticks()
	if allNow <= all {
		return 0, nil
	}
	return 100 * (busyNow - busy) / (allNow - all), nil
}

// ticks are those of all processors since the system started: with work to do, and
// all.
func ticks() (busy, all float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(strings.TrimPrefix(first, "cpu")) {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil || i > 7 { // guests are in user already
			break
		}
		all += n
		if i != 3 && i != 4 { // neither idle nor waiting for the disk
			busy += n
		}
	}
	return busy, all
}
