package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// survey is what one look through the journal's records tells.
type survey struct {
	tracker  coverage.Tracker
	forecast pipeline.Forecast
	// batches and streams say that there were any, whether they have ended or not.
	batches, streams bool
	// leads were in pages that cover so many seconds, those that were read again
	// counted again; landed are the pages' leads by the hour of their arrival.
	leads   int
	seconds float64
	landed  map[time.Time]int
	// polled is when a stream read last, whether it found something new or not.
	polled map[string]time.Time
	// past is what the pruned records say; all else goes on from it.
	past *base.Past
}

// look reads all records of the journal, without the pages' bodies.
func look(ctx context.Context, j *journal.Journal) (*survey, error) {
	past, err := base.ReadPast(j)
	if err != nil {
		return nil, err
	}
	s := &survey{
		tracker: past.Coverage.Tracker(), forecast: pipeline.NewForecast(past), batches: past.Batches, streams: past.Streams,
		polled: map[string]time.Time{}, landed: map[time.Time]int{}, past: past,
	}
	for _, q := range past.Queries {
		s.leads += q.Leads
		s.seconds += q.Seconds
	}
	maps.Copy(s.polled, past.Polled)
	for r, err := range j.Records(ctx, 0) {
		if err != nil {
			return nil, fmt.Errorf("reading the journal: %w", err)
		}
		s.apply(r)
	}
	return s, nil
}

func (s *survey) apply(r journal.Record) {
	s.tracker.Apply(r)
	s.forecast.Apply(r)
	if r.Page != nil {
		s.leads += r.Page.Leads
		s.seconds += r.Page.Window.Length().Seconds()
		s.landed[r.Page.Received.Truncate(time.Hour)] += r.Page.Leads
	}
	switch {
	case r.Begin != nil && r.Begin.Stream:
		s.streams = true
	case r.Begin != nil:
		s.batches = true
	case r.Page != nil:
		s.polled[r.Page.Batch] = r.Page.Received
	case r.Poll != nil:
		s.polled[r.Poll.Batch] = r.Poll.Received
	}
}

// landedSince is how many leads came since then.
func (s *survey) landedSince(then time.Time) int {
	n := 0
	for hour, leads := range s.landed {
		if !hour.Before(then.Truncate(time.Hour)) {
			n += leads
		}
	}
	return n
}

// outputs are those that the journal feeds. What was never begun leaves nothing
// behind; a journal without anything is one of batches.
func (s *survey) outputs() outputs {
	return outputs{tables: s.batches || !s.streams, events: s.streams, topic: true}
}

// open returns the batches, or the streams, that have not ended.
func (s *survey) open(streams bool) []*coverage.Batch {
	var open []*coverage.Batch
	for _, b := range s.tracker.Open() {
		if b.Begin.Stream == streams {
			open = append(open, b)
		}
	}
	return open
}

// watermark is the moment before which all that the stream reads was read; zero
// if it began with no moment yet.
func watermark(stream *coverage.Batch) time.Time {
	var mark time.Time
	for _, q := range stream.Queries {
		missing := stream.Missing(q)
		if len(missing) > 0 && (mark.IsZero() || missing[0].From.Before(mark)) {
			mark = missing[0].From
		}
	}
	return mark
}
