package main

import (
	"context"
	"fmt"
)

// modeBatch is the one value of mode.
const modeBatch = "batch"

type runCommand struct {
	Mode       string `name:"mode" env:"LEADS_ETL_MODE" default:"batch" placeholder:"MODE" help:"What to do: batch is the only mode."`
	settings   `embed:""`
	batchFlags `embed:""`
}

func (c *runCommand) Help() string {
	return "For schedulers and containers: what is done stands in the configuration alone. The only mode is batch, which needs a range under [batch]."
}

// validate adds the mode to the settings.
func (c *runCommand) validate(report func(section, key, problem string)) {
	c.settings.validate(report)
	switch c.Mode {
	case modeBatch:
	case "stream":
		report("", "mode", "stream is not part of this version: the only mode is batch")
	default:
		report("", "mode", fmt.Sprintf("%q is no mode: the only one is batch", c.Mode))
	}
}

func (c *runCommand) demands() []demand {
	if c.Mode != modeBatch {
		return nil // what it lacks depends on the mode
	}
	return c.batchDemands()
}

func (c *runCommand) Run(ctx context.Context, p *process) error {
	return exportBatch(ctx, p, &c.settings, c.batchFlags)
}
