package pipeline_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// What a repaired journal asks for again, by what is known of the lost records:
// never less than what the lost answers covered.
func TestLostGaps(t *testing.T) {
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	hours := func(from, to int) window.Window {
		return window.New(start.Add(time.Duration(from)*time.Hour), start.Add(time.Duration(to)*time.Hour))
	}
	q, answered := journal.Query{Messages: true}, journal.Query{Status: "Answered"}
	begin := func(id string, from, to int, queries ...journal.Query) journal.Record {
		return journal.Record{Begin: &journal.Begin{ID: id, Range: hours(from, to), Queries: queries, Time: start}}
	}
	stream := func(id string, from int, queries ...journal.Query) journal.Record {
		r := begin(id, from, 24*365, queries...)
		r.Begin.Stream = true
		return r
	}
	page := func(batch string, q journal.Query, from, to int) journal.Record {
		return journal.Record{Page: &journal.Page{Batch: batch, Query: q, Window: hours(from, to), Received: start}}
	}
	poll := func(batch string, q journal.Query, from, to int) journal.Record {
		return journal.Record{Poll: &journal.Poll{Batch: batch, Query: q, Windows: []window.Window{hours(from, to)}, Received: start}}
	}
	end := func(batch string) journal.Record { return journal.Record{End: &journal.End{Batch: batch, Time: start}} }
	lost := func(kind string) journal.Record { return journal.Record{Lost: &journal.Lost{Kind: kind, Time: start}} }
	lostPage := func(batch string, q journal.Query, from, to int) journal.Record {
		return journal.Record{Lost: &journal.Lost{Kind: "page", Page: page(batch, q, from, to).Page, Time: start}}
	}
	gap := func(batch string, q journal.Query, from, to int) string {
		return fmt.Sprint(batch, " ", q, " ", hours(from, to))
	}
	for name, tc := range map[string]struct {
		records []journal.Record
		want    []string
	}{
		"nothing lost":   {[]journal.Record{begin("b", 0, 10, q), page("b", q, 0, 10), end("b")}, nil},
		"nothing at all": {nil, nil},
		"an answer's window is known": {[]journal.Record{begin("b", 0, 10, q), lostPage("b", q, 3, 5), page("b", q, 5, 10)},
			[]string{gap("b", q, 3, 5)}},
		"an answer of a batch that has ended": {[]journal.Record{begin("b", 0, 10, q), page("b", q, 0, 3), lostPage("b", q, 3, 10), end("b")},
			[]string{gap("b", q, 3, 10)}},
		"an unknown record: what its batch has not covered": {[]journal.Record{begin("b", 0, 10, q), page("b", q, 0, 4), lost(""), page("b", q, 6, 10), end("b")},
			[]string{gap("b", q, 4, 6)}},
		"the mark of a gap":  {[]journal.Record{begin("b", 0, 10, q), page("b", q, 0, 4), lost("gap"), page("b", q, 6, 10), end("b")}, []string{gap("b", q, 4, 6)}},
		"the mark of an end": {[]journal.Record{begin("b", 0, 10, q), page("b", q, 0, 10), lost("end")}, nil},
		"each query by itself": {[]journal.Record{begin("b", 0, 10, q, answered), page("b", q, 0, 10), lost("page"), end("b")},
			[]string{gap("b", answered, 0, 10)}},
		"not a batch that began later": {[]journal.Record{begin("a", 0, 10, q), page("a", q, 0, 9), lost(""), end("a"), begin("b", 0, 20, q)},
			[]string{gap("a", q, 9, 10)}},
		"nor one that had ended": {[]journal.Record{begin("a", 0, 10, q), end("a"), begin("b", 20, 30, q), lost("")},
			[]string{gap("b", q, 20, 30)}},
		"all that were under way": {[]journal.Record{begin("a", 0, 10, q), begin("b", 20, 30, q), lost("")},
			[]string{gap("a", q, 0, 10), gap("b", q, 20, 30)}},
		"a stream: all that it has read, up to its last poll": {[]journal.Record{stream("s", 0, q), page("s", q, 0, 5), lost(""), poll("s", q, 2, 9)},
			[]string{gap("s", q, 0, 9)}},
		"a stream's answer": {[]journal.Record{stream("s", 0, q), page("s", q, 0, 5), lostPage("s", q, 1, 2), page("s", q, 1, 2)},
			[]string{gap("s", q, 1, 2)}}, // a later answer is no substitute: what changed in between has to be told
		"no batch is known: all that was ever read": {[]journal.Record{lost(""), page("b", q, 2, 5), poll("s", q, 7, 9)},
			[]string{gap("", q, 2, 9)}},
		"nothing is known of anything": {[]journal.Record{lost(""), lost("")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range tc.records {
				tc.records[i].Seq = journal.Seq(i)
			}
			now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
			var got []string
			for _, g := range pipeline.LostGaps(slices.Values(tc.records), now) {
				got = append(got, fmt.Sprint(g.Batch, " ", g.Query, " ", g.Window))
				if g.Reason == "" || !g.Time.Equal(now) {
					t.Errorf("reason %q, time %s", g.Reason, g.Time)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("gaps %q, want %q", got, tc.want)
			}
		})
	}
}
