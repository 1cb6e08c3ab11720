package acceptance

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// quotaEnv sets the calls a day that BenchmarkIdleStream has.
const quotaEnv = "BENCH_QUOTA"

// idlePolls is over how many polls idling is measured.
const idlePolls = 5

// BenchmarkIdleStream measures what a stream costs that knows many leads and finds
// nothing new: calls and CPU time of a poll, resident memory (the median of looks in
// and between polls, the most of them, and what of the median is not the program
// file), and the growth of the journal; and then what it takes to make the store of known leads anew. With
// a million leads, all read again at each poll, or as often as the usual quota
// allows:
//
//	BENCH_LEADS=1000000 go test -run '^$' -bench IdleStream -benchtime 1x -timeout 2h ./cmd/leads-etl/internal/acceptance
//	BENCH_LEADS=1000000 BENCH_QUOTA=5000 go test …
func BenchmarkIdleStream(b *testing.B) {
	leads, quota := 20_000, ampleQuota
	if n, err := strconv.Atoi(os.Getenv(leadsEnv)); err == nil {
		leads = n
	}
	if n, err := strconv.Atoi(os.Getenv(quotaEnv)); err == nil {
		quota = n
	}
	w := streamWorld(b, simulator.Config{Seed: 5, Leads: leads, Listings: max(40, leads/500), DailyQuota: ampleQuota, Clean: true})
	w.kafkaOn, w.parquetOn = false, false
	w.setStream(10*time.Second, quota)
	w.extra = strings.Replace(w.extra, "window = \"240h\"\n", "", 1) // as it usually is
	b.Run("poll", func(b *testing.B) {
		for b.Loop() {
			w.measureIdle(b)
		}
	})
	b.Run("anew", func(b *testing.B) {
		for b.Loop() {
			w.measureAnew(b)
		}
	})
}

// measureIdle runs a stream until it knows all leads, and then measures polls.
func (w *world) measureIdle(b *testing.B) {
	b.Helper()
	r := w.start(nil, "stream")
	// Resident memory differs within a poll and between two, so it is looked at all
	// the time.
	var total, anonymous []float64
	look := time.NewTicker(time.Second)
	defer look.Stop()
	polled := func(n int) {
		for seen := 0; seen < n; {
			lines, more := r.seen()
			seen = 0
			for _, line := range lines {
				if p, ok := pollOf(line); ok && p.clean {
					seen++
				}
			}
			select {
			case <-more:
			case <-look.C:
				total = append(total, statusOf(b, r.cmd.Process.Pid, "VmRSS"))
				anonymous = append(anonymous, statusOf(b, r.cmd.Process.Pid, "RssAnon"))
			case <-r.ended:
				b.Fatalf("it ended\n%s", r.tail())
			}
		}
	}
	polled(1)
	for len(w.readNDJSONLines()) == 0 { // it delivers
		time.Sleep(time.Second)
	}
	polled(3)
	pid := r.cmd.Process.Pid
	before, grown, calls := cpuOf(b, pid), w.sizeOf("state/journal"), w.sim.Stats().Calls
	first, begun := len(r.polls()), time.Now()
	total, anonymous = nil, nil
	polled(first + idlePolls)
	b.ReportMetric(100*(cpuOf(b, pid)-before).Seconds()/time.Since(begun).Seconds(), "core-%")
	b.ReportMetric((cpuOf(b, pid)-before).Seconds()/idlePolls, "cpu-s/poll")
	b.ReportMetric(float64(w.sim.Stats().Calls-calls)/idlePolls, "calls/poll")
	b.ReportMetric(float64(w.sizeOf("state/journal")-grown)/idlePolls, "journal-B/poll")
	b.ReportMetric(median(total), "rss-MiB")
	b.ReportMetric(slices.Max(total), "most-MiB")
	b.ReportMetric(median(anonymous), "anon-MiB")
	b.ReportMetric(statusOf(b, pid, "VmHWM"), "peak-MiB")
	r.terminate(0)
}

// measureAnew removes the store of known leads and measures a run that makes it
// anew, and asserts that it is the same.
func (w *world) measureAnew(b *testing.B) {
	b.Helper()
	sum, stats := w.knownSum(b)
	size := w.sizeOf("state/known")
	if err := os.RemoveAll(w.path("state/known")); err != nil {
		b.Fatal(err)
	}
	cmd := w.command("replay")
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	b.ReportMetric(time.Since(begun).Seconds(), "wall-s")
	b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
	b.ReportMetric(float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)/1024, "peak-MiB")
	b.ReportMetric(float64(size)/(1<<20), "disk-MiB")
	b.ReportMetric(float64(stats.Live), "leads")
	if again, stats := w.knownSum(b); again != sum {
		b.Errorf("the store made anew is another one: %+v", stats)
	}
}

// knownSum is the checksum of the store of known leads. Nothing may run.
func (w *world) knownSum(b *testing.B) (string, known.Stats) {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	j, err := journal.OpenReadOnly(w.path("state"), log)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	flattener := flatten.Flattener{Account: account, Marketplace: marketplace}
	store, err := known.Open(context.Background(), known.Options{
		Dir: w.path("state/known"), Journal: j, Flattener: flattener, Logger: log,
		Pages: deliver.NewReader(j, flattener, deliver.NewDeadLetters(b.TempDir()), log),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if store.Position() != j.End() {
		if err := store.Advance(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	sum, err := store.Sum(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return sum, store.Stats()
}

// readNDJSONLines are the files of events.
func (w *world) readNDJSONLines() []string { return eventFiles(w.ndjsonFiles()) }

func (w *world) sizeOf(name string) int64 {
	w.t.Helper()
	sum := int64(0)
	err := filepath.WalkDir(w.path(name), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return sum
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// cpuOf is the CPU time of a process that runs.
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// statusOf is a size of a process that runs, in MiB.
func statusOf(b *testing.B, pid int, name string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(n) / 1024
		}
	}
	b.Fatalf("no %s", name)
	return 0
}
