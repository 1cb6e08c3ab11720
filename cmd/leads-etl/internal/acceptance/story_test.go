package acceptance

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// story lets things happen in the world, as its seed says. Its methods are for
// one goroutine.
type story struct {
	t      testing.TB
	sim    *simulator.Server
	random *rand.Rand
	leads  int
	ended  []string
	steps  int
	// noReturns says that ended listings do not come back: a batch that sees their
	// leads again tells of them by the snapshot that it told of them before.
	noReturns bool
}

func newStory(t testing.TB, sim *simulator.Server, seed uint64) *story {
	return &story{t: t, sim: sim, random: rand.New(rand.NewPCG(seed, 1)), leads: sim.Config().Leads}
}

// step lets one thing happen: mostly an answer, a message or a renamed buyer, now
// and then new leads, or a listing that ends, comes back or is listed anew.
func (s *story) step() {
	s.steps++
	lead := s.random.IntN(s.leads)
	var err error
	switch n := s.random.IntN(100); {
	case n < 40:
		err = s.sim.Change(lead, s.random.IntN(s.leads))
	case n < 55:
		err = s.sim.AddMessage(lead)
	case n < 70:
		err = s.sim.RenameBuyer(lead)
	case n < 80:
		s.add(1+s.random.IntN(3), time.Minute)
	case n < 90:
		s.add(1, s.sim.Now().Sub(s.sim.Config().From)) // as eBay shows some late
	case n < 94:
		s.end()
	case n < 97 && len(s.ended) > 0 && !s.noReturns:
		at := s.random.IntN(len(s.ended))
		err = s.sim.Reactivate(s.ended[at])
		s.ended = append(s.ended[:at], s.ended[at+1:]...)
	case len(s.ended) > 0:
		_, err = s.sim.Relist(s.ended[s.random.IntN(len(s.ended))])
	}
	if err != nil {
		s.t.Error(err)
	}
}

// add lets leads appear that are at most so old.
func (s *story) add(n int, age time.Duration) {
	now := s.sim.Now().Truncate(time.Second)
	first, err := s.sim.AddLeads(n, now.Add(-age), now)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.leads = first + n
}

// end ends a listing, if enough are left.
func (s *story) end() {
	if ids := s.sim.ItemIDs(); len(ids) > 10 {
		item := ids[s.random.IntN(len(ids))]
		if err := s.sim.EndListing(item); err != nil {
			s.t.Error(err)
		}
		s.ended = append(s.ended, item)
	}
}

// goOn lets things happen, so long apart, until what it returns is called, which
// waits for the last one.
func (s *story) goOn(every time.Duration) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.step()
			case <-ended:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(ended)
		<-done
	})
}
