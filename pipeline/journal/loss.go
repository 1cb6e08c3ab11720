package journal

import (
	"slices"
	"sort"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Loss is an answer that was landed and is lost, as the journal keeps it in
// memory.
type Loss struct {
	Seq Seq `json:"seq"`
	// Known says that the page's window is; if not, it may have held any lead.
	Known  bool          `json:"known"`
	Window window.Window `json:"window"`
	// Undated says that it held leads that belong to no window.
	Undated bool `json:"undated"`
}

// MayHold reports whether the answer may have shown a lead that was submitted
// then; the zero time stands for one without.
func (l Loss) MayHold(submitted time.Time) bool {
	if !l.Known {
		return true
	}
	if submitted.IsZero() {
		return l.Undated
	}
	return l.Undated || l.Window.Contains(submitted)
}

func lossOf(r Record) Loss {
	l := Loss{Seq: r.Seq}
	if p := r.Lost.Page; p != nil {
		l.Known, l.Window, l.Undated = true, p.Window, p.Undated > 0
	}
	return l
}

// Losses returns the answers that were lost to damage and stand in the journal as
// lost records, or did before these were pruned, by their numbers. Only repairing a journal that is closed makes
// any. The slice is not to be changed.
func (j *Journal) Losses() []Loss {
	j.index.mu.RLock()
	defer j.index.mu.RUnlock()
	return j.index.losses
}

// lostBefore returns the answers before a record that are lost.
func (ix *index) lostBefore(n Seq) []Loss {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	i := sort.Search(len(ix.losses), func(i int) bool { return ix.losses[i].Seq >= n })
	return slices.Clone(ix.losses[:i])
}
