package pipeline

import (
	"time"

	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Forecast estimates from the pages of a journal how many calls it takes to read
// a length of time. Feed it the records; the zero value knows of no page.
type Forecast struct {
	leads map[journal.Query]*density
}

// NewForecast goes on from what the pruned records of a journal say.
func NewForecast(past *base.Past) Forecast { return Forecast{leads: densities(past)} }

// Apply takes in the next record.
func (f *Forecast) Apply(r journal.Record) {
	if r.Page == nil {
		return
	}
	if f.leads == nil {
		f.leads = make(map[journal.Query]*density)
	}
	if f.leads[r.Page.Query] == nil {
		f.leads[r.Page.Query] = &density{}
	}
	f.leads[r.Page.Query].add(r.Page)
}

// Known reports whether there are pages of each of the queries to judge by.
func (f *Forecast) Known(queries []journal.Query) bool {
	for _, q := range queries {
		if f.leads[q] == nil {
			return false
		}
	}
	return true
}

// learning is how many answers teach a Sizer all that it ever learns of leads that
// are spread evenly: from a second to the longest window it takes 22.
const learning = 32

// Windows returns the estimate for the queries, in the form that
// StreamConfig.Schedule takes: of all calls that reading a stretch of ages takes,
// if windows are as wide as they come to be. width is that of the first.
func (f *Forecast) Windows(queries []journal.Query, width time.Duration) func(from, to time.Duration) int {
	sizes := make([]time.Duration, len(queries))
	for i, q := range queries {
		perSecond := 0.0
		if d := f.leads[q]; d != nil && d.seconds > 0 {
			perSecond = float64(d.leads) / d.seconds
		}
		sizer := window.NewSizer(width)
		for range learning {
			w := window.Window{From: time.Unix(0, 0), To: time.Unix(0, 0).Add(sizer.Size())}
			sizer.Answered(w, int(perSecond*w.Length().Seconds()), 0)
		}
		sizes[i] = sizer.Size()
	}
	return func(from, to time.Duration) int {
		calls := 0
		for _, size := range sizes {
			calls += int((to - from + size - 1) / size)
		}
		return max(calls, 1)
	}
}
