package main

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/monitor"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/source"
)

type batchCommand struct {
	Range      rangeConfig `embed:"" envprefix:"LEADS_ETL_BATCH_" group:"batch"`
	settings   `embed:""`
	watching   `embed:""`
	batchFlags `embed:""`
}

// batchFlags are of this run only, and so no keys of the file.
type batchFlags struct {
	Restart bool `name:"restart" help:"Begin anew, even if an earlier run over this range was interrupted."`
	DryRun  bool `name:"dry-run" help:"Say what would be asked for, and what that takes; fetch and write nothing."`
	JSON    bool `name:"json" help:"The summary as JSON."`
}

func (c *batchCommand) Help() string {
	return `Examples:

    leads-etl batch --from 2026-09-01 --to 2026-10-01 --parquet-dir out
    leads-etl batch --last 30d --ndjson-dir out --ndjson-compression none
    leads-etl batch --last 90d --parquet-dir out --dry-run
    leads-etl batch --last 7d --item 123456789012 --status Unanswered

A run that was interrupted is resumed by the same command.`
}

func (c *batchCommand) validate(report func(section, key, problem string)) {
	c.settings.validate(report)
	c.watching.validate(report)
	c.Range.Validate(func(key, problem string) { report("batch", key, problem) })
}

func (c *batchCommand) demands() []demand { return append(c.sinkDemands(), c.Range.demands()...) }

func (c *batchCommand) Run(ctx context.Context, p *process) error {
	return exportBatch(ctx, p, &c.settings, &c.Range, c.batchFlags)
}

// demands says that there is no range.
func (c *rangeConfig) demands() []demand {
	if !c.From.IsZero() || !c.To.IsZero() || c.Last != 0 {
		return nil
	}
	return []demand{{
		Problem:  config.Problem{Key: "[batch]", Text: "no range", Hint: "say which leads: --from and --to, or --last 30d"},
		sections: []string{"batch"},
	}}
}

// sinkDemands says that there is nowhere to deliver to.
func (s *settings) sinkDemands() []demand {
	if len(s.sinks(batchOutputs)) > 0 {
		return nil
	}
	return []demand{{
		Problem:  config.Problem{Text: "no sink is on", Hint: "set dir under [parquet] or [ndjson], or brokers under [kafka]"},
		sections: sinkKinds,
	}}
}

// openEnd stands for "now" in a range without an end: it is the same the next
// time, so that an interrupted batch is found again. pipeline.Between asks for
// nothing that lies in the future.
var openEnd = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// request asks for the queries over the range.
func (c *rangeConfig) request(now time.Time, queries []journal.Query, restart bool) (pipeline.Request, error) {
	var r pipeline.Request
	var err error
	if c.Last > 0 {
		r, err = pipeline.Last(c.Last, now, queries)
	} else {
		to := c.To.Time
		if to.IsZero() {
			to = openEnd
		}
		r, err = pipeline.Between(c.From.Time, to, now, queries)
	}
	if err != nil {
		return r, config.Problems{{Key: "[batch]", Text: err.Error()}}
	}
	r.Restart = restart
	return r, nil
}

// exportBatch runs one batch and writes its summary.
func exportBatch(ctx context.Context, p *process, s *settings, c *rangeConfig, flags batchFlags) error {
	request, err := c.request(time.Now(), s.EBay.Queries(), flags.Restart)
	if err != nil {
		return err
	}
	if flags.DryRun {
		return previewBatch(ctx, p, s, request, flags.JSON)
	}
	a, err := s.assemble(ctx, p)
	if err != nil {
		return err
	}
	a.deliverTo(s, s.sinks(batchOutputs))
	fed := a.survey.outputs()
	fed.tables = true
	a.observe(s, fed)
	if err := a.connect(s, p, 0); err != nil {
		return a.close(err)
	}
	summary, err := a.run(ctx, p, request)
	if summary == nil {
		return a.close(err)
	}
	err = a.close(err)
	return joinWrite(err, summary.write(p, flags.JSON, err))
}

// run plans the batch, says what it will take, and runs it under the eyes of the
// user. The summary is nil if it did not begin.
func (a *assembly) run(ctx context.Context, p *process, request pipeline.Request) (*summary, error) {
	batch, err := pipeline.NewBatch(ctx, a.Stages, request)
	if err != nil {
		return nil, err
	}
	announce(p, batch.Plan(), a.client)
	defer p.announceInterrupt(ctx)()
	a.watch(p, func(s *monitor.Snapshot) { s.Batch = new(batch.Progress()) })
	stop := p.report(ctx, func() progress.Snapshot { return batchSnapshot(batch.Progress(), a.client.Stats()) })
	batchCtx, ended := a.tracer.Around(ctx, "batch")
	done, err := batch.Run(batchCtx)
	ended(err)
	stop()
	if done.Batch == "" {
		return nil, err
	}
	return newSummary(done, a.client.Stats(), a.dead), err
}

// announce says what the batch is about to do, and whether the quota is enough.
func announce(p *process, plan pipeline.Plan, client *source.Client) {
	used, limit, reset := client.Quota()
	left := max(0, limit-used)
	p.log.Info("batch", "range", plan.Range.String(), "id", plan.Batch, "resumed", plan.Resumed, "gaps_to_retry", plan.Gaps,
		"calls_expected", plan.Calls, "calls_left_today", left)
	if p.live && !p.quiet {
		atLeast := ""
		if !plan.Known {
			atLeast = "at least "
		}
		what := "exporting"
		if plan.Resumed {
			what = "resuming the export of"
		}
		p.say(fmt.Sprintf("%s %s: %s%s expected, %s left today", what, plan.Range, atLeast,
			progress.Plural(plan.Calls, "call"), humanize.Comma(int64(left))))
	}
	if plan.Calls > left {
		p.notice(fmt.Sprintf("today's quota is not enough: %s expected, %s left", progress.Plural(plan.Calls, "call"), humanize.Comma(int64(left))),
			"the run stops when it is spent, and the same command goes on after "+reset.UTC().Format(time.RFC3339))
	}
}

// batchSnapshot is the batch's progress as it is shown.
func batchSnapshot(b pipeline.Progress, api source.Stats) progress.Snapshot {
	s := progress.Snapshot{
		Phase: "fetching", Done: b.Covered.Seconds(), Total: b.Total.Seconds(),
		Leads: b.Leads, Pages: b.Pages, Retries: api.Retries, Gaps: b.Gaps,
	}
	if b.Covered >= b.Total {
		s.Phase = "delivering"
		s.Done, s.Total = 0, 0
	}
	return s
}
