package pipeline_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// standing is a sink that has come as far as its position.
type standing struct {
	semantics deliver.Semantics
	at        deliver.Position
	err       error
}

func (s standing) Semantics() deliver.Semantics { return s.semantics }

func (s standing) Position(context.Context, deliver.Partition) (deliver.Position, error) {
	return s.at, s.err
}

func (s standing) Close() error { return nil }

// What is old is pruned up to where the slowest sink is, in whole segments, and who
// holds it back is named.
func TestWhatCanBePruned(t *testing.T) {
	j, err := journal.Open(t.TempDir(), journal.Options{
		Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}, SegmentAge: time.Hour, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	now := time.Now().UTC()
	// Two pages of each hour, from ten hours ago on: segments begin with 0, 2, 4, …
	for i := range 20 {
		received := now.Add(-10*time.Hour + time.Duration(i/2)*time.Hour + time.Duration(i%2)*time.Minute)
		_, err := j.Append(t.Context(), journal.Record{Page: &journal.Page{Window: window.New(received, received.Add(time.Second)), Received: received}})
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(next journal.Seq) standing { return standing{at: deliver.Position{Journal: j.ID(), Next: next}} }
	known := journal.Seq(5)
	down := errors.New("the broker is down")
	for name, c := range map[string]struct {
		keep    time.Duration
		limit   int
		known   *journal.Seq
		sinks   []standing
		refused error
		want    journal.Seq
		hold    string
	}{
		"by age":                        {keep: 5*time.Hour + 30*time.Minute, sinks: []standing{at(20)}, want: 10},
		"nothing is old":                {keep: 20 * time.Hour, sinks: []standing{{err: down}}, want: 0},
		"but for what is written to":    {keep: time.Nanosecond, sinks: []standing{at(20)}, want: 18},
		"a little at a time":            {keep: time.Nanosecond, limit: 3, sinks: []standing{at(20)}, want: 6},
		"a sink is behind":              {keep: time.Nanosecond, sinks: []standing{at(20), at(7)}, want: 6, hold: "b has come to record 7 only"},
		"a sink is a little behind":     {keep: 5*time.Hour + 30*time.Minute, sinks: []standing{at(12)}, want: 10},
		"a sink is down":                {keep: time.Nanosecond, sinks: []standing{at(20), {err: down}}, want: 0, hold: "b cannot be asked how far it has come: the broker is down"},
		"a sink cannot be observed":     {keep: time.Nanosecond, sinks: []standing{at(20)}, refused: down, want: 0, hold: "a cannot be asked how far it has come: the broker is down"},
		"a sink is new":                 {keep: time.Nanosecond, sinks: []standing{{}}, want: 0, hold: "a has not been given anything yet"},
		"a sink is of another journal":  {keep: time.Nanosecond, sinks: []standing{{at: deliver.Position{Journal: "other", Next: 20}}}, want: 0, hold: "a was written under another journal"},
		"a table is behind":             {keep: time.Nanosecond, sinks: []standing{{semantics: deliver.Replace}}, want: 18},
		"known leads are behind":        {keep: time.Nanosecond, known: &known, sinks: []standing{at(20)}, want: 4, hold: "known leads have not taken it in yet"},
		"nobody is there to be behind ": {keep: time.Nanosecond, want: 18},
	} {
		var observers []pipeline.Observer
		for i, s := range c.sinks {
			observers = append(observers, pipeline.Observer{Name: string(rune('a' + i)), Open: func(context.Context) (pipeline.Observed, error) { return s, c.refused }})
		}
		p, err := pipeline.PlanPrune(t.Context(), j, c.keep, c.limit, c.known, observers)
		if err != nil || p.First != 0 || p.To != c.want || p.Segments != int(c.want)/2 || (p.Bytes > 0) != (c.want > 0) {
			t.Errorf("%s: %+v, %v, want it cut at %d", name, p, err, c.want)
		}
		if (c.hold != "") != (len(p.Holds) == 1) || c.hold != "" && !strings.HasPrefix(p.Holds[0].String(), c.hold) {
			t.Errorf("%s: held back by %v", name, p.Holds)
		}
	}
}
