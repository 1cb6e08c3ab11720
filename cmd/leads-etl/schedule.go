package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/dustin/go-humanize"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/schedule"
)

// checkSchedule says how often a stream of this configuration reads what, and
// within which time it sees a change.
func (c *checkCommand) checkSchedule(ctx context.Context, p *process) finding {
	seen, err := c.surveyIfThere(ctx, p)
	if err != nil {
		return conclude("schedule", err, "")
	}
	queries := c.EBay.Queries()
	calls := c.Limit.DailyQuota - c.Limit.QuotaReserve
	plan := c.Stream.Schedule(calls, seen.forecast.Windows(queries, c.Fetch.Window))
	f := scheduleFinding(plan, &c.Stream, calls)
	if !seen.forecast.Known(queries) {
		f.Lines = append(f.Lines, "nothing is landed yet: it is taken that leads are few")
	}
	return f
}

// scheduleFinding makes a finding of a plan for so many calls a day.
func scheduleFinding(plan schedule.Plan, c *pipeline.StreamConfig, calls int) finding {
	lines := plan.Lines()
	last := len(lines) - 1
	f := finding{
		What: "schedule", OK: plan.CallsPerDay <= calls, Detail: lines[last],
		Lines: append(lines[:last:last],
			fmt.Sprintf("a new lead is seen after at most %s", config.FormatDuration(c.Settle+plan.Interval)),
			fmt.Sprintf("of %s calls a day, %s are left for what is tried again and for history", humanize.Comma(int64(calls)), humanize.Comma(int64(calls-plan.Budget)))),
	}
	if plan.Stretched {
		f.Hints = append(f.Hints, fmt.Sprintf("for [stream] interval = %s it takes more of [fetch] daily-quota, less quota-reserve", config.FormatDuration(c.Interval)))
	}
	if !f.OK {
		f.err = &toldError{errors.New(f.Detail), exitIncomplete}
	}
	return f
}

// surveyIfThere looks at the journal, if there is one for this seller.
func (c *checkCommand) surveyIfThere(ctx context.Context, p *process) (*survey, error) {
	j, err := journal.OpenReadOnly(c.State.Dir, p.log)
	if errors.Is(err, fs.ErrNotExist) {
		return &survey{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	defer j.Close()
	if have, want := j.Identity(), c.identity(); have != want {
		return nil, &journal.IdentityError{Dir: c.State.Dir, Have: have, Want: want}
	}
	return look(ctx, j)
}
