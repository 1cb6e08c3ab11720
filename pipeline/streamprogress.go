package pipeline

import (
	"sync"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
)

// StreamPhase is what a stream is at.
type StreamPhase string

// The phases.
const (
	phaseStarting StreamPhase = ""
	phasePolling  StreamPhase = "polling"
	phaseIdle     StreamPhase = "waiting for the next poll"
	phaseQuota    StreamPhase = "waiting for calls"
	phaseOutage   StreamPhase = "the API is not to be had"
	phaseDraining StreamPhase = "delivering what is landed"
)

// StreamProgress is a snapshot of a running stream.
type StreamProgress struct {
	Phase StreamPhase
	// Until is when it goes on, if it waits; of an outage, when that began.
	Until time.Time
	// Polls that were completed, and what was fetched: pages landed, answers that
	// held what was known, leads received, gaps met.
	Polls, Pages, Unchanged, Leads, Gaps int64
	// Watermark is the moment before which everything was read; zero before the
	// first poll.
	Watermark time.Time
	Sinks     []deliver.Report
}

// Progress returns a snapshot; it may be called while Run runs.
func (s *Stream) Progress() StreamProgress {
	p := s.progress.snapshot()
	for _, d := range s.deliveries {
		p.Sinks = append(p.Sinks, d.Report())
	}
	return p
}

// streamProgress is the part of the progress that polling keeps. It is safe for
// concurrent use.
type streamProgress struct {
	mu sync.Mutex
	StreamProgress
}

func (p *streamProgress) snapshot() StreamProgress {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.StreamProgress
}

func (p *streamProgress) waiting(phase StreamPhase, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Phase, p.Until = phase, until
}

func (p *streamProgress) fetched(s fetch.Stats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Pages += s.Pages
	p.Unchanged += s.Unchanged
	p.Leads += s.Leads
	p.Gaps += s.Gaps
}

func (p *streamProgress) polled(watermark time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Polls++
	p.Watermark = watermark
}
