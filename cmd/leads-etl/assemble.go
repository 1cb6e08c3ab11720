package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/tracing"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/source"
)

// Folders in the state folder: responses that cannot be read, and the store of
// known leads, which may be deleted at any time.
const (
	deadLettersFolder = "dead-letters"
	knownFolder       = "known"
)

// identity is whose journal it has to be.
func (s *settings) identity() journal.Identity {
	api, _ := s.EBay.Endpoints()
	return journal.Identity{Account: s.EBay.Account, Marketplace: s.EBay.Marketplace, API: api}
}

// assembly is the parts of a run, put together.
type assembly struct {
	pipeline.Stages
	tracer *tracing.Tracer // nil without traces
	client *source.Client  // nil without the API
	survey *survey         // of the journal, as it was found
	dead   string

	flattener flatten.Flattener
	errors    *errorKeeper
}

// assemble opens the state. In a journal that has a stream, the store of known
// leads belongs to it, so that all that append tell of changes in the same order.
// The caller closes it.
func (s *settings) assemble(ctx context.Context, p *process) (_ *assembly, err error) {
	j, err := journal.Open(s.State.Dir, journal.Options{
		Identity: s.identity(), SegmentAge: s.State.Keep / segmentsOfKeep, Logger: p.log,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	keeper := &errorKeeper{dir: s.State.Dir, command: p.command()}
	logger := keeper.logger(p.log)
	a := &assembly{tracer: p.tracer, errors: keeper, dead: filepath.Join(s.State.Dir, deadLettersFolder)}
	a.flattener = flatten.Flattener{Account: s.EBay.Account, Marketplace: s.EBay.Marketplace}
	a.Stages = pipeline.Stages{
		Journal: j, Landing: p.tracer.Journal(j), Around: p.tracer.Around, Fetch: s.Fetch, Logger: logger,
		Reader: deliver.NewReader(j, a.flattener, deliver.NewDeadLetters(a.dead), logger),
	}
	a.Keep = s.State.Keep
	if a.Base, err = base.Open(j, a.flattener, logger); err != nil {
		err = fmt.Errorf("opening what stands for the pruned part of the journal: %w", err)
		a.Base = nil
		return nil, a.close(err)
	}
	if a.survey, err = look(ctx, j); err == nil && a.survey.streams {
		err = a.openKnown(ctx, s)
	}
	if err != nil {
		return nil, a.close(err)
	}
	return a, nil
}

// observe prepares to ask all sinks that the journal feeds, and that the
// configuration turns on, how far they have come.
func (a *assembly) observe(s *settings, fed outputs) {
	a.Observers = s.observers(fed, a.Journal, a.Logger)
}

func (s *settings) observers(fed outputs, j *journal.Journal, logger *slog.Logger) []pipeline.Observer {
	binding := deliver.Binding{JournalID: j.ID(), Account: s.EBay.Account, Marketplace: s.EBay.Marketplace}
	var all []pipeline.Observer
	for _, sink := range s.sinks(fed) {
		all = append(all, pipeline.Observer{Name: sink.name, Open: func(ctx context.Context) (pipeline.Observed, error) {
			return sink.observe(ctx, binding, logger.With("sink", sink.name))
		}})
	}
	return all
}

// openKnown opens the store of known leads, if it is not open yet. It may take
// its time where the store has to be made anew.
func (a *assembly) openKnown(ctx context.Context, s *settings) error {
	if a.Known != nil {
		return nil
	}
	store, err := known.Open(ctx, known.Options{
		Dir: filepath.Join(s.State.Dir, knownFolder), Journal: a.Journal, Pages: a.Reader, Flattener: a.flattener, Logger: a.Logger,
	})
	if err != nil {
		return fmt.Errorf("opening the store of known leads: %w", err)
	}
	a.Known = store
	return nil
}

// deliverTo prepares the sinks, which open when they are first needed.
func (a *assembly) deliverTo(s *settings, sinks []sink) {
	binding := deliver.Binding{JournalID: a.Journal.ID(), Account: s.EBay.Account, Marketplace: s.EBay.Marketplace}
	for _, sink := range sinks {
		logger := a.Logger.With("sink", sink.name)
		a.Sinks = append(a.Sinks, a.tracer.Opener(deliver.Opener{Name: sink.name, Open: func(ctx context.Context) (deliver.Sink, error) {
			return sink.open(ctx, binding, logger)
		}}))
	}
}

// connect adds the API. backoff is the first pause before a request is repeated,
// 0 for the usual one.
func (a *assembly) connect(s *settings, p *process, backoff time.Duration) error {
	client, err := source.New(s.EBay, s.Limit, source.Options{
		StateDir: s.State.Dir, Logger: a.Logger, Version: p.build.Version, Backoff: backoff, AroundTransport: a.tracer.Transport,
	})
	if err != nil {
		return fmt.Errorf("preparing to call the API: %w", err)
	}
	a.client, a.Source = client, a.tracer.Source(client)
	a.Quota, a.Now = client.Quota, client.ServerTime
	return nil
}

// close closes what was opened and joins what goes wrong to err, which is how the
// run ended. While the state is still locked, it is taken down there.
func (a *assembly) close(err error) error {
	if a.client != nil {
		a.client.Close()
	}
	if a.Known != nil {
		if closeErr := a.Known.Close(); closeErr != nil {
			err = errors.Join(err, fmt.Errorf("closing the store of known leads: %w", closeErr))
		}
	}
	if a.Base != nil {
		err = errors.Join(err, a.Base.Close())
	}
	a.errors.ended(err)
	if closeErr := a.Journal.Close(); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("closing the journal: %w", closeErr))
	}
	return err
}
