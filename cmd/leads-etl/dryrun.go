package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source"
)

// dryRun is what a batch would do.
type dryRun struct {
	Range   window.Window `json:"range"`
	Resumed bool          `json:"resumed"`
	Gaps    int           `json:"gaps_to_retry"`
	Calls   int           `json:"calls_expected"`
	// AtLeast says that nothing of the kind is landed yet, so that nobody knows how
	// many leads there are.
	AtLeast bool `json:"calls_are_the_least"`
	// Seconds is how long the fetching would take; nil if nobody knows.
	Seconds *seconds       `json:"expected_duration_seconds"`
	Quota   quotaStatus    `json:"quota"`
	Enough  bool           `json:"quota_is_enough"`
	Windows []dryRunWindow `json:"windows"`
	Sinks   []string       `json:"sinks"`

	pace time.Duration
}

type dryRunWindow struct {
	Item string `json:"item,omitempty"`
	window.Window
}

// Longest lists of windows: for people, and for machines.
const (
	shownWindows  = 8
	listedWindows = 10_000
)

// previewBatch says what the batch would do. It neither calls the API nor writes
// anything, and disturbs no export that is running.
func previewBatch(ctx context.Context, p *process, s *settings, request pipeline.Request, asJSON bool) error {
	plan, err := s.preview(ctx, p, request)
	if err != nil {
		return err
	}
	used, limit, reset, err := source.Usage(s.State.Dir, s.Limit, time.Now())
	if err != nil {
		return err
	}
	d := dryRun{
		Range: plan.Range, Resumed: plan.Resumed, Gaps: plan.Gaps, Calls: plan.Calls, AtLeast: !plan.Known,
		Quota: quotaStatus{Used: used, Limit: limit, Reset: reset.UTC()}, Enough: plan.Calls <= limit-used, pace: plan.Pace,
		Windows: []dryRunWindow{}, Sinks: []string{},
	}
	if plan.Pace > 0 && plan.Known {
		took := seconds(plan.Pace * time.Duration(plan.Calls))
		d.Seconds = &took
	}
	for query, w := range plan.Windows() {
		if len(d.Windows) == listedWindows {
			break
		}
		d.Windows = append(d.Windows, dryRunWindow{query.Item, w})
	}
	for _, sink := range s.sinks(batchOutputs) {
		d.Sinks = append(d.Sinks, fmt.Sprintf("%s (%s)", sink.name, sink.where))
	}
	if asJSON {
		return writeJSON(p.out, d)
	}
	d.print(p)
	return nil
}

// preview plans by the journal, if there is one.
func (s *settings) preview(ctx context.Context, p *process, request pipeline.Request) (pipeline.Plan, error) {
	j, err := journal.OpenReadOnly(s.State.Dir, p.log)
	if errors.Is(err, fs.ErrNotExist) {
		return pipeline.Preview(ctx, nil, request, s.Fetch.Window)
	}
	if err != nil {
		return pipeline.Plan{}, fmt.Errorf("reading the journal: %w", err)
	}
	defer j.Close()
	if have, want := j.Identity(), s.identity(); have != want {
		return pipeline.Plan{}, &journal.IdentityError{Dir: s.State.Dir, Have: have, Want: want}
	}
	return pipeline.Preview(ctx, j, request, s.Fetch.Window)
}

func (d *dryRun) print(p *process) {
	what := "Would export"
	if d.Resumed {
		what = "Would go on with the export of"
	}
	fmt.Fprintf(p.out, "%s %s\n", what, d.Range)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(p.out, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	atLeast := ""
	if d.AtLeast {
		atLeast = "at least "
	}
	row("calls", "%s%s", atLeast, progress.Plural(d.Calls, "call"))
	if d.AtLeast {
		row("", "nothing of it is landed yet, so nobody knows how many leads there are")
	}
	if d.Gaps > 0 {
		row("gaps", "%s of earlier runs, tried first", progress.Plural(d.Gaps, "window"))
	}
	left := max(0, d.Quota.Limit-d.Quota.Used)
	row("quota", "%s of %s calls left until %s", humanize.Comma(int64(left)), humanize.Comma(int64(d.Quota.Limit)), d.Quota.Reset.Format(time.RFC3339))
	if !d.Enough {
		row("", "not enough: the run would stop when it is spent, and the same command goes on after that")
	}
	if d.Seconds != nil {
		row("duration", "some %s of fetching, by the pace of earlier batches (%s a call)",
			time.Duration(*d.Seconds).Round(time.Second), d.pace.Round(time.Millisecond))
	} else {
		row("duration", "unknown: no batch has landed anything of it yet to judge by")
	}
	for _, sink := range d.Sinks {
		row("sink", "%s", sink)
	}
	for i, w := range d.Windows {
		name := ""
		if i == 0 {
			name = "windows"
		}
		if i == shownWindows {
			row(name, "and %s more (--json lists them)", humanize.Comma(int64(d.Calls-i)))
			break
		}
		item := ""
		if w.Item != "" {
			item = " of item " + w.Item
		}
		row(name, "%s, %s%s", w.Window, config.FormatDuration(w.Length()), item)
	}
	fmt.Fprintln(p.out, "Nothing was fetched, and nothing written.")
}
