package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source"
)

// seconds is a duration that JSON shows as a number of seconds.
type seconds time.Duration

func (s seconds) MarshalJSON() ([]byte, error) { //nolint:unparam // an interface's
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

// summary is what a run did: as text for people, as JSON for machines. Batch or
// Stream is what it was; a replay has neither, and no API.
type summary struct {
	Batch    *batchSummary  `json:"batch,omitempty"`
	Stream   *streamSummary `json:"stream,omitempty"`
	API      *apiSummary    `json:"api,omitempty"`
	Sinks    []sinkSummary  `json:"sinks"`
	Duration seconds        `json:"duration_seconds"`
	// Unfit values did not fit their column and are in extra; Strays were
	// submitted at another time than was asked for; Unreadable responses are in
	// the dead letters.
	Unfit       int    `json:"unfit_values"`
	Strays      int    `json:"stray_leads"`
	Unreadable  int    `json:"unreadable_responses"`
	DeadLetters string `json:"dead_letters,omitempty"`
	// ExitCode and Errors are how the run ended.
	ExitCode int      `json:"exit_code"`
	Errors   []string `json:"errors,omitempty"`
}

type batchSummary struct {
	ID      string        `json:"id"`
	Resumed bool          `json:"resumed"`
	Range   window.Window `json:"range"`
	Leads   int64         `json:"leads_received"`
	Pages   int64         `json:"pages"`
	Splits  int64         `json:"splits"`
	Gaps    []gapStatus   `json:"gaps"`
}

type apiSummary struct {
	Requests      int64                    `json:"requests"`
	Retries       int64                    `json:"retries"`
	TokenRequests int64                    `json:"token_requests"`
	Throttled     int64                    `json:"throttled"`
	Bytes         int64                    `json:"bytes_received"`
	Outcomes      map[source.Outcome]int64 `json:"outcomes"`
}

type sinkSummary struct {
	Name       string   `json:"name"`
	Rows       int      `json:"rows"`
	Files      int      `json:"files,omitempty"`
	Bytes      int64    `json:"bytes"`
	Commits    int      `json:"commits"`
	Unchanged  int      `json:"unchanged_commits"`
	Retries    int      `json:"retries"`
	Superseded []string `json:"superseded_files,omitempty"`
}

func newSummary(b pipeline.Summary, api source.Stats, deadLetters string) *summary {
	s := &summary{
		Batch: &batchSummary{
			ID: b.Batch, Resumed: b.Resumed, Range: b.Range,
			Leads: b.Leads, Pages: b.Pages, Splits: b.Splits, Gaps: gapStatuses(b.Gaps),
		},
		API:      newAPISummary(api),
		Sinks:    sinkSummaries(b.Sinks),
		Duration: seconds(b.Duration),
	}
	s.tally(b.Tally, deadLetters)
	return s
}

func newAPISummary(api source.Stats) *apiSummary {
	return &apiSummary{
		Requests: api.Requests, Retries: api.Retries, TokenRequests: api.TokenRequests,
		Throttled: api.Throttled, Bytes: api.Bytes, Outcomes: api.Outcomes,
	}
}

func sinkSummaries(reports []deliver.Report) []sinkSummary {
	sinks := make([]sinkSummary, 0, len(reports))
	for _, r := range reports {
		sinks = append(sinks, sinkSummary{
			Name: r.Sink, Rows: r.Rows, Files: r.Files, Bytes: r.Bytes,
			Commits: r.Commits, Unchanged: r.Unchanged, Retries: r.Retries, Superseded: r.Superseded,
		})
	}
	return sinks
}

func (s *summary) tally(t deliver.Tally, deadLetters string) {
	s.Unfit, s.Strays, s.Unreadable = t.Unfit, t.Strays, t.Dead
	if t.Dead > 0 {
		s.DeadLetters = deadLetters
	}
}

// write writes the summary of a run that ended with err to stdout.
func (s *summary) write(p *process, asJSON bool, err error) error {
	s.ExitCode = exitCode(err)
	for _, f := range failures(err) {
		s.Errors = append(s.Errors, f.text)
	}
	if asJSON {
		return writeJSON(p.out, s)
	}
	_, err = io.WriteString(p.out, s.text())
	return err
}

// joinWrite adds an error of writing the result to how the run ended.
func joinWrite(err, writeErr error) error {
	if writeErr != nil {
		writeErr = fmt.Errorf("writing the summary: %w", writeErr)
	}
	return errors.Join(err, writeErr)
}

// text is the summary for people.
func (s *summary) text() string {
	var b strings.Builder
	width := 9
	for _, sink := range s.Sinks {
		width = max(width, len(sink.Name))
	}
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-*s %s\n", width, name, fmt.Sprintf(format, args...))
	}
	took := time.Duration(s.Duration).Round(10 * time.Millisecond)
	switch {
	case s.Stream != nil:
		s.Stream.write(&b, took)
		line("received", "%s in %s", progress.Plural(s.Stream.Leads, "lead"), size(s.API.Bytes))
		line("API", "%s", s.API.text())
	case s.Batch == nil:
		fmt.Fprintf(&b, "Replayed in %s\n", took)
	default:
		how := "Exported"
		if s.ExitCode != exitDone {
			how = "Not all exported:"
		}
		fmt.Fprintf(&b, "%s %s in %s\n", how, s.Batch.Range, took)
		line("received", "%s in %s, %s", progress.Plural(s.Batch.Leads, "lead"), progress.Plural(s.Batch.Pages, "page"), size(s.API.Bytes))
		line("API", "%s, %s", s.API.text(), progress.Plural(s.Batch.Splits, "split"))
	}
	for _, sink := range s.Sinks {
		line(sink.Name, "%s", sink.text())
	}
	if s.Unfit > 0 {
		line("odd", "%s did not fit the column: null there, the original in extra", progress.Plural(s.Unfit, "value"))
	}
	if s.Strays > 0 {
		line("stray", "%s submitted at another time than was asked for: among those without a date", progress.Plural(s.Strays, "lead"))
	}
	if s.Unreadable > 0 {
		line("unread", "%s could not be read: kept in %s", progress.Plural(s.Unreadable, "response"), s.DeadLetters)
	}
	if s.Batch != nil && len(s.Batch.Gaps) > 0 {
		line("gaps", "%s could not be had; the next run tries again", progress.Plural(len(s.Batch.Gaps), "window"))
		for _, g := range s.Batch.Gaps {
			line("", "%s", g)
		}
	}
	return b.String()
}

func (s *apiSummary) text() string {
	return fmt.Sprintf("%s (%s), %s", progress.Plural(s.Requests, "request"), progress.Plural(s.Retries, "retry"), progress.Plural(s.TokenRequests, "token request"))
}

func (s sinkSummary) text() string {
	var parts []string
	parts = append(parts, progress.Plural(s.Rows, "row"))
	if s.Files > 0 {
		parts = append(parts, progress.Plural(s.Files, "file")+" written")
	}
	parts = append(parts, size(s.Bytes))
	if s.Unchanged > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s as before", humanize.Comma(int64(s.Unchanged)), progress.Plural(s.Commits, "commit")))
	}
	if s.Retries > 0 {
		parts = append(parts, progress.Plural(s.Retries, "retry"))
	}
	if len(s.Superseded) > 0 {
		parts = append(parts, progress.Plural(len(s.Superseded), "file")+" of another state set aside under _superseded")
	}
	return strings.Join(parts, ", ")
}
