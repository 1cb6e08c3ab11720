package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/display"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/schema"
)

type historyCommand struct {
	settings  `embed:""`
	Lead      string      `arg:"" name:"lead-id" help:"The lead, by its lead_id."`
	Submitted config.Time `name:"submitted" placeholder:"TIME" help:"When the lead was submitted: then it need not be searched for."`
	Reveal    bool        `name:"reveal" help:"Show personal data, which is masked otherwise."`
	JSON      bool        `name:"json" help:"As JSON."`
}

func (c *historyCommand) Help() string {
	return `Examples:

    leads-etl history 4a3b8756-d967-5b55-a854-1b75ab7a6314

All versions of one lead, what changed with each, when it was seen first and last, and whether it has vanished. It goes by what is landed, works beside a stream that runs, and gives a lead whose buyer was renamed the id that the stream gives it; it can be asked for by the other, too.

Of a journal that was pruned ([state] keep), the first version is the lead as it was known then, and what came before is gone.`
}

func (c *historyCommand) validate(report func(section, key, problem string)) {
	c.validateFor(false, report)
}

func (c *historyCommand) Run(ctx context.Context, p *process) error {
	landed, closing, err := c.openLanded(ctx, p, time.Time{})
	if err != nil {
		return err
	}
	defer closing()
	h, err := landed.History(ctx, c.Lead, c.Submitted.Time)
	if err != nil {
		return askedFor(err, "history")
	}
	if c.JSON {
		doc, err := historyDocument(h, c.Reveal)
		return joinWrite(err, writeJSON(p.out, doc))
	}
	return writeHistory(p, h, c.Reveal)
}

// writeHistory shows a history to people.
func writeHistory(p *process, h *browse.History, reveal bool) error {
	var b strings.Builder
	last := shownRow(h.Versions[len(h.Versions)-1].Row, reveal)
	line := p.labelled(&b)
	line("lead", "%s", h.Lead)
	for _, id := range h.Other {
		line("", "%s, since its buyer was renamed", id)
	}
	line("listing", "%s  %s", last.ItemID.Or("-"), display.Printable(last.ItemTitle.Or("")))
	if last.SubmittedTime.Valid {
		line("submitted", "%s", display.Time(last.SubmittedTime.Value))
	}
	line("seen", "%s", seen(h))
	now := display.Printable(last.LeadStatus.Or("without a status"))
	if h.Vanished {
		now = "vanished: the API shows it no more"
	}
	versions := progress.Plural(len(h.Versions), "version")
	if h.Pruned != nil {
		versions += " known, what was before is pruned"
	}
	line("now", "%s; %s", now, versions)
	for i, v := range h.Versions {
		row := shownRow(v.Row, reveal)
		what := string(row.EventType)
		if row.LeadVersion.Valid {
			what = fmt.Sprintf("%d %s", row.LeadVersion.Value, what)
		}
		if i == 0 && h.Pruned != nil {
			what += fmt.Sprintf(", as known when the journal was pruned up to %s; earlier versions, if there were any, are gone", display.Time(h.Pruned.Until))
		}
		fmt.Fprintf(&b, "\n%s  %s\n", display.Time(row.ExtractedAt), what)
		switch {
		case i == 0:
			writeContent(&b, p, &row)
		case row.EventType == schema.Vanished:
		case len(v.Changed) == 0:
			b.WriteString("  it is back, as it was\n")
		default:
			before := shownRow(h.Versions[i-1].Row, reveal)
			writeChanges(&b, p, v.Changed, &before, &row)
		}
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

// seen says when the lead was seen, as far as that is not pruned.
func seen(h *browse.History) string {
	switch {
	case h.Pruned == nil:
		return fmt.Sprintf("first %s, last %s", display.Time(h.FirstSeen), display.Time(h.LastSeen))
	case h.LastSeen.IsZero():
		return "before the journal was pruned"
	}
	return fmt.Sprintf("first before the journal was pruned, last %s", display.Time(h.LastSeen))
}

// writeContent shows all that the API told of a lead.
func writeContent(b *strings.Builder, p *process, r *schema.Row) {
	for i := range schema.Columns {
		c := &schema.Columns[i]
		if text := display.Text(c, r); c.FromAPI() && text != "" && c.Name != "item_id" && c.Name != "item_title" && c.Name != "submitted_time" {
			b.WriteString(display.Value(c.Name, text, p.outWidth(), p.ascii))
		}
	}
}

// writeChanges shows what was and what is.
func writeChanges(b *strings.Builder, p *process, changed []schema.Column, before, now *schema.Row) {
	for i := range changed {
		c := &changed[i]
		old, fresh := display.Text(c, before), display.Text(c, now)
		if old == "" {
			old = "(none)"
		}
		if fresh == "" {
			fresh = "(none)"
		}
		b.WriteString(display.Change(c.Name, old, fresh, p.outWidth(), p.ascii))
	}
}

// shownRow is a copy of the row as it may be shown.
func shownRow(r schema.Row, reveal bool) schema.Row {
	if !reveal {
		display.Mask(&r)
	}
	return r
}

// historyJSON is a history for machines.
type historyJSON struct {
	Lead      string        `json:"lead_id"`
	Other     []string      `json:"other_ids,omitempty"`
	FirstSeen time.Time     `json:"first_seen,omitzero"` // absent if that was pruned
	LastSeen  time.Time     `json:"last_seen,omitzero"`
	Pruned    *prunedJSON   `json:"pruned,omitempty"`
	Vanished  bool          `json:"vanished"`
	Versions  []versionJSON `json:"versions"`
}

// prunedJSON says that the first version is the lead as it was known when the
// records before one were pruned, and that earlier versions are gone.
type prunedJSON struct {
	Before uint64    `json:"before_record"`
	Until  time.Time `json:"until"`
}

type versionJSON struct {
	// Changes are old and new values by column, as they are shown to people.
	Changes []changeJSON    `json:"changes"`
	Row     json.RawMessage `json:"row"`
}

type changeJSON struct {
	Column string `json:"column"`
	Old    string `json:"old"`
	New    string `json:"new"`
}

func historyDocument(h *browse.History, reveal bool) (*historyJSON, error) {
	doc := &historyJSON{Lead: h.Lead, Other: h.Other, FirstSeen: h.FirstSeen, LastSeen: h.LastSeen, Vanished: h.Vanished}
	if h.Pruned != nil {
		doc.Pruned = &prunedJSON{Before: uint64(h.Pruned.Before), Until: h.Pruned.Until}
	}
	var before schema.Row
	for _, v := range h.Versions {
		row := shownRow(v.Row, reveal)
		text, err := schema.AppendJSON(nil, &row)
		if err != nil {
			return nil, err
		}
		one := versionJSON{Row: text, Changes: []changeJSON{}}
		for i := range v.Changed {
			c := &v.Changed[i]
			one.Changes = append(one.Changes, changeJSON{Column: c.Name, Old: display.Text(c, &before), New: display.Text(c, &row)})
		}
		doc.Versions = append(doc.Versions, one)
		before = row
	}
	return doc, nil
}
