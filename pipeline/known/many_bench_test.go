package known

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// BenchmarkManyLeads makes the store of many leads, each landed once, compares an
// answer with it, and makes it anew. It reports the time, the size on disk, and the
// most resident memory that the process had by then, landing included. With ten
// million leads, which are small here, for the store keeps none of their contents:
//
//	LEADS=10000000 go test -run '^$' -bench ManyLeads -benchtime 1x -timeout 2h ./pipeline/known
func BenchmarkManyLeads(b *testing.B) {
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
		land := func(r journal.Record) {
			if _, err := j.Append(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
		land(journal.Record{Begin: &journal.Begin{ID: "stream", Stream: true}})
		for first := 0; first < leads; first += manyAtOnce {
			land(journal.Record{Page: manyPage(b, first)})
		}
		o := Options{Dir: filepath.Join(dir, "known"), Journal: j, Pages: &pages{journal: j}, Flattener: seller, Logger: slog.New(slog.DiscardHandler)}
		var sums []string
		for _, name := range []string{"first", "anew"} {
			if err := os.RemoveAll(o.Dir); err != nil {
				b.Fatal(err)
			}
			begun := time.Now()
			s, err := Open(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Advance(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(time.Since(begun).Seconds(), name+"-s")
			if same, err := s.Unchanged(b.Context(), manyPage(b, leads/2/manyAtOnce*manyAtOnce)); err != nil || !same {
				b.Fatalf("an answer that says what is known: %v, %v", same, err)
			}
			sum, err := s.Sum(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			sums = append(sums, sum)
			if live := s.Stats().Live; live != leads {
				b.Fatalf("%d leads are known", live)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(residentPeak(b))/(1<<20), name+"-peak-MiB")
		}
		if sums[0] != sums[1] {
			b.Error("made anew, the store is another one")
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

const manyAtOnce = 2_000

// manyPage is an answer with leads[first:], two a second.
func manyPage(b *testing.B, first int) *journal.Page {
	b.Helper()
	at := func(lead int) time.Time { return epoch.Add(time.Duration(lead/2) * time.Second) }
	var body bytes.Buffer
	gz, err := gzip.NewWriterLevel(&body, gzip.BestSpeed)
	if err != nil {
		b.Fatal(err)
	}
	fmt.Fprint(gz, `{"classifiedLeads":[`)
	for lead := first; lead < first+manyAtOnce; lead++ {
		if lead > first {
			fmt.Fprint(gz, ",")
		}
		fmt.Fprintf(gz, `{"itemId":"%d","responses":[{"submittedTime":"%s","leadStatus":"NEW","userId":"user%d","email":"%d@example.com"}]}`,
			110000000000+lead%5000, at(lead).Format(time.RFC3339), lead, lead)
	}
	fmt.Fprintf(gz, `],"totalLeads":%d}`, manyAtOnce)
	if err := gz.Close(); err != nil {
		b.Fatal(err)
	}
	n := manyAtOnce
	return &journal.Page{
		Batch: "stream", Query: journal.Query{Messages: true}, Window: window.New(at(first), at(first+manyAtOnce)), Leads: n, TotalLeads: &n,
		Received: epoch, Body: body.Bytes(),
	}
}

// residentPeak is the most memory that this process had so far, in bytes.
func residentPeak(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("what memory was used is only told by Linux: ", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib << 10
		}
	}
	b.Fatal("/proc/self/status does not tell")
	return 0
}
