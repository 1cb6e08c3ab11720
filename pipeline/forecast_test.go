package pipeline_test

import (
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Where leads are few, a month is one window; where they are many, as many as it
// takes to have 1,000 to 2,000 in each; and each query counts.
func TestForecast(t *testing.T) {
	const day = 24 * time.Hour
	begin := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	busy, quiet := journal.Query{Item: "1"}, journal.Query{Item: "2"}
	var f pipeline.Forecast
	if f.Known([]journal.Query{busy}) {
		t.Error("known without a page")
	}
	if got := f.Windows([]journal.Query{busy}, time.Hour)(0, 30*day); got != 1 {
		t.Errorf("without a page, a month takes %d calls", got)
	}
	for n := range 10 {
		w := window.New(begin.Add(time.Duration(n)*day), begin.Add(time.Duration(n+1)*day))
		f.Apply(journal.Record{Page: &journal.Page{Query: busy, Window: w, Leads: 36_000}}) // 1,500 an hour
		f.Apply(journal.Record{Page: &journal.Page{Query: quiet, Window: w, Leads: 1}})
		f.Apply(journal.Record{End: &journal.End{}})
	}
	if !f.Known([]journal.Query{busy, quiet}) || f.Known([]journal.Query{busy, {}}) {
		t.Error("what is known is wrong")
	}
	for _, c := range []struct {
		queries  []journal.Query
		from, to time.Duration
		want     int
	}{
		{[]journal.Query{busy}, 0, time.Minute, 1},
		{[]journal.Query{busy}, 0, day, 24},
		{[]journal.Query{busy}, 6 * day, 7*day + time.Second, 25},
		{[]journal.Query{busy, quiet}, 0, day, 25},
	} {
		if got := f.Windows(c.queries, time.Hour)(c.from, c.to); got != c.want {
			t.Errorf("%v from %s to %s: %d calls, want %d", c.queries, c.from, c.to, got, c.want)
		}
	}
}
