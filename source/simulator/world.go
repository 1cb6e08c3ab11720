package simulator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
	"time"
)

// latest stands for the present version of the world.
const latest = math.MaxUint64

// world is all that is true at some version: the leads of the beginning, and
// what happened since. Every change makes a new version; nothing is forgotten,
// so that what was true before can be told. Its methods are safe for concurrent
// use.
type world struct {
	gen   *generator
	start int64    // second of From
	times []uint32 // of the leads of the beginning, seconds after start, sorted

	mu      sync.RWMutex
	version uint64
	made    []time.Time // when each version was made, from 1 on
	late    []lateLead  // in the order of their numbers, which follow the times'
	byTime  []int32     // places in late, by second
	edits   map[int][]edit
	renames map[int][]uint64 // versions at which a buyer got another name
	ended   map[int][]uint64 // versions at which a listing ended, was active again, ended, …
	relists []relisting      // listings from gen.listings on
}

type lateLead struct {
	second  int64
	listing int
	added   uint64
}

type edit struct {
	kind    editKind
	version uint64
}

type relisting struct {
	of    int
	added uint64
}

func newWorld(c Config) *world {
	g := newGenerator(c)
	span := int(c.To.Sub(c.From) / time.Second)
	return &world{
		gen: g, start: c.From.Unix(), times: g.times(span, c.Burst, c.Bursts),
		edits: make(map[int][]edit), renames: make(map[int][]uint64), ended: make(map[int][]uint64),
	}
}

// ref is a lead of a selection. Refs sort by listing, then as the leads came.
type ref struct {
	listing int
	second  int64
	index   int
}

// selection says which leads are meant.
type selection struct {
	from, to int64 // seconds, both inclusive
	version  uint64
	// listing limits it to one, if not negative.
	listing int
	// ended includes the leads of listings that have ended.
	ended bool
	// answered and unanswered limit it by status; neither, or both, is all.
	answered, unanswered bool
}

// sel appends the leads that are meant to refs, in the order of their
// seconds; leads of one second in the order of their numbers.
func (w *world) sel(refs []ref, s selection) []ref {
	w.mu.RLock()
	defer w.mu.RUnlock()
	begin := len(refs)
	first := sort.Search(len(w.times), func(i int) bool { return w.start+int64(w.times[i]) >= s.from })
	for i := first; i < len(w.times); i++ {
		second := w.start + int64(w.times[i])
		if second > s.to {
			break
		}
		refs = w.add(refs, s, ref{w.gen.listingOf(i), second, i})
	}
	early := len(refs)
	first = sort.Search(len(w.byTime), func(i int) bool { return w.late[w.byTime[i]].second >= s.from })
	for _, n := range w.byTime[first:] {
		l := w.late[n]
		if l.second > s.to {
			break
		}
		if l.added <= s.version {
			refs = w.add(refs, s, ref{l.listing, l.second, len(w.times) + int(n)})
		}
	}
	if early < len(refs) {
		slices.SortFunc(refs[begin:], func(a, b ref) int {
			return cmp.Or(cmp.Compare(a.second, b.second), cmp.Compare(a.index, b.index))
		})
	}
	return refs
}

// add appends a lead if it is meant. The lock is held.
func (w *world) add(refs []ref, s selection, r ref) []ref {
	if s.listing >= 0 && r.listing != s.listing {
		return refs
	}
	if !s.ended && w.hasEnded(r.listing, s.version) {
		return refs
	}
	if s.answered != s.unanswered && (w.status(r.index, s.version) == statusResponded) != s.answered {
		return refs
	}
	return append(refs, r)
}

// status is what the filter goes by. The lock is held.
func (w *world) status(i int, version uint64) string {
	for _, e := range w.edits[i] {
		if e.version <= version && e.kind == editRespond {
			return statusResponded
		}
	}
	return w.gen.statusOf(i)
}

// compose fills d with a lead as it is at a version.
func (w *world) compose(d *draft, r ref, version uint64) {
	w.mu.RLock()
	var h history
	at := uint64(0)
	if len(w.edits) > 0 {
		for _, e := range w.edits[r.index] {
			if e.version <= version {
				h.edits = append(h.edits, e.kind)
				at = max(at, e.version)
			}
		}
	}
	if len(w.renames) > 0 {
		for _, v := range w.renames[w.gen.buyerOf(r.index)] {
			if v <= version {
				h.renames++
				at = max(at, v)
			}
		}
	}
	if r.index >= len(w.times) {
		at = max(at, w.late[r.index-len(w.times)].added)
	}
	active := !w.hasEnded(r.listing, version)
	title := w.original(r.listing)
	w.mu.RUnlock()

	w.gen.compose(d, r.index, r.second, title, h)
	d.ItemID = Some(itemID(r.listing))
	d.Version = at
	d.Active = active
}

// original is the listing whose title a listing has: itself, or what it relists.
func (w *world) original(listing int) int {
	for listing >= w.gen.listings {
		listing = w.relists[listing-w.gen.listings].of
	}
	return listing
}

// listingByID returns the number of the listing and whether there is one.
func (w *world) listingByID(id string) (int, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.listingNumber(id)
}

// change runs f, which gets the version that it makes.
func (w *world) change(f func(version uint64) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := f(w.version + 1); err != nil {
		return err
	}
	w.version++
	w.made = append(w.made, time.Now())
	return nil
}

func (w *world) now() uint64 {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.version
}

// known is the number of leads there ever were. The lock is held.
func (w *world) known() int { return len(w.times) + len(w.late) }

// check refuses lead numbers that are none. The lock is held.
func (w *world) check(leads []int) error {
	for _, i := range leads {
		if i < 0 || i >= w.known() {
			return fmt.Errorf("there is no lead %d, only 0 to %d", i, w.known()-1)
		}
	}
	return nil
}
