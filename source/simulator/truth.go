package simulator

import (
	"iter"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Truth yields the leads that the API shows at present for the window, by their
// second, then number: those of active listings whose time has come. Changes of
// the world while it runs are not seen. A lead without a readable time is in the
// window of the second in which the API has it.
func (s *Server) Truth(w window.Window) iter.Seq[Lead] { return s.truth(w, s.world.now(), false) }

// TruthAt is the Truth of an earlier version of the world.
func (s *Server) TruthAt(version uint64, w window.Window) iter.Seq[Lead] {
	return s.truth(w, version, false)
}

// AllTruth is Truth, with the leads of listings that have ended.
func (s *Server) AllTruth(w window.Window) iter.Seq[Lead] { return s.truth(w, s.world.now(), true) }

// AllTruthAt is TruthAt, with the leads of listings that had ended.
func (s *Server) AllTruthAt(version uint64, w window.Window) iter.Seq[Lead] {
	return s.truth(w, version, true)
}

// Range is the window of the config: [From, To).
func (s *Server) Range() window.Window { return window.New(s.cfg.From, s.cfg.To) }

// truthChunk is about how many leads are selected at a time.
const truthChunk = 4096

func (s *Server) truth(w window.Window, version uint64, ended bool) iter.Seq[Lead] {
	return func(yield func(Lead) bool) {
		from, to := ceilSecond(w.From), min(ceilSecond(w.To)-1, s.Now().Unix())
		span := int64(s.cfg.To.Sub(s.cfg.From) / time.Second)
		step := max(1, span*truthChunk/int64(len(s.world.times)+1))
		var refs []ref
		for ; from <= to; from += step {
			refs = s.world.sel(refs[:0], selection{
				from: from, to: min(from+step-1, to), version: version, listing: -1, ended: ended,
			})
			for _, r := range refs {
				if !yield(s.world.leadAt(r, version)) {
					return
				}
			}
		}
	}
}

// ceilSecond is the first whole second that is not before t.
func ceilSecond(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// leadAt returns one lead, independent of everything else.
func (w *world) leadAt(r ref, version uint64) Lead {
	var d draft
	w.compose(&d, r, version)
	d.Raw = appendResponse(nil, &d, true)
	return d.Lead
}
