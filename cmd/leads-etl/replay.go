package main

import (
	"context"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/monitor"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

type replayCommand struct {
	settings  `embed:""`
	leaving   `embed:""`
	pastFlags `embed:""`
	Sink      []string `name:"sink" placeholder:"NAME" help:"Only these sinks: parquet, ndjson, kafka; all that are on if absent."`
	JSON      bool     `name:"json" help:"The summary as JSON."`
}

func (c *replayCommand) Help() string {
	return `Examples:

    leads-etl replay
    leads-etl replay --sink kafka
    leads-etl replay --as-of 2026-09-01T12:00:00Z --out september --sink parquet

Each sink goes on from the position that it holds; one without a position is built anew from all that is landed. The API is not called. Files of batches and files of a stream are both brought up to date, if the journal has both.

With --as-of, files are written to a folder of their own, with each lead as it was known then; it works beside a run. Where the journal was pruned ([state] keep), it goes back to the last page that is gone, and says when that was if it is asked for more.`
}

func (c *replayCommand) demands() []demand {
	if c.Out != "" || !c.AsOf.IsZero() {
		return nil
	}
	return c.sinkDemands()
}

func (c *replayCommand) validate(report func(section, key, problem string)) {
	c.validateFor(false, report)
	c.leaving.validate(report)
}

func (c *replayCommand) Run(ctx context.Context, p *process) error {
	if err := c.check(c.Sink, time.Now()); err != nil {
		return &usageError{err: err, command: "replay"}
	}
	if c.Out != "" {
		return c.replayPast(ctx, p, &c.pastFlags, c.Sink, c.JSON)
	}
	if _, err := choose(c.sinks(batchOutputs), c.Sink); err != nil {
		return &usageError{err: err, command: "replay"}
	}
	switch there, err := journal.Exists(c.State.Dir); {
	case err != nil:
		return err
	case !there:
		return c.nothingLanded("replay")
	}
	a, err := c.assemble(ctx, p)
	if err != nil {
		return err
	}
	sinks, err := choose(c.sinks(a.survey.outputs()), c.Sink)
	if err != nil {
		return a.close(err)
	}
	a.deliverTo(&c.settings, sinks)
	begun := time.Now()
	defer p.announceInterrupt(ctx)()
	stop := p.report(ctx, func() progress.Snapshot { return a.replaySnapshot() })
	replaying, ended := a.tracer.Around(ctx, "replay")
	reports, err := pipeline.Replay(replaying, a.Stages)
	ended(err)
	a.watch(p, func(s *monitor.Snapshot) { s.Sinks = reports })
	stop()
	s := &summary{Duration: seconds(time.Since(begun)), Sinks: sinkSummaries(reports)}
	s.tally(a.Reader.Tally(), a.dead)
	err = a.close(err)
	return joinWrite(err, s.write(p, c.JSON, err))
}

// replaySnapshot is how many of the landed pages have been read.
func (a *assembly) replaySnapshot() progress.Snapshot {
	t := a.Reader.Tally()
	return progress.Snapshot{Phase: "replaying", Done: float64(t.Pages), Leads: int64(t.Leads), Pages: int64(t.Pages)}
}
