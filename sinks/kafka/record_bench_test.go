package kafka

import (
	"testing"

	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// BenchmarkRecord makes records of rows, without sending them.
func BenchmarkRecord(b *testing.B) {
	rows := sinktest.Leads(sinktest.Day, 0, 1_000)
	m := newRecordMaker(testBinding, false)
	b.ReportAllocs()
	for b.Loop() {
		for i := range rows {
			if _, err := m.of(&rows[i]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
}
