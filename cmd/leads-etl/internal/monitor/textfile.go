package monitor

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Run is how a command ended.
type Run struct {
	Command      string
	Begun, Ended time.Time
	ExitCode     int
	// Only says that nothing else is to be written of it: what a stream did can be
	// asked while it runs, and would be counted twice.
	Only bool
}

// The metrics of the last run of each command. They are in files only: a process
// that can be asked has not ended.
var (
	runExit    = gauge("run_exit_code", "Exit code of the last run.", "command")
	runEnd     = gauge("run_end_timestamp_seconds", "When the last run ended.", "command")
	runTook    = gauge("run_duration_seconds", "How long the last run took.", "command")
	runSuccess = gauge(lastSuccess, "When a run ended with exit code 0 last; 0 if none has.", "command")
)

const lastSuccess = "run_last_success_timestamp_seconds"

// fleeting are metrics that say nothing about a run that has ended.
var fleeting = []string{namespace + "_ready", namespace + "_stream_phase"}

// Describe implements prometheus.Collector: it is unchecked.
func (r Run) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (r Run) Collect(ch chan<- prometheus.Metric) {
	emit(ch, runExit, r.ExitCode, r.Command)
	emit(ch, runEnd, timestamp(r.Ended), r.Command)
	emit(ch, runTook, r.Ended.Sub(r.Begun).Seconds(), r.Command)
	success := time.Time{}
	if r.ExitCode == 0 {
		success = r.Ended
	}
	emit(ch, runSuccess, timestamp(success), r.Command)
}

// WriteFile replaces the file by one that tells of the run and of what was
// watched. It goes on with what the file says of earlier runs: counters count on,
// the last success stays, and so does what this run knows nothing of. It says
// whether there was a file that had to be passed over, since it cannot be read.
func (m *Monitor) WriteFile(path string, r Run) (damaged, err error) {
	earlier, damaged := readFile(path)
	registry := prometheus.NewRegistry()
	labelled := prometheus.WrapRegistererWith(m.subject, registry)
	labelled.MustRegister(r)
	if c := m.run.Load(); c != nil && !r.Only {
		labelled.MustRegister(c)
	}
	families, err := registry.Gather()
	if err != nil {
		return damaged, fmt.Errorf("gathering metrics: %w", err)
	}
	families = slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return slices.Contains(fleeting, f.GetName()) })
	merged := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return merge(earlier, families), nil })
	if err := prometheus.WriteToTextfile(path, merged); err != nil {
		return damaged, fmt.Errorf("writing metrics: %w", err)
	}
	return damaged, nil
}

// readFile reads what an earlier run wrote.
func readFile(path string) (map[string]*dto.MetricFamily, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		return nil, err // not what was read up to there, which need not be whole
	}
	return families, nil
}

// merge adds to the families what the earlier ones have besides.
func merge(earlier map[string]*dto.MetricFamily, families []*dto.MetricFamily) []*dto.MetricFamily {
	all := maps.Clone(earlier)
	if all == nil {
		all = make(map[string]*dto.MetricFamily)
	}
	for _, now := range families {
		if before := all[now.GetName()]; before != nil && before.GetType() == now.GetType() {
			now.Metric = goOn(before.Metric, now.Metric, now.GetName() == namespace+"_"+lastSuccess)
		}
		all[now.GetName()] = now
	}
	names := slices.Sorted(maps.Keys(all))
	merged := make([]*dto.MetricFamily, 0, len(names))
	for _, name := range names {
		merged = append(merged, all[name])
	}
	return merged
}

// goOn lets counters count on, keeps the greater of gauges that only rise, and
// adds what there is no new value of.
func goOn(before, now []*dto.Metric, rises bool) []*dto.Metric {
	byLabels := make(map[string]*dto.Metric, len(now))
	for _, m := range now {
		byLabels[labelsOf(m)] = m
	}
	for _, old := range before {
		m := byLabels[labelsOf(old)]
		switch {
		case m == nil:
			now = append(now, old)
		case m.Counter != nil && old.Counter != nil:
			*m.Counter.Value += old.Counter.GetValue()
		case rises && m.Gauge != nil && old.Gauge != nil:
			*m.Gauge.Value = max(m.Gauge.GetValue(), old.Gauge.GetValue())
		}
	}
	return now
}

func labelsOf(m *dto.Metric) string {
	pairs := make([]string, 0, len(m.Label))
	for _, l := range m.Label {
		pairs = append(pairs, l.GetName()+"\x00"+l.GetValue())
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\x00")
}
