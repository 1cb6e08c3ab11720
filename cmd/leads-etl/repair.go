package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

type repairCommand struct {
	settings `embed:""`
	Write    bool `name:"write" xor:"write" help:"Do it. Without this, nothing is changed."`
	DryRun   bool `name:"dry-run" xor:"write" help:"Say what would be done, and change nothing: what is done without --write."`
	JSON     bool `name:"json" help:"As JSON."`
}

func (c *repairCommand) Help() string {
	return `Examples:

    leads-etl repair
    leads-etl repair --write

Reads all of the journal, past whatever is damaged. With --write, what can be read is kept under its numbers, records that cannot be read are marked as lost, and what they covered becomes gaps, which the next run fetches again. The damaged files are kept in the journal's folder damaged-…, and files of tables that are about to be replaced below _superseded. Also to be run after a backup was restored: it compares the journal with the positions of all sinks.`
}

func (c *repairCommand) validate(report func(section, key, problem string)) {
	c.validateFor(false, report)
}

func (c *repairCommand) Run(ctx context.Context, p *process) (err error) {
	s, err := journal.OpenDamaged(ctx, c.State.Dir, journal.SalvageOptions{Identity: c.identity(), Lock: c.Write})
	if errors.Is(err, fs.ErrNotExist) {
		return &usageError{err: fmt.Errorf("there is no journal in %s (state.dir): nothing was ever landed, or it is another folder", c.State.Dir), command: "repair"}
	}
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := &repairReport{State: c.State.Dir}
	sinkErr := c.positions(ctx, p, s, r)
	r.found(s)
	now := time.Now()
	var gaps []journal.Gap
	if !s.Sound() {
		gaps = pipeline.LostGaps(s.Records(), now)
	}
	r.Gaps = gapStatuses(gaps)
	switch {
	case c.Write && sinkErr != nil:
		// How far an output has come decides which numbers must not be given out again.
	case c.Write && !s.Sound():
		if sinkErr = c.keepTables(ctx, p, s, now, r); sinkErr != nil {
			break
		}
		if r.Aside, err = s.Write(gaps, now); err != nil {
			return fmt.Errorf("repairing the journal (what it was is in %s): %w", r.Aside, err)
		}
		r.Repaired = true
	}
	if sinkErr == nil && !s.Sound() && !r.Repaired {
		err = &toldError{errors.New("the journal is damaged"), exitUnexpected}
	}
	err = errors.Join(sinkErr, err)
	if c.JSON {
		return joinWrite(err, writeJSON(p.out, r))
	}
	return joinWrite(err, r.write(p.out))
}

// allOutputs are all that may ever have been written.
var allOutputs = outputs{tables: true, events: true, topic: true}

// positions compares the journal's end with how far every sink has come.
func (c *repairCommand) positions(ctx context.Context, p *process, s *journal.Salvage, r *repairReport) error {
	var errs []error
	for _, sink := range c.sinks(allOutputs) {
		furthest, err := c.furthest(ctx, p, s, sink)
		if err != nil {
			errs = append(errs, &deliver.SinkError{Sink: sink.name, Err: fmt.Errorf("how far it has come cannot be told, and has to be known before the journal is repaired: %w", err)})
			continue
		}
		r.Sinks = append(r.Sinks, repairSink{Name: sink.name, Next: furthest})
		s.AtLeast(furthest)
	}
	return errors.Join(errs...)
}

func (c *repairCommand) furthest(ctx context.Context, p *process, s *journal.Salvage, sink sink) (journal.Seq, error) {
	o, err := sink.observe(ctx, c.binding(s), p.log.With("sink", sink.name))
	if err != nil {
		return 0, err
	}
	furthest, err := deliver.Furthest(ctx, o, s.ID())
	return furthest, errors.Join(err, o.Close())
}

func (c *repairCommand) binding(s *journal.Salvage) deliver.Binding {
	return deliver.Binding{JournalID: s.ID(), Account: c.EBay.Account, Marketplace: c.EBay.Marketplace}
}

// keeper is an output whose files can be kept.
type keeper interface {
	Keep(which func(deliver.Partition) bool, now time.Time) (int, string, error)
}

// keepTables keeps the files of days of which an answer is lost: leads whose
// listing has ended since are in them, and in nothing else any more.
func (c *repairCommand) keepTables(ctx context.Context, p *process, s *journal.Salvage, now time.Time, r *repairReport) error {
	lost := slices.DeleteFunc(slices.Clone(s.Lost), func(r journal.Record) bool { return !r.Lost.MayBePage() })
	if len(lost) == 0 {
		return nil
	}
	concerned := func(p deliver.Partition) bool {
		return slices.ContainsFunc(lost, func(r journal.Record) bool {
			return r.Lost.Page == nil || p.Date == "" || deliver.Touches(r.Lost.Page.Window, p)
		})
	}
	for _, sink := range c.sinks(outputs{tables: true}) {
		o, err := sink.observe(ctx, c.binding(s), p.log.With("sink", sink.name))
		if err != nil {
			return &deliver.SinkError{Sink: sink.name, Err: err}
		}
		k, ok := o.(keeper)
		if ok {
			var kept repairKept
			kept.Sink = sink.name
			kept.Files, kept.Folder, err = k.Keep(concerned, now)
			if kept.Files > 0 {
				r.Kept = append(r.Kept, kept)
			}
		}
		if err := errors.Join(err, o.Close()); err != nil {
			return &deliver.SinkError{Sink: sink.name, Err: fmt.Errorf("keeping files that are about to be replaced: %w", err)}
		}
	}
	return nil
}
