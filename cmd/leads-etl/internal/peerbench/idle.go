package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"
)

// Names of the figures of an idle stream in the samples.
const (
	idleCore   = "core_percent"
	idleMemory = "rss_mb"
)

// dailyCalls is eBay's usual quota: how often known leads are read again, which is
// what an idle stream does, follows from it.
const dailyCalls = 5000

var benchMetric = regexp.MustCompile(`([0-9.e+-]+) (core-%|rss-MiB|peak-MiB|calls/poll|cpu-s/poll)`)

// idleStream runs the acceptance tests' benchmark of an idle stream.
func (b *bench) idleStream(ctx context.Context) (report.Sample, facts, error) {
	program := b.path("acceptance.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, "github.com/leads-etl/leads-etl/cmd/leads-etl/internal/acceptance")
	if out, err := build.CombinedOutput(); err != nil {
		return report.Sample{}, nil, fmt.Errorf("building the benchmark of an idle stream: %w\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, program, "-test.run", "^$", "-test.bench", "^BenchmarkIdleStream$/^poll$", "-test.benchtime", "1x", "-test.timeout", "3h")
	// It starts the stream, which has to end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	cmd.Env = append(os.Environ(), fmt.Sprintf("BENCH_LEADS=%d", b.leads), fmt.Sprintf("BENCH_QUOTA=%d", dailyCalls),
		"LEADS_ETL_TEST_KAFKA="+b.broker.seeds()) // so that no second broker is started
	out, err := cmd.CombinedOutput()
	if err != nil {
		return report.Sample{}, nil, fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	figures := make(map[string]float64)
	for _, m := range benchMetric.FindAllSubmatch(out, -1) {
		if figures[string(m[2])], err = strconv.ParseFloat(string(m[1]), 64); err != nil {
			return report.Sample{}, nil, fmt.Errorf("the benchmark of an idle stream: %w", err)
		}
	}
	const mebibyte = 1.048576 // in MB
	s := report.Sample{Leads: b.leads, PeakMB: figures["peak-MiB"] * mebibyte}
	s.More = map[string]float64{
		idleCore: figures["core-%"], idleMemory: figures["rss-MiB"] * mebibyte,
		"calls_per_poll": figures["calls/poll"], "cpu_seconds_per_poll": figures["cpu-s/poll"],
	}
	if s.More[idleMemory] == 0 {
		return report.Sample{}, nil, fmt.Errorf("the benchmark of an idle stream told no memory:\n%s", out)
	}
	return s, nil, nil
}
