package simulator

import (
	"bytes"
	"iter"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// State is a lead from one of its changes to the next.
type State struct {
	// Since is when the change was made, by this machine's clock (neither Skew nor
	// Config.Now move it); zero for what was so from the beginning. An answer to a
	// request that came later shows it.
	Since time.Time
	// Lead is as it was then. Where it is not Active, the API did not show it.
	Lead Lead
}

// History yields all that each lead of the window ever was, in order, up to the
// present; the first state is the one in which it appeared. Leads come in the
// order of Truth. Changes of the world while it runs are not seen.
func (s *Server) History(w window.Window) iter.Seq[[]State] {
	return func(yield func([]State) bool) {
		now := s.world.now()
		refs := s.world.sel(nil, selection{
			from: ceilSecond(w.From), to: min(ceilSecond(w.To)-1, s.Now().Unix()), version: now, listing: -1, ended: true,
		})
		for _, r := range refs {
			var states []State
			for _, version := range s.world.versions(r, now) {
				lead := s.world.leadAt(r, version)
				if n := len(states); n > 0 && lead.Active == states[n-1].Lead.Active && bytes.Equal(lead.Raw, states[n-1].Lead.Raw) {
					continue // the change does not show: a guest's user name
				}
				states = append(states, State{Since: s.world.since(version), Lead: lead})
			}
			if !yield(states) {
				return
			}
		}
	}
}

// versions are those at which a lead appeared or something happened to it, up to
// now.
func (w *world) versions(r ref, now uint64) []uint64 {
	w.mu.RLock()
	defer w.mu.RUnlock()
	first := uint64(0)
	if r.index >= len(w.times) {
		first = w.late[r.index-len(w.times)].added
	}
	all := []uint64{first}
	add := func(version uint64) {
		if first < version && version <= now {
			all = append(all, version)
		}
	}
	for _, e := range w.edits[r.index] {
		add(e.version)
	}
	for _, version := range w.renames[w.gen.buyerOf(r.index)] {
		add(version)
	}
	for _, version := range w.ended[r.listing] {
		add(version)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// since is when a version was made; zero for the first one.
func (w *world) since(version uint64) time.Time {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if version == 0 {
		return time.Time{}
	}
	return w.made[version-1]
}
