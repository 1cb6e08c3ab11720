package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/report"
	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/source"
)

type reportCommand struct {
	settings `embed:""`
	spanConfig
	HTML string `name:"html" required:"" placeholder:"FILE" help:"The file to write; one that is there is replaced."`
}

func (c *reportCommand) Help() string {
	return `Examples:

    leads-etl report --html leads.html
    leads-etl report --html september.html --from 2026-09-01 --to 2026-10-01

One page with plots and tables: leads per day and listing, answer times, status, fees, gaps, calls against the quota. It holds no personal data, needs neither network nor another file, and can be sent on. It goes by what is landed, and works beside a stream that runs. Where the journal was pruned ([state] keep), calls of before are not in it.`
}

func (c *reportCommand) validate(report func(section, key, problem string)) {
	c.validateFor(false, report)
}

func (c *reportCommand) Run(ctx context.Context, p *process) error {
	asked, err := c.window(time.Now())
	if err != nil {
		return &usageError{err: err, command: "report"}
	}
	landed, closing, err := c.openLanded(ctx, p, time.Time{})
	if err != nil {
		return err
	}
	defer closing()
	if err := sincePruned(ctx, p, landed, "calls", "leads and gaps of all times are in the report"); err != nil {
		return err
	}
	facts := &report.Facts{Account: c.EBay.Account, Marketplace: c.EBay.Marketplace, Made: time.Now(), Asked: asked}
	leads := 0
	for row, err := range landed.Rows(ctx, browse.Filter{Window: asked, OldestFirst: true}) {
		if err != nil {
			return err
		}
		facts.Add(&row)
		leads++
	}
	if err := c.operation(ctx, landed, facts); err != nil {
		return err
	}
	if err := writeFile(c.HTML, facts); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%s: %s\n", c.HTML, progress.Plural(leads, "lead"))
	return err
}

// operation adds what the journal says of gaps and calls.
func (c *reportCommand) operation(ctx context.Context, landed *browse.Landed, facts *report.Facts) error {
	for _, g := range landed.View().Coverage().Gaps() {
		if facts.Asked.Empty() || g.Window.Overlaps(facts.Asked) {
			facts.Gaps = append(facts.Gaps, report.Gap{Window: g.Window, Item: g.Query.Item, Reason: g.Reason})
		}
	}
	facts.Calls = make(map[string]int)
	for r, err := range landed.Journal().Records(ctx, 0) {
		switch {
		case err != nil:
			return fmt.Errorf("reading the journal: %w", err)
		case r.Page != nil:
			facts.Calls[source.QuotaDay(r.Page.Received)]++
		case r.Poll != nil:
			facts.Calls[source.QuotaDay(r.Poll.Received)] += len(r.Poll.Windows)
		}
	}
	facts.Today = source.QuotaDay(facts.Made)
	var err error
	facts.Used, facts.Quota, _, err = source.Usage(c.State.Dir, c.Limit, facts.Made)
	return err
}

// writeFile writes the report at one stroke: whoever opens the file sees all of
// it, or what was there before.
func writeFile(path string, facts *report.Facts) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".report-*.tmp")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	if err := facts.Write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
