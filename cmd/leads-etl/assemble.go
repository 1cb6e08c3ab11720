package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/source"
)

// deadLettersFolder is where in the state folder responses go that cannot be
// read.
const deadLettersFolder = "dead-letters"

// identity is whose journal it has to be.
func (s *settings) identity() journal.Identity {
	api, _ := s.EBay.Endpoints()
	return journal.Identity{Account: s.EBay.Account, Marketplace: s.EBay.Marketplace, API: api}
}

// assembly is the parts of a run, put together.
type assembly struct {
	pipeline.Stages
	client *source.Client // nil without the API
	dead   string
}

// assemble opens the state and prepares the sinks, which open when they are
// first needed. The caller closes it.
func (s *settings) assemble(p *process, sinks []sink) (*assembly, error) {
	j, err := journal.Open(s.State.Dir, journal.Options{Identity: s.identity(), Logger: p.log})
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	a := &assembly{dead: filepath.Join(s.State.Dir, deadLettersFolder)}
	flattener := flatten.Flattener{Account: s.EBay.Account, Marketplace: s.EBay.Marketplace}
	a.Stages = pipeline.Stages{
		Journal: j, Fetch: s.Fetch, Logger: p.log,
		Reader: deliver.NewReader(j, flattener, deliver.NewDeadLetters(a.dead), p.log),
	}
	binding := deliver.Binding{JournalID: j.ID(), Account: s.EBay.Account, Marketplace: s.EBay.Marketplace}
	for _, sink := range sinks {
		logger := p.log.With("sink", sink.name)
		a.Sinks = append(a.Sinks, deliver.Opener{Name: sink.name, Open: func(ctx context.Context) (deliver.Sink, error) {
			return sink.open(ctx, binding, logger)
		}})
	}
	return a, nil
}

// connect adds the API. backoff is the first pause before a request is repeated,
// 0 for the usual one.
func (a *assembly) connect(s *settings, p *process, backoff time.Duration) error {
	client, err := source.New(s.EBay, s.Limit, source.Options{StateDir: s.State.Dir, Logger: p.log, Version: p.build.Version, Backoff: backoff})
	if err != nil {
		return fmt.Errorf("preparing to call the API: %w", err)
	}
	a.client, a.Source = client, client
	return nil
}

// close closes what was opened and joins what goes wrong to err.
func (a *assembly) close(err error) error {
	if a.client != nil {
		a.client.Close()
	}
	if closeErr := a.Journal.Close(); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("closing the journal: %w", closeErr))
	}
	return err
}
