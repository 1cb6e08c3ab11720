package base_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// BenchmarkPrune makes the base of a journal of many leads, each landed once, and
// then the next one, after one in a hundred was landed again and has changed.
// LEADS says how many, 20,000 if it does not. Run it with -benchtime=1x.
func BenchmarkPrune(b *testing.B) {
	leads := 20_000
	if n, err := strconv.Atoi(os.Getenv("LEADS")); err == nil {
		leads = n
	}
	for b.Loop() {
		dir := b.TempDir()
		j, err := journal.Open(dir, journal.Options{Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}})
		if err != nil {
			b.Fatal(err)
		}
		land(b, j, journal.Record{Begin: &journal.Begin{ID: "s", Spec: "stream", Stream: true}})
		for first := 0; first < leads; first += perPage {
			land(b, j, journal.Record{Page: page(b, first, 0)})
		}
		logger := slog.New(slog.DiscardHandler)
		whole := sizeOf(b, filepath.Join(dir, "journal"))
		for i, name := range []string{"first", "next"} {
			if i > 0 {
				for first := 0; first < leads; first += 100 * perPage {
					land(b, j, journal.Record{Page: page(b, first, 1)})
				}
			}
			if j.Close() != nil {
				b.Fatal("closing")
			}
			// Whatever is appended next begins a segment.
			if j, err = journal.Open(dir, journal.Options{Identity: j.Identity(), SegmentBytes: 1}); err != nil {
				b.Fatal(err)
			}
			n := land(b, j, journal.Record{Gap: &journal.Gap{}})
			s, err := base.Open(j, flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}, logger)
			if err != nil {
				b.Fatal(err)
			}
			begun := time.Now()
			if err := s.Prune(b.Context(), n, nil); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(begun).Seconds(), name+"-s")
			b.ReportMetric(float64(sizeOf(b, j.Base()))/1e6, name+"-base-MB")
			b.ReportMetric(peakMemory(b), name+"-peak-MB")
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(whole)/1e6, "journal-MB")
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

const perPage = 4_000

func land(b *testing.B, j *journal.Journal, r journal.Record) journal.Seq {
	b.Helper()
	seq, err := j.Append(b.Context(), r)
	if err != nil {
		b.Fatal(err)
	}
	return seq
}

// page is an answer of leads[first:], four a second.
func page(b *testing.B, first, version int) *journal.Page {
	b.Helper()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(lead int) time.Time { return begin.Add(time.Duration(lead/4) * time.Second) }
	rng := rand.New(rand.NewPCG(uint64(first), 1))
	var body bytes.Buffer
	gz := gzip.NewWriter(&body)
	fmt.Fprint(gz, `{"classifiedLeads":[`)
	for i := range perPage {
		lead := first + i
		if i > 0 {
			fmt.Fprint(gz, ",")
		}
		fmt.Fprintf(gz, `{"itemId":"%d","listingTitle":"Car %d","responses":[{"submittedTime":"%s","leadStatus":"V%d","userId":"user%d","email":"%x@example.com","externalEmail":"%x@example.com","additionalInformation":"Hello, is it still there? I could come on %x","contactInformation":{"firstName":"N%x","lastName":"M%x","phone":"%d"}}]}`,
			110000000000+lead%5000, lead%5000, at(lead).Format(time.RFC3339), version, lead, rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint32(), rng.Uint32(), rng.Uint64())
	}
	fmt.Fprintf(gz, `],"totalLeads":%d}`, perPage)
	if err := gz.Close(); err != nil {
		b.Fatal(err)
	}
	n := perPage
	return &journal.Page{
		Batch: "s", Query: journal.Query{Messages: true}, Window: window.New(at(first), at(first+perPage)), Leads: n, TotalLeads: &n,
		Received: begin, Body: body.Bytes(),
	}
}

func sizeOf(b *testing.B, dir string) (total int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return total
}

// peakMemory is the most that the process has had resident so far, in MB; 0 where
// the system does not tell.
func peakMemory(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024
		}
	}
	return 0
}
