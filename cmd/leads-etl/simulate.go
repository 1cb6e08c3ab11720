package main

import (
	"context"
	"fmt"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/source/simulator"
)

type simulateCommand struct {
	simulator.Config `embed:""`
}

func (c *simulateCommand) Help() string {
	return `Examples:

    leads-etl simulate
    leads-etl simulate --leads 5000 --faults 350000=0.08,429=0.04:1s,short=0.05,max-leads=1500

The data is invented, and the same for the same seed. Faults are a list of rates.`
}

func (c *simulateCommand) Run(ctx context.Context, p *process) error {
	var problems config.Problems
	c.Validate(func(key, problem string) {
		problems = append(problems, config.Problem{Place: "--" + key, Text: problem})
	})
	if len(problems) > 0 {
		return problems
	}
	server, err := simulator.New(c.Config)
	if err != nil {
		return err
	}
	url, stop, err := server.Start(c.Addr)
	if err != nil {
		return err
	}
	defer stop()
	cfg := server.Config()
	fmt.Fprintf(p.out, `The simulator listens on %[1]s with %[2]s from %[3]s to %[4]s. Ctrl-C ends it.
Export them in another shell:

  export LEADS_ETL_EBAY_API_URL=%[1]s%[5]s
  export LEADS_ETL_EBAY_TOKEN_URL=%[1]s%[6]s
  export LEADS_ETL_EBAY_MARKETPLACE=%[7]s
  export LEADS_ETL_EBAY_CLIENT_ID=%[8]s
  export LEADS_ETL_EBAY_CLIENT_SECRET=%[9]s
  %[10]s batch --from %[3]s --to %[4]s --ndjson-dir leads
`, url, progress.Plural(cfg.Leads, "lead"), config.FormatTime(cfg.From), config.FormatTime(cfg.To),
		simulator.LeadsPath, simulator.TokenPath, cfg.Marketplace, cfg.ClientID, cfg.ClientSecret, programName)
	<-ctx.Done()
	return nil
}
