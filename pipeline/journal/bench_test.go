package journal

import (
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

// pageBytes is about what a page of some fifty leads takes as received.
const pageBytes = 40_000

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 8} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var files countedFiles
			j := open(b, b.TempDir(), Options{files: &files})
			r := Record{Page: pageOf("b", 1, pageBytes)}
			b.SetBytes(pageBytes)
			b.ReportAllocs()
			b.ResetTimer()
			files.syncs.Store(0)
			var g errgroup.Group
			var n atomic.Int64
			for range writers {
				g.Go(func() error {
					for n.Add(1) <= int64(b.N) {
						if _, err := j.Append(background, r); err != nil {
							return err
						}
					}
					return nil
				})
			}
			if err := g.Wait(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/float64(files.syncs.Load()), "appends/sync")
		})
	}
}

// countedFiles is the file system, and counts the syncs of files.
type countedFiles struct {
	osFiles
	syncs atomic.Int64
}

func (c *countedFiles) create(path string) (segmentFile, error) {
	f, err := c.osFiles.create(path)
	return countedFile{f, c}, err
}

func (c *countedFiles) open(path string) (segmentFile, error) {
	f, err := c.osFiles.open(path)
	return countedFile{f, c}, err
}

type countedFile struct {
	segmentFile
	files *countedFiles
}

func (f countedFile) Sync() error {
	f.files.syncs.Add(1)
	return f.segmentFile.Sync()
}

// filled returns a journal of n pages that is closed.
func filled(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	j := open(b, dir, Options{files: unsynced{}})
	for i := range n {
		appendAll(b, j, Record{Page: pageOf("b", i, pageBytes)})
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

func BenchmarkOpen(b *testing.B) {
	const pages = 5000
	dir := filled(b, pages)
	b.ReportAllocs()
	for b.Loop() {
		if err := open(b, dir, Options{}).Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pages, "ns/page")
}

func BenchmarkPage(b *testing.B) {
	const pages = 500
	j := open(b, filled(b, pages), Options{})
	b.SetBytes(pageBytes)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := j.Page(Seq(i % pages)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkRecords(b *testing.B) {
	const pages = 1000
	j := open(b, filled(b, pages), Options{})
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range j.Records(background, 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pages, "ns/page")
}

func BenchmarkVerify(b *testing.B) {
	const pages = 1000
	dir := filled(b, pages)
	b.SetBytes(pages * pageBytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Verify(background, dir); err != nil {
			b.Fatal(err)
		}
	}
}
