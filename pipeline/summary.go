package pipeline

import (
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Progress is a snapshot of a running batch.
type Progress struct {
	// Covered of Total is landed or given up; both are sums over all queries.
	Covered, Total time.Duration
	// Pages and Leads received, windows split, and gaps, of this run.
	Pages, Leads, Splits, Gaps int64
	// Elapsed since Run began.
	Elapsed time.Duration
	Sinks   []deliver.Report
}

// Progress returns a snapshot; it may be called while Run runs.
func (b *Batch) Progress() Progress {
	stats := b.fetcher.Stats()
	p := Progress{
		Covered: stats.Covered, Total: b.plan.Missing,
		Pages: stats.Pages, Leads: stats.Leads, Splits: stats.Splits, Gaps: stats.Gaps,
	}
	if begun := b.begun.Load(); begun != nil {
		p.Elapsed = time.Since(*begun)
	}
	for _, d := range b.deliveries {
		p.Sinks = append(p.Sinks, d.Report())
	}
	return p
}

// Summary is what a run did.
type Summary struct {
	Batch   string
	Resumed bool
	Range   window.Window
	// Pages and Leads received by this run. A lead in the second where two
	// windows touch is received twice and exported once.
	Pages, Leads, Splits int64
	Gaps                 []journal.Gap
	// Tally counts what flattening met, over all pages that were delivered.
	Tally    deliver.Tally
	Sinks    []deliver.Report
	Duration time.Duration
}

func (b *Batch) summary(gaps []journal.Gap) Summary {
	p := b.Progress()
	return Summary{
		Batch: b.plan.Batch, Resumed: b.plan.Resumed, Range: b.request.Range,
		Pages: p.Pages, Leads: p.Leads, Splits: p.Splits, Gaps: gaps,
		Tally: b.stages.Reader.Tally(), Sinks: p.Sinks, Duration: p.Elapsed,
	}
}
