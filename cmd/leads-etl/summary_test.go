package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source"
)

// eventful is a run in which a bit of everything happened.
func eventful() *summary {
	day := func(n int) time.Time { return time.Date(2026, 9, n, 0, 0, 0, 0, time.UTC) }
	return newSummary(pipeline.Summary{
		Batch: "b1", Resumed: true, Range: window.New(day(1), day(3)),
		Pages: 1234, Leads: 20000, Splits: 1,
		Gaps:  []journal.Gap{{Query: journal.Query{Item: "123"}, Window: window.New(day(2), day(2).Add(time.Second)), Reason: "HTTP 500", Time: day(4)}},
		Tally: deliver.Tally{Pages: 1234, Leads: 20000, Unfit: 3, Dead: 1},
		Sinks: []deliver.Report{
			{Sink: "parquet", Rows: 19999, Files: 2, Bytes: 5 << 20, Commits: 3, Unchanged: 1, Superseded: []string{"_superseded/x"}},
			{Sink: "kafka", Rows: 1, Bytes: 700, Commits: 1, Retries: 2},
		},
		Duration: 12345678 * time.Microsecond,
	}, source.Stats{Requests: 1300, Retries: 66, TokenRequests: 1, Throttled: 2, Bytes: 123 << 20, Outcomes: map[source.Outcome]int64{source.OutcomeAnswered: 1234}}, "state/dead-letters")
}

func TestSummaryForPeople(t *testing.T) {
	s := eventful()
	var b bytes.Buffer
	if err := s.write(&process{console: &console{out: &b}}, false, &pipeline.GapsError{Gaps: make([]journal.Gap, 1)}); err != nil {
		t.Fatal(err)
	}
	const want = `Not all exported: [2026-09-01T00:00:00Z, 2026-09-03T00:00:00Z) in 12.35s
  received  20,000 leads in 1,234 pages, 123 MiB
  API       1,300 requests (66 retries), 1 token request, 1 split
  parquet   19,999 rows, 2 files written, 5.0 MiB, 1 of 3 commits as before, 1 file of another state set aside under _superseded
  kafka     1 row, 700 B, 2 retries
  odd       3 values did not fit the column: null there, the original in extra
  unread    1 response could not be read: kept in state/dead-letters
  gaps      1 window could not be had; the next run tries again
            [2026-09-02T00:00:00Z, 2026-09-02T00:00:01Z) of item 123, since 2026-09-04T00:00:00Z: HTTP 500
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestSummaryOfReplay(t *testing.T) {
	s := &summary{Duration: seconds(1500 * time.Millisecond), Sinks: sinkSummaries([]deliver.Report{{Sink: "ndjson", Rows: 2, Files: 1, Bytes: 2048, Commits: 1}})}
	if got, want := s.text(), "Replayed in 1.5s\n  ndjson    2 rows, 1 file written, 2.0 KiB\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What machines read: names and types are part of the contract.
func TestSummaryForMachines(t *testing.T) {
	var b bytes.Buffer
	err := errors.Join(&fetch.QuotaError{Err: errors.New("spent")}, &deliver.SinkError{Sink: "kafka", Err: errors.New("gone")})
	if err := eventful().write(&process{console: &console{out: &b}}, true, err); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got["exit_code"] != 5.0 || got["duration_seconds"] != 12.346 {
		t.Errorf("exit_code %v, duration_seconds %v", got["exit_code"], got["duration_seconds"])
	}
	golden(t, "testdata/summary.json", b.String())
}
