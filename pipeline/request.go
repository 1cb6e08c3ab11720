package pipeline

import (
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Request is what a batch is asked to export.
type Request struct {
	// Spec is the request in words that are the same when the same is asked
	// again; an interrupted batch is found by it.
	Spec    string
	Range   window.Window
	Queries []journal.Query
	// Restart begins anew even if a batch with that spec was interrupted.
	Restart bool
	// Fresh bounds how long ago a batch may have begun that is taken up; 0 is
	// without bound.
	Fresh time.Duration
}

// rollingFresh is how long a batch whose end moves with the time may be taken up.
// Such a range is asked for again and again, to see what has changed: one that
// never comes to its end, for a gap or a sink that fails, must not keep what it
// read at first from ever being read again.
const rollingFresh = 12 * time.Hour

// Between asks for a closed range. What of it lies in the future is left out,
// and asked for when the same range is asked again.
func Between(from, to, now time.Time, queries []journal.Query) (Request, error) {
	asked := window.New(from, to)
	if asked.Empty() {
		return Request{}, fmt.Errorf("the range %s is empty: its end must lie after its start", asked)
	}
	r := Request{Spec: asked.String(), Range: asked, Queries: queries}
	if now = now.UTC().Truncate(window.Second); now.Before(asked.To) {
		r.Range.To, r.Fresh = now, rollingFresh
	}
	if r.Range.Empty() {
		return Request{}, fmt.Errorf("the range %s lies in the future: let it begin before now", asked)
	}
	return r, nil
}

// Last asks for the time up to now.
func Last(length time.Duration, now time.Time, queries []journal.Query) (Request, error) {
	if length < window.Second {
		return Request{}, fmt.Errorf("the last %s is no range: at least one second is needed", length)
	}
	return Request{
		Spec: "last " + length.String(), Range: window.New(now.Add(-length), now), Queries: queries, Fresh: rollingFresh,
	}, nil
}

// Queries returns the queries for the listings, or the one for all active
// listings if none is named.
func Queries(items []string, status string, messages bool) []journal.Query {
	if len(items) == 0 {
		items = []string{""}
	}
	queries := make([]journal.Query, 0, len(items))
	for _, item := range items {
		queries = append(queries, journal.Query{Item: item, Status: status, Messages: messages})
	}
	return queries
}
