package parquet

import (
	"io"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// BenchmarkEncode encodes 25,000 leads of about 1.1 kB, a row group, into one
// file. MB/s are those of the same rows as JSON text.
func BenchmarkEncode(b *testing.B) {
	rows := sinktest.Leads(sinktest.Day, 0, 25_000)
	size := 0
	var line []byte
	for i := range rows {
		line, _ = schema.AppendJSON(line[:0], &rows[i])
		size += len(line) + 1
	}
	for _, compression := range compressions {
		b.Run(compression, func(b *testing.B) {
			c := DefaultConfig("")
			c.Compression = compression
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				e := begin(b, c, io.Discard)
				if _, err := e.Write(rows); err != nil {
					b.Fatal(err)
				}
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
