package flatten

import (
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/schema"
)

// identify sets the hashes and ids of an answer's rows. Leads that would share
// an id are told apart by their content: they get the ordinals 1, 2, 3, … in
// the order of their hashes. Those of the same hash are the same to any reader,
// so it does not matter which of them is which.
//
// The rows must hold all leads of the answer with their submitted times: twins
// share theirs, so all rows of some stretch of time do, or all undated ones.
func identify(rows []schema.Row) {
	// Their texts lie in one buffer: a row costs no allocation.
	texts := idTexts(make([]byte, 0, len(rows)*(schema.ContentHashBytes+schema.LeadIDBytes+schema.EventIDBytes)))
	first := make(map[string]int, len(rows))
	var twins map[string][]int // by their common id, if there are two or more
	for i := range rows {
		r := &rows[i]
		r.ContentHash = texts.last(schema.AppendContentHash(texts, r))
		r.LeadID = texts.last(schema.AppendLeadID(texts, r, 1))
		other, shared := first[r.LeadID]
		if !shared {
			first[r.LeadID] = i
			continue
		}
		if twins == nil {
			twins = make(map[string][]int)
		}
		if twins[r.LeadID] == nil {
			twins[r.LeadID] = []int{other}
		}
		twins[r.LeadID] = append(twins[r.LeadID], i)
	}
	for _, alike := range twins {
		slices.SortStableFunc(alike, func(a, b int) int {
			return strings.Compare(rows[a].ContentHash, rows[b].ContentHash)
		})
		for n, i := range alike {
			rows[i].LeadID = schema.LeadID(&rows[i], n+1)
		}
	}
	for i := range rows {
		rows[i].EventID = texts.last(schema.AppendEventID(texts, &rows[i]))
	}
}

// idTexts are the texts of hashes and ids, which nothing changes any more.
type idTexts []byte

// last takes what was appended to t as the new t, and returns the text by which it
// is longer.
func (t *idTexts) last(longer []byte) string {
	from := len(*t)
	*t = longer
	return view(longer[from:])
}
