package simulator

import (
	"context"
	"time"
)

// Churn lets the world change a little, by ChurnStep, again and again until the
// context ends. It blocks.
func (s *Server) Churn(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.ChurnStep()
		}
	}
}

// ChurnStep makes one change of the script that the seed and the present version
// give: mostly new leads of the last minutes and answers to leads, sometimes a
// further message, a renamed buyer, a late lead, or a listing that ends and is
// listed anew.
func (s *Server) ChurnStep() {
	w := s.world
	r := newRNG(w.gen.seed, aspectChurn, 1<<50+w.now())
	now := s.Now()
	w.mu.RLock()
	leads := w.known()
	w.mu.RUnlock()
	u := r.float()
	if leads == 0 || u < 0.35 {
		_, _ = s.AddLeads(1+r.below(3), now.Add(-time.Minute), now) // fails if all listings have ended
		return
	}
	lead := r.below(leads)
	// Changes fail for leads and listings that do not exist, or if somebody else
	// ended the listing just now: then this step changes nothing.
	switch {
	case u < 0.65:
		_ = s.Respond(lead)
	case u < 0.85:
		_ = s.AddMessage(lead)
	case u < 0.90:
		_ = s.RenameBuyer(lead)
	case u < 0.95:
		_, _ = s.AddLeads(1, now.Add(-48*time.Hour), now.Add(-time.Hour))
	default:
		if ids := s.ItemIDs(); len(ids) > 0 {
			id := ids[r.below(len(ids))]
			if s.EndListing(id) == nil {
				_, _ = s.Relist(id)
			}
		}
	}
}
