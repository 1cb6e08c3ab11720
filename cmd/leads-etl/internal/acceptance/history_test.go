package acceptance

import (
	"fmt"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source/simulator"
	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// truth is all that every lead ever was. Leads that neither listing nor second
// nor text tells apart are in one group: whose change is whose cannot be told.
type truth map[string][]*life

// life is one lead, from state to state.
type life struct {
	// shown is when the API could show it at the earliest: its submitted time.
	shown  time.Time
	states []state
}

// state is a lead from one change to the next.
type state struct {
	since, until time.Time // until is zero for the present
	gone         bool
	row          oracle.Row // as a snapshot; of no use if gone
}

// keyOf is what of a lead never changes, by any of its rows.
func keyOf(row oracle.Row) string {
	text := func(column string) string {
		s, _ := row[column].(string)
		return s
	}
	return text("item_id") + "\n" + text("submitted_time") + "\n" + text("additional_information")
}

// history is the truth about the world up to now.
func (w *world) history() truth {
	w.t.Helper()
	all := make(truth)
	everything := window.New(w.sim.Range().From.AddDate(-1, 0, 0), time.Now().AddDate(0, 0, 1))
	for states := range w.sim.History(everything) {
		l := &life{shown: states[0].Lead.Created}
		for _, s := range states {
			row := oracle.Rows(slices.Values([]simulator.Lead{s.Lead}), oracle.Options{Account: account, Marketplace: marketplace, Messages: true})
			if len(row) == 0 {
				break // dead, and so a dead letter
			}
			l.add(state{since: s.Since, gone: !s.Lead.Active, row: row[0]})
		}
		if len(l.states) > 0 {
			key := keyOf(l.states[0].row)
			all[key] = append(all[key], l)
		}
	}
	return all
}

// add appends a state, unless nothing that means something changed.
func (l *life) add(s state) {
	if n := len(l.states); n > 0 {
		last := &l.states[n-1]
		if last.gone == s.gone && (s.gone || last.row["content_hash"] == s.row["content_hash"]) {
			return
		}
		last.until = s.since
	}
	l.states = append(l.states, s)
}

// last is the lead as it is now.
func (l *life) last() *state { return &l.states[len(l.states)-1] }

// seenBy reports whether one of the polls must have seen the lead in the state:
// it came after it and was over before the next change.
func (l *life) seenBy(s *state, polls []poll, settle time.Duration) bool {
	from := l.shown.Add(settle + 2*time.Second) // polls end at a full second
	if s.since.After(from) {
		from = s.since
	}
	for _, p := range polls {
		if p.clean && p.begun.After(from) && (s.until.IsZero() || p.ended.Before(s.until)) {
			return true
		}
	}
	return false
}

func (s *state) String() string {
	hash, _ := s.row["content_hash"].(string)
	if s.gone {
		hash = "gone"
	}
	return fmt.Sprintf("%.8s since %s", hash, s.since.Format("15:04:05.000"))
}
