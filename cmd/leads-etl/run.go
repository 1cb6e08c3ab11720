package main

import (
	"context"
	"fmt"
)

// The values of mode.
const (
	modeBatch  = "batch"
	modeStream = "stream"
)

// modeSettings are the configuration of commands that do, or try, what the mode
// says.
type modeSettings struct {
	Mode           string      `name:"mode" env:"LEADS_ETL_MODE" default:"batch" placeholder:"MODE" help:"What to do: batch or stream."`
	Range          rangeConfig `embed:"" envprefix:"LEADS_ETL_BATCH_" group:"batch"`
	streamSettings `embed:""`
	settings       `embed:""`
}

// validate adds the mode, and what it goes by, to the settings.
func (s *modeSettings) validate(report func(section, key, problem string)) {
	s.settings.validate(report)
	s.Range.Validate(func(key, problem string) { report("batch", key, problem) })
	s.validateStream(report)
	if s.Mode != modeBatch && s.Mode != modeStream {
		report("", "mode", fmt.Sprintf("%q is no mode: there are %s and %s", s.Mode, modeBatch, modeStream))
	}
}

type runCommand struct {
	modeSettings `embed:""`
	watching     `embed:""`
	batchFlags   `embed:""`
}

func (c *runCommand) Help() string {
	return `Examples:

    leads-etl run
    leads-etl run --config /etc/leads-etl/my-shop.toml
    leads-etl run --quiet --json > summary.json

For schedulers and containers: what is done stands in the configuration alone. The mode batch needs a range under [batch]; the mode stream goes by [stream], and on until it is ended by SIGTERM.`
}

func (c *runCommand) validate(report func(section, key, problem string)) {
	c.modeSettings.validate(report)
	if c.DryRun && c.streams() {
		report("", "--dry-run", "only a batch can be tried dry: for a stream, '"+programName+" check' says how many calls it takes")
	}
	c.watching.validate(report)
	if c.Restart && c.streams() {
		report("", "--restart", "only a batch can begin anew: a stream goes on where it was")
	}
}

func (c *runCommand) demands() []demand {
	switch c.Mode {
	case modeBatch:
		return append(c.sinkDemands(), c.Range.demands()...)
	case modeStream:
		return c.sinkDemands()
	default:
		return nil // what it lacks depends on the mode
	}
}

func (c *runCommand) streams() bool { return c.Mode == modeStream }

func (c *runCommand) Run(ctx context.Context, p *process) error {
	if c.streams() {
		return runStream(ctx, p, &c.settings, &c.streamSettings, c.JSON)
	}
	return exportBatch(ctx, p, &c.settings, &c.Range, c.batchFlags)
}
