package acceptance

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// leadsEnv sets how many leads BenchmarkExport exports.
const leadsEnv = "BENCH_LEADS"

// BenchmarkExport measures the program as a process: first a batch over HTTP into
// all three sinks, then replays of what is landed into each sink alone and into
// all together. It reports leads a second, CPU time a lead, and the peak of the
// resident memory. With a million leads:
//
//	BENCH_LEADS=1000000 go test -run '^$' -bench Export -benchtime 1x ./cmd/leads-etl/internal/acceptance
func BenchmarkExport(b *testing.B) {
	leads := benchLeads()
	w := newWorld(b, simulator.Config{Seed: 3, Leads: leads, From: september, To: november})
	w.extra = "[log]\nlevel = \"warn\"\n"
	b.Run("batch/all", func(b *testing.B) { w.measure(b, leads, between(w.sim.Range())...) })
	for _, c := range []struct {
		name                   string
		parquet, ndjson, kafka bool
	}{
		{"replay/parquet", true, false, false},
		{"replay/ndjson", false, true, false},
		{"replay/parquet+ndjson", true, true, false},
		{"replay/kafka", false, false, true},
		{"replay/all", true, true, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			w.parquetOn, w.ndjsonOn, w.kafkaOn = c.parquet, c.ndjson, c.kafka
			w.measure(b, leads, "replay")
		})
	}
}

// benchLeads is how many leads benchmarks export.
func benchLeads() int {
	if n, err := strconv.Atoi(os.Getenv(leadsEnv)); err == nil {
		return n
	}
	return 20_000
}

// measure runs the program with fresh outputs.
func (w *world) measure(b *testing.B, leads int, args ...string) {
	b.Helper()
	var wall, cpu time.Duration
	var peak int64
	for b.Loop() {
		b.StopTimer()
		for _, dir := range []string{"parquet", "ndjson"} {
			if err := os.RemoveAll(w.path(dir)); err != nil {
				b.Fatal(err)
			}
		}
		w.topic = kafkatest.Unique("bench")
		cmd := w.command(args...)
		cmd.Stderr = os.Stderr
		b.StartTimer()
		begun := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		wall += time.Since(begun)
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		peak = max(peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	n := float64(leads) * float64(b.N)
	b.ReportMetric(n/wall.Seconds(), "leads/s")
	b.ReportMetric(cpu.Seconds()*1e6/n, "cpu-µs/lead")
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}
