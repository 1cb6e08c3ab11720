package coverage

import (
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// State is all that a Tracker knows, in a form that can be written down: it stands
// for the records that the tracker was fed.
type State struct {
	Open []BatchState  `json:"open,omitempty"`
	Gaps []journal.Gap `json:"gaps,omitempty"`
}

// BatchState is an open batch.
type BatchState struct {
	Begin   journal.Begin   `json:"begin"`
	Begun   time.Time       `json:"begun"`
	Queries []ProgressState `json:"queries"`
}

// ProgressState is how far one of a batch's queries has come.
type ProgressState struct {
	Query  journal.Query   `json:"query"`
	Landed []window.Window `json:"landed,omitempty"`
	Dealt  []window.Window `json:"dealt,omitempty"`
}

// State returns what the tracker knows. It shares nothing with the tracker.
func (t *Tracker) State() State {
	s := State{Gaps: t.gaps.open()}
	for _, b := range t.open {
		state := BatchState{Begin: b.Begin, Begun: b.Begun}
		for _, p := range b.queries {
			state.Queries = append(state.Queries, ProgressState{Query: p.query, Landed: p.landed.Windows(), Dealt: p.dealt.Windows()})
		}
		s.Open = append(s.Open, state)
	}
	return s
}

// Tracker returns a tracker that goes on from the state, and shares nothing with
// it.
func (s *State) Tracker() Tracker {
	var t Tracker
	for _, state := range s.Open {
		b := &Batch{Begin: state.Begin, Begun: state.Begun}
		for _, q := range state.Queries {
			b.queries = append(b.queries, &progress{query: q.Query, landed: setOf(q.Landed), dealt: setOf(q.Dealt)})
		}
		t.open = append(t.open, b)
	}
	for _, g := range s.Gaps {
		t.gaps.missed(g)
	}
	return t
}

func setOf(windows []window.Window) window.Set {
	var s window.Set
	for _, w := range windows {
		s.Add(w)
	}
	return s
}
