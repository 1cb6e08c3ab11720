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
	PhaseStarting StreamPhase = ""
	PhasePolling  StreamPhase = "polling"
	PhaseIdle     StreamPhase = "waiting for the next poll"
	PhaseQuota    StreamPhase = "waiting for calls"
	PhaseOutage   StreamPhase = "the API is not to be had"
	PhaseDraining StreamPhase = "delivering what is landed"
)

// StreamProgress is a snapshot of a running stream.
type StreamProgress struct {
	Phase StreamPhase
	// Until is when it goes on, if it waits; of an outage, when that began.
	Until time.Time
	// Trouble is what kept the last poll from coming to its end, if it did: a
	// *fetch.UnavailableError or *fetch.QuotaError. It is nil again after a poll
	// that did not meet it.
	Trouble error
	// Polls that were completed, and what was fetched: pages landed, answers that
	// held what was known, leads received, windows split, gaps met.
	Polls, Pages, Unchanged, Leads, Splits, Gaps int64
	// Polled is when the last poll was completed, zero before the first one.
	Polled time.Time
	// OpenGaps are the windows that could not be had up to that poll.
	OpenGaps int
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

// held is waiting for trouble to pass.
func (p *streamProgress) held(phase StreamPhase, until time.Time, trouble error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Phase, p.Until, p.Trouble = phase, until, trouble
}

func (p *streamProgress) fetched(s fetch.Stats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Pages += s.Pages
	p.Unchanged += s.Unchanged
	p.Leads += s.Leads
	p.Splits += s.Splits
	p.Gaps += s.Gaps
}

func (p *streamProgress) polled(watermark time.Time, openGaps int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Polls++
	p.Polled, p.OpenGaps, p.Trouble = time.Now(), openGaps, nil
	p.Watermark = watermark
}
