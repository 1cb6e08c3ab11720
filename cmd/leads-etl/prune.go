package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline"
)

type pruneCommand struct {
	settings `embed:""`
	DryRun   bool `name:"dry-run" help:"Only say what would be removed, and what holds it back."`
	JSON     bool `name:"json" help:"As JSON."`
}

func (c *pruneCommand) Help() string {
	return `Examples:

    leads-etl prune --state-keep 90d --dry-run

Pages that are older than [state] keep, and that no sink needs any more, are removed from the journal, whole files of it at a time. What they came to is kept beside it: the state of each known lead, the latest row of each, what is covered, and gaps. So nothing is exported again, and a new sink can still be built. What changed before is gone: history and 'replay --as-of' go back to there and no further.

Streams and batches do this by themselves. The API is not called.`
}

func (c *pruneCommand) validate(report func(section, key, problem string)) {
	c.validateFor(false, report)
}

func (c *pruneCommand) demands() []demand {
	if c.State.Keep != 0 {
		return nil
	}
	return []demand{{
		Problem:  config.Problem{Key: "[state] keep", Text: "everything is kept", Hint: "say how long pages are kept: keep = \"90d\", or --state-keep 90d"},
		sections: []string{"state"},
	}}
}

func (c *pruneCommand) Run(ctx context.Context, p *process) error {
	a, err := c.assemble(ctx, p)
	if err != nil {
		return err
	}
	a.observe(&c.settings, a.survey.outputs())
	defer p.announceInterrupt(ctx)()
	plan, err := c.prune(ctx, a)
	err = a.close(err)
	if err != nil {
		return err
	}
	return newPruned(plan, c.DryRun).write(p.out, c.JSON)
}

func (c *pruneCommand) prune(ctx context.Context, a *assembly) (pipeline.PrunePlan, error) {
	if a.Known != nil {
		if err := a.Known.Advance(ctx); err != nil {
			return pipeline.PrunePlan{}, fmt.Errorf("working out what has changed: %w", err)
		}
	}
	if c.DryRun {
		return pipeline.PlanPrune(ctx, a.Journal, c.State.Keep, 0, nil, a.Observers)
	}
	return pipeline.Prune(ctx, a.Stages, 0)
}

// pruned is what was or would be removed.
type pruned struct {
	DryRun bool `json:"dry_run,omitempty"`
	// Records are those that are removed, in so many files.
	Records  uint64 `json:"records"`
	Segments int    `json:"files"`
	Bytes    int64  `json:"bytes"`
	// First is the oldest record that is left.
	First uint64 `json:"first_record"`
	// HeldBack says who still needs records that are old enough, one line each.
	HeldBack []string `json:"held_back_by"`
}

func newPruned(p pipeline.PrunePlan, dry bool) *pruned {
	s := &pruned{DryRun: dry, Records: uint64(p.To - p.First), Segments: p.Segments, Bytes: p.Bytes, First: uint64(p.To), HeldBack: []string{}}
	for _, h := range p.Holds {
		s.HeldBack = append(s.HeldBack, h.String())
	}
	return s
}

func (s *pruned) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return writeJSON(w, s)
	}
	var b strings.Builder
	would := "removed"
	if s.DryRun {
		would = "would be removed"
	}
	if s.Records == 0 {
		fmt.Fprintf(&b, "nothing can be pruned\n")
	} else {
		fmt.Fprintf(&b, "%s in %s, %s, %s: the journal begins with record %d\n",
			progress.Plural(int64(s.Records), "record"), progress.Plural(s.Segments, "file"), size(s.Bytes), would, s.First)
	}
	for _, h := range s.HeldBack {
		fmt.Fprintf(&b, "held back: %s\n", h)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
