package simulator

import (
	"io"
	"testing"
)

// BenchmarkWindow makes the body of a window of a thousand leads. Its
// compression should be most of the cost.
func BenchmarkWindow(b *testing.B) {
	s, err := New(Config{Leads: 1000, From: epoch, To: epoch.Add(day)})
	if err != nil {
		b.Fatal(err)
	}
	refs := s.world.sel(nil, selection{from: 0, to: s.cfg.To.Unix(), listing: -1})
	run := func(b *testing.B, out func() io.WriteCloser) {
		b.ReportAllocs()
		for b.Loop() {
			w := out()
			body := body{leads: refs, total: len(refs), messages: true}
			body.writeTo(s.world, w)
			w.Close()
		}
		b.ReportMetric(float64(b.N*len(refs))/b.Elapsed().Seconds(), "leads/s")
	}
	b.Run("plain", func(b *testing.B) { run(b, func() io.WriteCloser { return nopCloser{io.Discard} }) })
	b.Run("gzip", func(b *testing.B) { run(b, func() io.WriteCloser { return gzipWriter(io.Discard) }) })
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
