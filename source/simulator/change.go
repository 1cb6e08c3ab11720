package simulator

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"
)

// Respond lets the seller answer the leads: they turn RESPONDED, and their last
// message has a response. Each change of the world is one version, however many
// leads it concerns.
func (s *Server) Respond(leads ...int) error { return s.world.edit(editRespond, leads) }

// AddMessage lets the buyers of the leads write again.
func (s *Server) AddMessage(leads ...int) error { return s.world.edit(editMessage, leads) }

// Change lets something happen to each of the leads: those that are not
// answered are, the others get a further message.
func (s *Server) Change(leads ...int) error {
	var answered, open []int
	w := s.world
	w.mu.RLock()
	if err := w.check(leads); err != nil {
		w.mu.RUnlock()
		return err
	}
	for _, i := range leads {
		if w.status(i, latest) == statusResponded {
			answered = append(answered, i)
		} else {
			open = append(open, i)
		}
	}
	w.mu.RUnlock()
	if len(open) > 0 {
		if err := w.edit(editRespond, open); err != nil {
			return err
		}
	}
	if len(answered) > 0 {
		return w.edit(editMessage, answered)
	}
	return nil
}

// RenameBuyer gives the buyers of the leads another user name, which all their
// leads show from then on.
func (s *Server) RenameBuyer(leads ...int) error {
	w := s.world
	return w.change(func(version uint64) error {
		if err := w.check(leads); err != nil {
			return err
		}
		for _, i := range leads {
			buyer := w.gen.buyerOf(i)
			w.renames[buyer] = append(w.renames[buyer], version)
		}
		return nil
	})
}

// EndListing ends a listing: its leads are gone from the API.
func (s *Server) EndListing(itemID string) error {
	w := s.world
	return w.change(func(version uint64) error {
		listing, ok := w.listingNumber(itemID)
		if !ok {
			return fmt.Errorf("there is no listing %q", itemID)
		}
		if w.hasEnded(listing, latest) {
			return fmt.Errorf("listing %q has ended already", itemID)
		}
		w.ended[listing] = append(w.ended[listing], version)
		return nil
	})
}

// Reactivate shows an ended listing again, under the same id: its leads are back
// as they are now.
func (s *Server) Reactivate(itemID string) error {
	w := s.world
	return w.change(func(version uint64) error {
		listing, ok := w.listingNumber(itemID)
		if !ok {
			return fmt.Errorf("there is no listing %q", itemID)
		}
		if !w.hasEnded(listing, latest) {
			return fmt.Errorf("listing %q has not ended", itemID)
		}
		w.ended[listing] = append(w.ended[listing], version)
		return nil
	})
}

// Relist lists what an ended listing offered anew, and returns the new item id.
// The old listing's leads stay gone, unless that is reactivated.
func (s *Server) Relist(old string) (newID string, err error) {
	w := s.world
	err = w.change(func(version uint64) error {
		listing, ok := w.listingNumber(old)
		if !ok {
			return fmt.Errorf("there is no listing %q", old)
		}
		if !w.hasEnded(listing, latest) {
			return fmt.Errorf("listing %q has not ended", old)
		}
		newID = itemID(w.gen.listings + len(w.relists))
		w.relists = append(w.relists, relisting{of: listing, added: version})
		return nil
	})
	return newID, err
}

// AddLeads lets n more leads appear, submitted in [from, to) about listings that
// are active, and returns the number of the first; the others follow it.
func (s *Server) AddLeads(n int, from, to time.Time) (first int, err error) {
	span := int(to.Sub(from) / time.Second)
	if n < 0 || span <= 0 {
		return 0, fmt.Errorf("cannot add %d leads in %v", n, to.Sub(from))
	}
	w := s.world
	err = w.change(func(version uint64) error {
		first = w.known()
		r := newRNG(w.gen.seed, aspectLate, uint64(first))
		listings := w.gen.listings + len(w.relists)
		active := false
		for l := range listings {
			active = active || !w.hasEnded(l, latest)
		}
		if !active {
			return fmt.Errorf("all listings have ended")
		}
		for range n {
			listing := r.below(listings)
			for w.hasEnded(listing, latest) {
				listing = (listing + 1) % listings
			}
			l := lateLead{second: from.Unix() + int64(r.below(span)), listing: listing, added: version}
			w.late = append(w.late, l)
			at := sort.Search(len(w.byTime), func(i int) bool { return w.late[w.byTime[i]].second > l.second })
			w.byTime = slices.Insert(w.byTime, at, int32(len(w.late)-1))
		}
		return nil
	})
	return first, err
}

// Version is that of the world now; it rises by one with each change.
func (s *Server) Version() uint64 { return s.world.now() }

// ItemIDs returns the ids of all listings that are active.
func (s *Server) ItemIDs() []string {
	w := s.world
	w.mu.RLock()
	defer w.mu.RUnlock()
	var ids []string
	for l := range w.gen.listings + len(w.relists) {
		if !w.hasEnded(l, latest) {
			ids = append(ids, itemID(l))
		}
	}
	return ids
}

func (w *world) edit(kind editKind, leads []int) error {
	return w.change(func(version uint64) error {
		if err := w.check(leads); err != nil {
			return err
		}
		for _, i := range leads {
			w.edits[i] = append(w.edits[i], edit{kind, version})
		}
		return nil
	})
}

// listingNumber reads an item id. The lock is held.
func (w *world) listingNumber(id string) (int, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < firstItemID || (n-firstItemID)%itemIDStep != 0 {
		return 0, false
	}
	listing := (n - firstItemID) / itemIDStep
	if listing >= int64(w.gen.listings+len(w.relists)) || itemID(int(listing)) != id {
		return 0, false
	}
	return int(listing), true
}

// hasEnded tells of a version. The lock is held.
func (w *world) hasEnded(listing int, version uint64) bool {
	ended := false
	for _, at := range w.ended[listing] {
		if at <= version {
			ended = !ended
		}
	}
	return ended
}
