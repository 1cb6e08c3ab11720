package monitor

import (
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Build is what is running.
type Build struct{ Version, Commit, Go string }

// Monitor is what can be known of one run from outside. It is safe for concurrent
// use. The nil Monitor is one that nobody looks at.
type Monitor struct {
	registry *prometheus.Registry
	subject  prometheus.Labels
	run      atomic.Pointer[collector]
}

// New returns the Monitor of a run for the account on the marketplace, which are
// labels of all that it tells but of the process.
func New(build Build, account, marketplace string) *Monitor {
	m := &Monitor{
		registry: prometheus.NewRegistry(),
		subject:  prometheus.Labels{"account": account, "marketplace": marketplace},
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "What is running; always 1.",
		ConstLabels: prometheus.Labels{"version": build.Version, "revision": build.Commit, "goversion": build.Go},
	})
	info.Set(1)
	m.registry.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	prometheus.WrapRegistererWith(m.subject, m.registry).MustRegister((*forward)(m))
	return m
}

// Watch makes look the source of what is told from now on. It is called whenever
// somebody asks, concurrently, also after the run has ended.
func (m *Monitor) Watch(look func() Snapshot) {
	if m != nil {
		m.run.Store(&collector{look})
	}
}

// forward collects from what is watched, if anything is yet.
type forward Monitor

// Describe implements prometheus.Collector: as collector, it is unchecked.
func (f *forward) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f *forward) Collect(ch chan<- prometheus.Metric) {
	if c := f.run.Load(); c != nil {
		c.Collect(ch)
		return
	}
	emit(ch, ready, 0)
}

// unready is why the run is not ready, nothing if it is.
func (m *Monitor) unready() string {
	c := m.run.Load()
	if c == nil {
		return "starting: the state folder is being read"
	}
	s := c.look()
	return strings.Join(s.unready(), "\n")
}
