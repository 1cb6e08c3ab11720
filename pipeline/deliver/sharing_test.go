package deliver

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// pageOf is a result that can be told from others.
func pageOf(seq journal.Seq, rows int) func() (flatten.Result, error) {
	return func() (flatten.Result, error) {
		return flatten.Result{Rows: make([]schema.Row, rows), Unfit: int(seq)}, nil
	}
}

func unwanted() (flatten.Result, error) { return flatten.Result{}, errors.New("it is not kept") }

// All who ask while a part is being flattened wait for it, and get it.
func TestSharingFlattensOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSharing(1 << 20)
		const readers = 5
		for range readers {
			s.join()
		}
		var flattened atomic.Int32
		begin := make(chan struct{})
		var asking sync.WaitGroup
		for range readers {
			asking.Go(func() {
				r, err := s.get(pagePart{seq: 7}, func() (flatten.Result, error) {
					flattened.Add(1)
					<-begin
					return pageOf(7, 1)()
				})
				if err != nil || r.Unfit != 7 {
					t.Errorf("got %+v, %v", r, err)
				}
			})
		}
		synctest.Wait()
		close(begin)
		asking.Wait()
		if n := flattened.Load(); n != 1 {
			t.Errorf("flattened %d times", n)
		}
		if len(s.held) != 0 || s.recent.Len() != 0 || s.bytes != 0 {
			t.Errorf("keeps %d parts, %d bytes, which all have had", len(s.held), s.bytes)
		}
	})
}

// A part is kept until as many have asked for it as there are, or another needs
// the room.
func TestSharingKeepsWithinItsLimit(t *testing.T) {
	s := newSharing(3 * sizeOf(flatten.Result{Rows: make([]schema.Row, 10)}))
	s.join()
	leave := s.join()
	for seq := range journal.Seq(5) {
		if _, err := s.get(pagePart{seq: seq}, pageOf(seq, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if s.bytes > s.limit || len(s.held) != 3 {
		t.Errorf("keeps %d parts of %d bytes, with a limit of %d", len(s.held), s.bytes, s.limit)
	}
	for seq := journal.Seq(2); seq < 5; seq++ {
		if r, err := s.get(pagePart{seq: seq}, unwanted); err != nil || r.Unfit != int(seq) {
			t.Errorf("page %d: %v", seq, err)
		}
	}
	if _, err := s.get(pagePart{seq: 1}, pageOf(1, 10)); err != nil {
		t.Fatal(err)
	}
	leave()
	if s.bytes != 0 || len(s.held) != 0 {
		t.Errorf("keeps %d bytes with nobody to share with", s.bytes)
	}
}

// A failure is told to those who waited for it, and the next to ask tries again.
func TestSharingForgetsFailures(t *testing.T) {
	s := newSharing(1 << 20)
	s.join()
	s.join()
	failed := errors.New("no such page")
	if _, err := s.get(pagePart{}, func() (flatten.Result, error) { return flatten.Result{}, failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if r, err := s.get(pagePart{}, pageOf(3, 1)); err != nil || r.Unfit != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
}

// Who is ahead by as much as there is room for waits until another has come for what
// is kept, and all is flattened once.
func TestSharingWaitsForWhoIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const parts, room = 9, 3
		s := newSharing(room * sizeOf(flatten.Result{Rows: make([]schema.Row, 10)}))
		s.join()
		s.join()
		begun := time.Now()
		var ahead atomic.Int32
		var leader sync.WaitGroup
		leader.Go(func() {
			for seq := range journal.Seq(parts) {
				if _, err := s.get(pagePart{seq: seq}, pageOf(seq, 10)); err != nil {
					t.Error(err)
				}
				ahead.Add(1)
			}
		})
		for seq := range journal.Seq(parts) {
			synctest.Wait()
			if n := ahead.Load(); n > int32(seq)+room {
				t.Errorf("it is at page %d while the other has come to %d", n, seq)
			}
			if _, err := s.get(pagePart{seq: seq}, unwanted); err != nil {
				t.Errorf("page %d: %v", seq, err)
			}
		}
		leader.Wait()
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("it waited %s, although the other was at work", waited)
		}
	})
}

// One that does not come, for it is down or has nothing to do, holds nobody back for
// long; and of those that are at work, one never waits.
func TestSharingWaitsForNobodyForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSharing(3 * sizeOf(flatten.Result{Rows: make([]schema.Row, 10)}))
		s.join()
		s.join()
		begun := time.Now()
		const parts = 10_000
		for seq := range journal.Seq(parts) {
			if _, err := s.get(pagePart{seq: seq}, pageOf(seq, 10)); err != nil {
				t.Fatal(err)
			}
		}
		if waited, most := time.Since(begun), 12*catchUp; waited == 0 || waited > most {
			t.Errorf("%d parts took a wait of %s, with %s at most", parts, waited, most)
		}

		s.noWaits = 0
		begun = time.Now()
		var apart sync.WaitGroup
		for reader := range journal.Seq(2) {
			apart.Go(func() {
				for seq := range journal.Seq(100) {
					if _, err := s.get(pagePart{seq: parts + 2*seq + reader}, pageOf(seq, 10)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		apart.Wait()
		if waited := time.Since(begun); waited > catchUp {
			t.Errorf("two that read other pages waited %s for each other", waited)
		}
	})
}

// Who has to flatten again what had no room does not take the room of what the others
// are waiting for: readers that were apart meet again.
func TestSharingMeetsAgain(t *testing.T) {
	s := newSharing(3 * sizeOf(flatten.Result{Rows: make([]schema.Row, 10)}))
	for range 3 {
		s.join()
	}
	s.noWaits = 1 << 30 // nobody waits
	const parts = 20
	flattened := 0
	get := func(seq journal.Seq) {
		t.Helper()
		r, err := s.get(pagePart{seq: seq}, func() (flatten.Result, error) {
			flattened++
			return pageOf(seq, 10)()
		})
		if err != nil || r.Unfit != int(seq) {
			t.Errorf("page %d: %+v, %v", seq, r, err)
		}
	}
	// One runs ahead, and only its last three are kept.
	for seq := range journal.Seq(10) {
		get(seq)
	}
	// A second and a third come to what is gone, and then to what is kept.
	for seq := range journal.Seq(10) {
		get(seq)
		get(seq)
	}
	if len(s.held) != 0 || len(s.asked) != 0 || s.bytes != 0 {
		t.Errorf("%d parts, %d bytes are kept, and %d remembered, though all have had all", len(s.held), s.bytes, len(s.asked))
	}
	// From here on they are together.
	before := flattened
	for seq := journal.Seq(10); seq < parts; seq++ {
		get(seq)
		get(seq)
		get(seq)
	}
	if n := flattened - before; n != parts-10 {
		t.Errorf("%d parts were flattened %d times", parts-10, n)
	}
	// Two come to what a third has had and that is gone: the last of them keeps nothing.
	for seq := journal.Seq(parts); seq < parts+10; seq++ {
		get(seq)
	}
	before = flattened
	get(parts)
	s.shrink(0)
	get(parts)
	if flattened-before != 2 || s.held[pagePart{seq: parts}] != nil {
		t.Errorf("flattened %d times; kept: %t", flattened-before, s.held[pagePart{seq: parts}] != nil)
	}
}

// Who is ahead waits as long as another comes nearer, however slowly; who is behind
// does not wait for who is ahead.
func TestSharingWaitsWhileOthersComeNearer(t *testing.T) {
	for _, test := range []struct {
		name  string
		apart journal.Seq // by how many parts, at first
		waits bool
	}{
		{"near", 10, true},
		{"far", nearParts + 30, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSharing(3 * sizeOf(flatten.Result{Rows: make([]schema.Row, 10)}))
				for range 3 {
					s.join()
				}
				get := func(seq journal.Seq) {
					if _, err := s.get(pagePart{seq: seq}, pageOf(seq, 10)); err != nil {
						t.Error(err)
					}
				}
				s.noWaits = 1 << 30
				for seq := range test.apart {
					get(seq)
				}
				s.noWaits, s.inVain = 0, 0
				begun := time.Now()
				var ahead sync.WaitGroup
				ahead.Go(func() { get(test.apart) })
				// Two follow, with what takes them most of the time that is waited for them.
				const pace = catchUp * 4 / 5
				var behind time.Duration
				for seq := range journal.Seq(4) {
					time.Sleep(pace)
					now := time.Now()
					get(seq)
					get(seq)
					behind += time.Since(now)
				}
				synctest.Wait()
				if behind != 0 {
					t.Errorf("who is behind waited %s", behind)
				}
				s.mu.Lock()
				still := s.waiting > 0
				s.mu.Unlock()
				if still != test.waits {
					t.Errorf("after %s, who is ahead waits: %t", time.Since(begun), still)
				}
				for seq := journal.Seq(4); seq < test.apart; seq++ {
					get(seq)
					get(seq)
				}
				ahead.Wait()
			})
		})
	}
}

// While all have what there is, nothing is kept, and nobody waits for who rests.
func TestSharingKeepsNothingAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSharing(3 * sizeOf(flatten.Result{Rows: make([]schema.Row, 10)}))
		s.join()
		s.join()
		resume := s.rest()
		begun := time.Now()
		for seq := range journal.Seq(10) {
			if _, err := s.get(pagePart{seq: seq}, pageOf(seq, 10)); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("waited %s for one that rests", waited)
		}
		if s.bytes == 0 {
			t.Error("nothing is kept for who may come back soon")
		}
		if s.freeAtRest() {
			t.Error("one is at work")
		}
		defer s.rest()()
		if !s.freeAtRest() || s.bytes != 0 || len(s.held) != 0 {
			t.Errorf("keeps %d bytes although all rest", s.bytes)
		}
		resume()
		if s.freeAtRest() {
			t.Error("one is at work again")
		}
	})
}
