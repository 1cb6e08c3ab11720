package kafka

import (
	"fmt"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// BenchmarkWrite writes rows of a bit more than a kilobyte to three partitions of
// the broker, which runs on the same machine: in transactions, and the same rows
// without.
func BenchmarkWrite(b *testing.B) {
	k := kafkatest.Broker(b)
	rows := sinktest.Leads(sinktest.Day, 0, 10_000)
	for _, bm := range []struct {
		delivery, compression string
		rows                  int
	}{
		{ExactlyOnce, "snappy", 10_000},
		{AtLeastOnce, "snappy", 10_000},
		{ExactlyOnce, "none", 10_000},
		{ExactlyOnce, "zstd", 10_000},
		{ExactlyOnce, "snappy", 1_000},
		{ExactlyOnce, "snappy", 100},
	} {
		b.Run(fmt.Sprintf("%s/%s/%d", bm.delivery, bm.compression, bm.rows), func(b *testing.B) {
			c := unique(k)
			c.Delivery, c.Compression = bm.delivery, bm.compression
			s, err := Open(b.Context(), c, testBinding, quiet())
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			next := journal.Seq(0)
			for b.Loop() {
				next++
				if err := write(b.Context(), s, rows[:bm.rows], deliver.Position{Journal: journalID, Next: next}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(next)*float64(bm.rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
