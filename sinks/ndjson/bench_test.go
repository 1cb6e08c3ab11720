package ndjson

import (
	"io"
	"testing"

	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// BenchmarkEncode encodes 20,000 leads of about 1.1 kB into one file. MB/s are
// those of the JSON text.
func BenchmarkEncode(b *testing.B) {
	rows := sinktest.Leads(sinktest.Day, 0, 20_000)
	plain := DefaultConfig("")
	plain.Compression = None
	size := len(encode(b, plain, rows, func() int { return len(rows) })[0])
	for _, compression := range compressions {
		b.Run(compression, func(b *testing.B) {
			c := DefaultConfig("")
			c.Compression = compression
			f, err := format(c)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				e, err := f.Encode(io.Discard)
				if err != nil {
					b.Fatal(err)
				}
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
