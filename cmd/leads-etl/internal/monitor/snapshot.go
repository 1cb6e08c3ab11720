package monitor

import (
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/source"
)

// Snapshot is how a run is doing at one moment.
type Snapshot struct {
	// Stream or Batch is what runs; both are nil for a replay.
	Stream *pipeline.StreamProgress
	Batch  *pipeline.Progress
	// Sinks are those of a replay; a stream and a batch bring their own.
	Sinks []deliver.Report
	// API is nil where it is not called.
	API     *API
	Journal Journal
	Tally   deliver.Tally
}

// API is what a client tells.
type API struct {
	source.Stats
	// Used of Limit calls were made today; the next day begins at Reset.
	Used, Limit int
	Reset       time.Time
	// Skew is how far the API's clock is ahead of ours; SkewKnown says that it has
	// answered.
	Skew      time.Duration
	SkewKnown bool
}

// Journal is what there is on disk.
type Journal struct {
	Bytes   int64
	Records uint64
	Pages   int
}

func (s *Snapshot) sinks() []deliver.Report {
	switch {
	case s.Stream != nil:
		return s.Stream.Sinks
	case s.Batch != nil:
		return s.Batch.Sinks
	}
	return s.Sinks
}

// unready says in words what keeps the run from doing what it is for; nothing if
// all is well. A stream is ready from its first poll on, until the API is away,
// the quota is spent or it is told to stop; any run while no sink fails.
func (s *Snapshot) unready() []string {
	var reasons []string
	if st := s.Stream; st != nil {
		switch {
		case st.Phase == pipeline.PhaseDraining:
			reasons = append(reasons, "stopping: what is landed is being delivered")
		case st.Trouble != nil:
			reasons = append(reasons, st.Trouble.Error())
		case st.Polls == 0:
			reasons = append(reasons, "the first poll has not come to its end")
		}
	}
	for _, sink := range s.sinks() {
		if sink.Failing != nil {
			reasons = append(reasons, fmt.Sprintf("sink %s fails since %s: %v", sink.Sink, sink.Since.UTC().Format(time.RFC3339), sink.Failing))
		}
	}
	return reasons
}
