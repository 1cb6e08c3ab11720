package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/source"
)

type statusCommand struct {
	settings `embed:""`
	Verify   bool          `name:"verify" help:"Read the whole journal and verify every checksum."`
	MaxLag   time.Duration `name:"max-lag" default:"15m" placeholder:"DURATION" help:"A sink is behind if it lacks something that was landed longer ago."`
	MaxAge   time.Duration `name:"max-age" default:"0s" placeholder:"DURATION" help:"With exit code 4 if nothing was read from the API for so long; any age is well by default. An idle stream notes every few minutes that it reads."`
	JSON     bool          `name:"json" help:"As JSON."`
}

func (c *statusCommand) Help() string {
	return `Examples:

    leads-etl status
    leads-etl status --max-lag 10m --max-age 15m --json
    leads-etl status --verify

Neither the API is called nor anything changed, and an export that is running is not disturbed.

It can be used as a probe. Exit codes: 0 all is well; 4 there are gaps, the daily quota is spent, or (--max-age) nothing was read for too long; 5 a sink cannot be reached, or lacks what was landed longer than --max-lag ago; 1 the journal is damaged, or nobody can read it. The table that batches write is not behind for what a stream landed.`
}

func (c *statusCommand) validate(report func(section, key, problem string)) {
	c.validateFor(false, report)
}

func (c *statusCommand) Run(ctx context.Context, p *process) error {
	if c.MaxLag < 0 || c.MaxAge < 0 {
		return &usageError{err: errors.New("--max-lag and --max-age cannot be negative"), command: "status"}
	}
	s := &status{State: c.State.Dir}
	if err := c.gather(ctx, p, s); err != nil {
		return err
	}
	s.judge(c.MaxAge, time.Now())
	err := s.err
	s.Code = exitCode(err)
	if c.JSON {
		return joinWrite(err, writeJSON(p.out, s))
	}
	return joinWrite(err, s.write(p))
}

// gather looks at everything there is.
func (c *statusCommand) gather(ctx context.Context, p *process, s *status) error {
	var err error
	if err := c.quota(s); err != nil {
		return err
	}
	if s.Error, err = readLastError(c.State.Dir); err != nil {
		return err
	}
	if s.Disk, err = c.disk(); err != nil {
		return fmt.Errorf("adding up files: %w", err)
	}
	for {
		err := c.gatherJournal(ctx, p, s)
		if _, again := errors.AsType[*journal.PrunedError](err); !again {
			return err
		}
		s.Sinks, s.err = nil, nil // the journal was pruned while it was read
	}
}

// gatherJournal looks at the journal and at those who are fed from it.
func (c *statusCommand) gatherJournal(ctx context.Context, p *process, s *status) error {
	j, err := journal.OpenReadOnly(c.State.Dir, p.log)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever landed
	}
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	defer j.Close()
	if have, want := j.Identity(), c.identity(); have != want {
		return &journal.IdentityError{Dir: c.State.Dir, Have: have, Want: want}
	}
	seen, err := look(ctx, j)
	if err != nil {
		return err
	}
	s.Journal = journalOf(j, seen)
	if s.Journal.Base, err = baseOf(j, seen.past); err != nil {
		return err
	}
	if c.Verify {
		report, err := journal.Verify(ctx, c.State.Dir)
		if err != nil {
			return err
		}
		s.verified(report)
	}
	if err := c.lags(ctx, p, j, seen, s); err != nil {
		return err
	}
	return c.prunable(ctx, p, j, seen, s)
}

// prunable looks what keeps the journal from being pruned.
func (c *statusCommand) prunable(ctx context.Context, p *process, j *journal.Journal, seen *survey, s *status) error {
	if c.State.Keep == 0 {
		return nil
	}
	plan, err := pipeline.PlanPrune(ctx, j, c.State.Keep, 0, nil, c.observers(seen.outputs(), j, p.log))
	for _, h := range plan.Holds {
		s.Journal.Holds = append(s.Journal.Holds, h.String())
	}
	return err
}

func (c *statusCommand) quota(s *status) error {
	used, limit, reset, err := source.Usage(c.State.Dir, c.Limit, time.Now())
	if err != nil {
		return err
	}
	s.Quota = quotaStatus{Used: used, Limit: limit, Reset: reset.UTC()}
	return nil
}

// lags observes how far every sink has come.
func (c *statusCommand) lags(ctx context.Context, p *process, j *journal.Journal, seen *survey, s *status) error {
	binding := deliver.Binding{JournalID: j.ID(), Account: c.EBay.Account, Marketplace: c.EBay.Marketplace}
	for _, sink := range c.sinks(seen.outputs()) {
		state := sinkStatus{Name: sink.name, Where: sink.where, beside: seen.streams && sink.table}
		lag, err := lagOf(ctx, p, sink, binding, j, seen.past)
		if _, again := errors.AsType[*journal.PrunedError](err); again {
			return err
		}
		if err != nil {
			state.Error = err.Error()
			s.err = errors.Join(s.err, &toldError{&deliver.SinkError{Sink: sink.name, Err: err}, exitSink})
		} else {
			state.observed(lag, c.MaxLag, time.Now())
		}
		if state.Behind {
			s.fail(exitSink, "%s is behind", sink.name)
		}
		s.Sinks = append(s.Sinks, state)
	}
	return nil
}

func lagOf(ctx context.Context, p *process, sink sink, b deliver.Binding, j *journal.Journal, past *base.Past) (deliver.Lag, error) {
	o, err := sink.observe(ctx, b, p.log.With("sink", sink.name))
	if err != nil {
		return deliver.Lag{}, err
	}
	lag, err := deliver.LagOf(ctx, o, j, past)
	return lag, errors.Join(err, o.Close())
}
