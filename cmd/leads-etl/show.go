package main

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/display"
	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/schema"
)

type showCommand struct {
	settings `embed:""`
	spanConfig
	Item    string   `name:"item" placeholder:"ID" help:"Only leads of this listing."`
	Lead    string   `name:"lead" placeholder:"ID" help:"Only this lead."`
	Type    []string `name:"type" placeholder:"TYPE" help:"Events of these types, in the place of leads as they were seen last: snapshot, created, updated, vanished, or all."`
	Output  string   `name:"output" placeholder:"NAME" help:"Rows that this sink has written, in the place of what is landed: parquet, ndjson or kafka."`
	Limit   int      `name:"limit" short:"n" default:"20" help:"So many rows at most; 0 for all."`
	Columns []string `name:"columns" placeholder:"NAME" help:"These columns of the row; those that fit the width if absent."`
	Reveal  bool     `name:"reveal" help:"Show personal data, which is masked otherwise."`
	JSON    bool     `name:"json" help:"As NDJSON, a row a line, with all columns."`
}

func (c *showCommand) Help() string {
	return `Examples:

    leads-etl show
    leads-etl show --last 1d --item 123456789012 --limit 0
    leads-etl show --type updated,vanished --last 7d
    leads-etl show --json --limit 0 --reveal | jq -r .email
    leads-etl show --output parquet --last 7d

Rows from what is landed, the newest first: each lead as it was seen last, or, with --type, the events. Neither the API is called nor anything changed, and it works beside a stream that runs. Events are worked out from the journal, for the range that is asked for: a short one is faster. Where the journal was pruned ([state] keep), leads are all there, and events those since.

With --output, the rows are read back from the files, or from the topic, as they stand there, all versions of a lead; the journal is not needed, nor has it to be whole. Of files, the events of a stream come first, and then the table of batches.`
}

func (c *showCommand) validate(report func(section, key, problem string)) {
	c.validateFor(false, report)
}

func (c *showCommand) Run(ctx context.Context, p *process) error {
	filter, columns, err := c.ask(time.Now())
	if err != nil {
		return &usageError{err: err, command: "show"}
	}
	all, closing, err := c.rows(ctx, p, filter)
	if err != nil {
		return err
	}
	defer closing()
	more := false
	rows := limited(all, c.Limit, &more)
	if !c.Reveal {
		rows = maskedRows(rows)
	}
	var n int
	if c.JSON {
		n, err = writeRows(p, rows)
	} else {
		table := display.Table{Columns: columns, Width: p.outWidth(), ASCII: p.ascii}
		n, err = table.Write(p.out, rows)
	}
	if err != nil {
		return askedFor(err, "show")
	}
	switch {
	case n == 0 && c.Output != "":
		p.notice("no row that is asked for is in "+c.Output, "")
	case n == 0:
		p.notice("no row is landed that is asked for", "")
	case more:
		these := "this one"
		if n > 1 {
			these = fmt.Sprintf("these %d", n)
		}
		p.notice("there are more than "+these, "--limit 0 shows all")
	}
	return nil
}

// rows are those that are landed, or written. closing releases what they are read
// from.
func (c *showCommand) rows(ctx context.Context, p *process, filter browse.Filter) (_ iter.Seq2[schema.Row, error], closing func(), err error) {
	if c.Output != "" {
		output, closing, err := c.openOutput(ctx, p, c.Output)
		if err != nil {
			return nil, nil, err
		}
		return browse.RowsOf(ctx, output, filter), closing, nil
	}
	landed, closing, err := c.openLanded(ctx, p, time.Time{})
	if err != nil {
		return nil, nil, err
	}
	if len(filter.Types) > 0 {
		if err := sincePruned(ctx, p, landed, "events", "show without --type has all leads as they were seen last, and show --output what a sink has written"); err != nil {
			closing()
			return nil, nil, err
		}
	}
	return landed.Rows(ctx, filter), closing, nil
}

// ask reads the flags.
func (c *showCommand) ask(now time.Time) (browse.Filter, []display.Column, error) {
	f := browse.Filter{Item: c.Item, Lead: c.Lead}
	var err error
	if f.Window, err = c.window(now); err != nil {
		return f, nil, err
	}
	for _, t := range c.Type {
		switch {
		case t == "all":
			f.Types = schema.EventTypes
		case slices.Contains(schema.EventTypes, schema.EventType(t)):
			f.Types = append(slices.Clip(f.Types), schema.EventType(t))
		default:
			return f, nil, fmt.Errorf("--type: %q is none of %s, all", t, eventTypeNames())
		}
	}
	if c.Output != "" && !slices.Contains(sinkKinds, c.Output) {
		return f, nil, fmt.Errorf("--output: %q is none of %s", c.Output, strings.Join(sinkKinds, ", "))
	}
	if c.Limit < 0 {
		return f, nil, fmt.Errorf("--limit: %d is negative", c.Limit)
	}
	columns := display.Usual(len(f.Types) > 0 || c.Output != "", c.Reveal)
	if len(c.Columns) > 0 {
		columns, err = display.Named(c.Columns)
	}
	return f, columns, err
}

func eventTypeNames() string {
	names := make([]string, len(schema.EventTypes))
	for i, t := range schema.EventTypes {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}

// limited ends after so many rows, and says whether there were more.
func limited(rows iter.Seq2[schema.Row, error], limit int, more *bool) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		n := 0
		for row, err := range rows {
			if err == nil && limit > 0 && n == limit {
				*more = true
				return
			}
			n++
			if !yield(row, err) {
				return
			}
		}
	}
}

func maskedRows(rows iter.Seq2[schema.Row, error]) iter.Seq2[schema.Row, error] {
	return func(yield func(schema.Row, error) bool) {
		for row, err := range rows {
			display.Mask(&row)
			if !yield(row, err) {
				return
			}
		}
	}
}

// writeRows writes rows as NDJSON.
func writeRows(p *process, rows iter.Seq2[schema.Row, error]) (n int, err error) {
	w := bufio.NewWriter(p.out)
	var line []byte
	for row, err := range rows {
		if err != nil {
			return n, err
		}
		if line, err = schema.AppendJSON(line[:0], &row); err != nil {
			return n, err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return n, err
		}
		n++
	}
	return n, w.Flush()
}

// outWidth is the width of the terminal that out is; 0, for no limit, if it is
// none.
func (c *console) outWidth() int {
	f, ok := c.out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
