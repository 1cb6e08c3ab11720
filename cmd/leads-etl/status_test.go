package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// septemberAt is a moment of September 2026, UTC.
func septemberAt(day, hour int) time.Time {
	return time.Date(2026, 9, day, hour, 0, 0, 0, time.UTC)
}

// landing makes a journal that records were appended to.
func landing(t *testing.T, dir string, records ...journal.Record) {
	t.Helper()
	j, err := journal.Open(dir, journal.Options{
		Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "https://apiz.ebay.com/sell/leads/v1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if _, err := j.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// emptyAnswer is {} as gzip.
const emptyAnswer = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00"

func landed(batch string, q journal.Query, w window.Window, received time.Time) journal.Record {
	return journal.Record{Page: &journal.Page{Batch: batch, Query: q, Window: w, Received: received, Leads: 2, Body: []byte(emptyAnswer)}}
}

// statusOf shows the status of a journal, as text or JSON, less what is another
// with every run. It has to end with the code.
func statusOf(t *testing.T, want int, dir string, args ...string) string {
	t.Helper()
	environ := []string{
		"LEADS_ETL_EBAY_ACCOUNT=acme", "LEADS_ETL_EBAY_MARKETPLACE=EBAY_DE", "LANG=C.UTF-8",
		"LEADS_ETL_STATE_DIR=" + dir, "LEADS_ETL_NDJSON_DIR=out", "LEADS_ETL_PARQUET_DIR=out",
	}
	code, stdout, stderr := runIn(t, environ, append([]string{"status"}, args...)...)
	if code != want || stderr != "" {
		t.Errorf("%v: exit code %d, want %d, stderr %s", args, code, want, stderr)
	}
	stdout = strings.ReplaceAll(stdout, dir, "STATE")
	stdout = regexp.MustCompile(`"id": "[0-9a-f-]{36}"`).ReplaceAllString(stdout, `"id": "ID"`)
	stdout = regexp.MustCompile(`landed [0-9:]+ ago`).ReplaceAllString(stdout, "landed LAG ago")
	stdout = regexp.MustCompile(`"lag_seconds": [1-9][0-9.]*`).ReplaceAllString(stdout, `"lag_seconds": LAG`)
	stdout = regexp.MustCompile(`("journal": |journal )[1-9][0-9.]*( KiB| B)?`).ReplaceAllString(stdout, "${1}BYTES")
	stdout = regexp.MustCompile(`(begins |"reset": ")[0-9TZ:-]+`).ReplaceAllString(stdout, "${1}RESET")
	return stdout
}

// The status of a journal that a batch and a stream have shared: a stream is not
// unfinished, what it brings in on the side is, and files of both are shown.
func TestStatusOfStream(t *testing.T) {
	golden := func(name, got string) { golden(t, "testdata/status/"+name, got) }
	q := journal.Query{Messages: true}
	queries := []journal.Query{q}
	dir := t.TempDir()
	day := window.New(septemberAt(1, 0), septemberAt(2, 0))
	endless := window.New(septemberAt(2, 0), openEnd)
	history := window.New(septemberAt(1, 0).AddDate(0, 0, -10), septemberAt(2, 0))
	landing(t, dir,
		journal.Record{Begin: &journal.Begin{ID: "b1", Spec: "2026-09-01/2026-09-02", Range: day, Queries: queries, Time: septemberAt(2, 1)}},
		landed("b1", q, day, septemberAt(2, 1)),
		journal.Record{End: &journal.End{Batch: "b1", Time: septemberAt(2, 1)}},
		journal.Record{Begin: &journal.Begin{ID: "s1", Spec: "stream", Range: endless, Queries: queries, Time: septemberAt(2, 2), Stream: true}},
		journal.Record{Begin: &journal.Begin{ID: "h1", Spec: "backfill from 2026-08-22", Range: history, Queries: queries, Time: septemberAt(2, 2), Stream: true}},
		landed("s1", q, window.New(septemberAt(2, 0), septemberAt(2, 2)), septemberAt(2, 3)),
		journal.Record{Gap: &journal.Gap{Batch: "s1", Query: q, Window: window.New(septemberAt(2, 2), septemberAt(2, 2).Add(time.Second)), Reason: "HTTP 500", Time: septemberAt(2, 3)}},
		journal.Record{Poll: &journal.Poll{Batch: "s1", Query: q, Windows: []window.Window{window.New(septemberAt(2, 2).Add(time.Second), septemberAt(2, 4))}, Received: septemberAt(2, 5)}},
		landed("h1", q, window.New(septemberAt(1, 0).AddDate(0, 0, -5), septemberAt(2, 0)), septemberAt(2, 5)),
	)
	golden("both.txt", statusOf(t, exitSink, dir))
	golden("both.json", statusOf(t, exitSink, dir, "--json"))
	// A probe that minds gaps only, and one that minds that nothing is read.
	statusOf(t, exitIncomplete, dir, "--max-lag", "3650d")

	// A journal of a stream alone has no table, one without a stream no events.
	dir = t.TempDir()
	landing(t, dir, journal.Record{Begin: &journal.Begin{ID: "s1", Spec: "stream", Range: endless, Queries: queries, Time: septemberAt(2, 2), Stream: true}})
	golden("stream.txt", statusOf(t, exitDone, dir))
	statusOf(t, exitIncomplete, dir, "--max-age", "1h")
	dir = t.TempDir()
	landing(t, dir, journal.Record{Begin: &journal.Begin{ID: "b1", Spec: "2026-09-01/2026-09-02", Range: day, Queries: queries, Time: septemberAt(2, 1)}})
	golden("batch.txt", statusOf(t, exitDone, dir))
}
