package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// namespace begins the names of all metrics.
const namespace = "leads_etl"

// family is one metric: its name, what it says, and the names of its labels.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func counter(name, help string, labels ...string) family {
	return family{prometheus.NewDesc(namespace+"_"+name, help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string, labels ...string) family {
	return family{prometheus.NewDesc(namespace+"_"+name, help, labels, nil), prometheus.GaugeValue}
}

// number is whatever can be counted.
type number interface {
	~int | ~int64 | ~uint64 | ~float64
}

// emit sends one value of the family.
func emit[N number](ch chan<- prometheus.Metric, f family, value N, labels ...string) {
	ch <- prometheus.MustNewConstMetric(f.desc, f.kind, float64(value), labels...)
}

// timestamp is the time as Prometheus wants it; 0 for never.
func timestamp(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// flag is 1 or 0.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
