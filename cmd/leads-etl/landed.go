package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/display"
	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// openLanded looks at what is landed, beside whatever runs. asOf is the moment to go
// back to; zero for now. closing releases what it reads.
func (s *settings) openLanded(ctx context.Context, p *process, asOf time.Time) (_ *browse.Landed, closing func(), err error) {
	for {
		l, closing, err := s.openLandedOnce(ctx, p, asOf)
		if _, again := errors.AsType[*journal.PrunedError](err); !again {
			return l, closing, err
		}
		// The journal was pruned while it was opened: there is a newer base.
	}
}

func (s *settings) openLandedOnce(ctx context.Context, p *process, asOf time.Time) (_ *browse.Landed, closing func(), err error) {
	j, err := journal.OpenReadOnly(s.State.Dir, p.log)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, s.nothingLanded(p.line.name)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the journal: %w", err)
	}
	if have, want := j.Identity(), s.identity(); have != want {
		return nil, nil, errors.Join(&journal.IdentityError{Dir: s.State.Dir, Have: have, Want: want}, j.Close())
	}
	l, err := browse.Open(ctx, j, asOf)
	if err != nil {
		return nil, nil, errors.Join(err, j.Close())
	}
	return l, func() { _, _ = l.Close(), j.Close() }, nil // they were read only
}

// sincePruned says of what is shown that it begins when the journal was pruned.
func sincePruned(ctx context.Context, p *process, l *browse.Landed, what, hint string) error {
	pruned, err := l.Pruned(ctx)
	if err == nil && pruned != nil {
		p.notice(fmt.Sprintf("the journal was pruned: %s that were seen up to %s are gone", what, display.Time(pruned.Until)), hint)
	}
	return err
}

// nothingLanded is the error of a command that needs a journal where there is none.
func (s *settings) nothingLanded(command string) error {
	return &usageError{err: fmt.Errorf("nothing is landed in %s: run batch or stream first, or name another folder with --state-dir", s.State.Dir), command: command}
}

// spanConfig is a range of submitted times to look at: everything, unless it says
// less.
type spanConfig struct {
	From config.Time   `name:"from" placeholder:"TIME" help:"Only leads submitted since then: a date, or RFC 3339."`
	To   config.Time   `name:"to" placeholder:"TIME" help:"Only leads submitted before then."`
	Last time.Duration `name:"last" default:"0s" placeholder:"DURATION" help:"Only leads submitted within so long, such as 30d or 12h."`
}

// window returns the range; empty for everything.
func (c *spanConfig) window(now time.Time) (window.Window, error) {
	switch {
	case c.Last < 0:
		return window.Window{}, fmt.Errorf("--last: %s is negative", config.FormatDuration(c.Last))
	case c.Last > 0 && !(c.From.IsZero() && c.To.IsZero()):
		return window.Window{}, errors.New("--last contradicts --from and --to: give one of them")
	case c.Last > 0:
		return window.New(now.Add(-c.Last), now.Add(window.Second)), nil
	case c.From.IsZero() && c.To.IsZero():
		return window.Window{}, nil
	}
	w := window.New(c.From.Time, c.To.Time)
	if c.To.IsZero() {
		w.To = openEnd
	}
	if w.Empty() {
		return w, fmt.Errorf("--to: %s does not lie after --from, %s", config.FormatTime(c.To.Time), config.FormatTime(c.From.Time))
	}
	return w, nil
}

// askedFor makes it a mistake of the user's that there is nothing that was asked
// for.
func askedFor(err error, command string) error {
	_, bad := errors.AsType[*browse.BadIDError](err)
	_, early := errors.AsType[*browse.TooEarlyError](err)
	if _, missing := errors.AsType[*browse.NotFoundError](err); bad || early || missing {
		return &usageError{err: err, command: command}
	}
	return err
}
