package simulator

import (
	"bytes"
	"testing"
	"time"
)

// TestHistory has the history of each lead agree with the truth of every version,
// and its times rise.
func TestHistory(t *testing.T) {
	s, err := New(Config{Seed: 3, Leads: 60, Listings: 4, From: epoch, To: epoch.Add(24 * time.Hour), Now: func() time.Time { return epoch.Add(48 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	item := s.ItemIDs()[1]
	for _, err := range []error{
		s.Respond(1, 2, 3), s.AddMessage(2), s.RenameBuyer(3), s.EndListing(item), s.AddMessage(1, 2), s.Reactivate(item), s.Respond(40),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AddLeads(5, epoch, epoch.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := s.EndListing(item); err != nil {
		t.Fatal(err)
	}
	histories := make(map[int][]State)
	for states := range s.History(s.Range()) {
		histories[states[0].Lead.Index] = states
	}
	if len(histories) != 65 {
		t.Errorf("%d histories of 65 leads", len(histories))
	}
	next := make(map[int]int) // state of each lead that is to be seen next
	for version := range s.Version() + 1 {
		for lead := range s.AllTruthAt(version, s.Range()) {
			states, at := histories[lead.Index], next[lead.Index]
			if at > 0 && same(states[at-1].Lead, lead) {
				continue
			}
			if at == len(states) || !same(states[at].Lead, lead) {
				t.Fatalf("version %d: lead %d is not in its history after %d of %d states", version, lead.Index, at, len(states))
			}
			next[lead.Index]++
		}
	}
	for index, states := range histories {
		if next[index] != len(states) {
			t.Errorf("lead %d: %d states of %d were ever true", index, next[index], len(states))
		}
		for i, st := range states {
			if i > 0 && (st.Since.Before(begun) || st.Since.Before(states[i-1].Since)) || i == 0 && index < 60 && !st.Since.IsZero() {
				t.Errorf("lead %d: state %d since %v", index, i, st.Since)
			}
		}
	}
}

func same(a, b Lead) bool { return a.Active == b.Active && bytes.Equal(a.Raw, b.Raw) }

// TestReactivate has leads of an ended listing come back with it.
func TestReactivate(t *testing.T) {
	s, err := New(Config{Seed: 3, Leads: 60, Listings: 4, From: epoch, To: epoch.Add(24 * time.Hour), Now: func() time.Time { return epoch.Add(48 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	count := func() (n int) {
		for range s.Truth(s.Range()) {
			n++
		}
		return n
	}
	item := s.ItemIDs()[0]
	if err := s.Reactivate(item); err == nil {
		t.Error("an active listing was reactivated")
	}
	if err := s.EndListing(item); err != nil {
		t.Fatal(err)
	}
	if count() == 60 {
		t.Error("the listing's leads are there though it has ended")
	}
	if err := s.Reactivate(item); err != nil {
		t.Fatal(err)
	}
	if count() != 60 || len(s.ItemIDs()) != 4 {
		t.Errorf("%d leads of 60, %d listings of 4", count(), len(s.ItemIDs()))
	}
}
