package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline"
)

// streamSummary is what a stream did from its start to its end.
type streamSummary struct {
	Polls int64 `json:"polls"`
	Leads int64 `json:"leads_received"`
	// Pages were landed, for they showed something; Unchanged answers held what was
	// known.
	Pages     int64 `json:"pages"`
	Unchanged int64 `json:"unchanged_answers"`
	Gaps      int64 `json:"gaps"`
	// Watermark is the moment before which everything was read.
	Watermark *time.Time `json:"watermark,omitempty"`
}

func newStreamSummary(s pipeline.StreamProgress, took time.Duration, a *assembly) *summary {
	stream := &streamSummary{Polls: s.Polls, Leads: s.Leads, Pages: s.Pages, Unchanged: s.Unchanged, Gaps: s.Gaps}
	if !s.Watermark.IsZero() {
		stream.Watermark = &s.Watermark
	}
	sum := &summary{Stream: stream, API: newAPISummary(a.client.Stats()), Sinks: sinkSummaries(s.Sinks), Duration: seconds(took)}
	sum.tally(a.Reader.Tally(), a.dead)
	return sum
}

// write is the summary's head for people.
func (s *streamSummary) write(b *strings.Builder, took time.Duration) {
	fmt.Fprintf(b, "Streamed for %s", took)
	if s.Watermark != nil {
		fmt.Fprintf(b, ", up to %s", s.Watermark.UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(b, ": %s, %s with something new, %s without", progress.Plural(s.Polls, "poll"), progress.Plural(s.Pages, "answer"), progress.Plural(s.Unchanged, "answer"))
	if s.Gaps > 0 {
		fmt.Fprintf(b, ", %s", progress.Plural(s.Gaps, "gap"))
	}
	b.WriteString("\n")
}
