package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// The short flags of [stream] are those of the stream alone where they would be
// the range's.
func TestFlagsOfStream(t *testing.T) {
	k, _ := parserOf(t)
	names := func(command string) []string {
		var names []string
		for _, f := range commandNode(t, k, command).Flags {
			names = append(names, f.Name)
		}
		return names
	}
	for command, want := range map[string][]string{
		"stream": {"interval", "settle", "lookback", "drain-timeout", "from"},
		"run":    {"interval", "settle", "lookback", "drain-timeout", "stream-from", "from", "to", "last"},
		"batch":  {"from", "to", "last"},
	} {
		have := names(command)
		for _, name := range want {
			if !slices.Contains(have, name) {
				t.Errorf("%s has no --%s", command, name)
			}
		}
		if command == "stream" && (slices.Contains(have, "to") || slices.Contains(have, "last")) {
			t.Errorf("%s has the range of a batch: %v", command, have)
		}
	}
}

// Which commands come to their end instead of being broken off.
func TestWhatStreams(t *testing.T) {
	environ := []string{
		"LEADS_ETL_EBAY_MARKETPLACE=EBAY_DE", "LEADS_ETL_EBAY_CLIENT_ID=id", "LEADS_ETL_EBAY_CLIENT_SECRET=x",
		"LEADS_ETL_BATCH_LAST=1d", "LEADS_ETL_NDJSON_DIR=out",
	}
	t.Chdir(t.TempDir())
	for line, want := range map[string]bool{
		"stream": true, "stream --from 2026-01-01 --interval 5m": true, "run --mode stream": true,
		"run": false, "batch": false, "check": false, "version": false,
	} {
		parsed, err := parse(strings.Fields(line), environ, &console{}, readBuild())
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		s, ok := parsed.target.(streamer)
		if got := ok && s.streams(); got != want {
			t.Errorf("%s: streams is %v", line, got)
		}
	}
	_, err := parse([]string{"run", "--mode=stream", "--restart"}, environ, &console{}, readBuild())
	if exitCode(err) != exitUsage || !strings.Contains(err.Error(), "--restart: only a batch can begin anew") {
		t.Errorf("--restart of a stream: %v", err)
	}
}

// What the terminal shows of a stream.
func TestStreamSnapshot(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		s     pipeline.StreamProgress
		phase string
		want  string
	}{
		{"at first", pipeline.StreamProgress{}, "starting", "0 polls, 0 leads read"},
		{
			"idle", pipeline.StreamProgress{
				Phase: "waiting for the next poll", Until: now.Add(42 * time.Second), Polls: 1200, Leads: 1, Watermark: now.Add(-125 * time.Second),
				Sinks: []deliver.Report{{Sink: "parquet events", Rows: 1}, {Sink: "kafka", Rows: 2000, Retries: 3}},
			},
			"waiting for the next poll", "in 0:42, 1,200 polls, 1 lead read, up to 11:57:55Z, 2:05 ago, parquet events 1 row, kafka 2,000 rows (3 retries)",
		},
		{
			"no calls", pipeline.StreamProgress{Phase: "waiting for calls", Until: now.Add(19 * time.Hour), Polls: 1},
			"waiting for calls", "until 07:00Z, 1 poll, 0 leads read",
		},
		{
			"outage", pipeline.StreamProgress{Phase: "the API is not to be had", Until: now.Add(-time.Hour), Polls: 1, Gaps: 1},
			"the API is not to be had", "for 1:00:00, 1 poll, 0 leads read, 1 gap",
		},
	} {
		got := streamSnapshot(c.s, now)
		if got.Phase != c.phase || strings.Join(got.Facts, ", ") != c.want {
			t.Errorf("%s: %s: %s", c.name, got.Phase, strings.Join(got.Facts, ", "))
		}
	}
}
