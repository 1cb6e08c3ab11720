package journal

import (
	"cmp"
	"slices"
	"sort"
	"sync"
)

// index is what a journal keeps in memory: where each record is, and what its
// pages say, as far as anybody asks for it without reading.
type index struct {
	mu       sync.RWMutex
	segments []*segment
	pages    []PageRef
	losses   []Loss
	// strings holds one copy of each batch id and query string.
	strings map[string]string
	// changed is closed and replaced when records were added.
	changed chan struct{}
}

// segment is where the records of one file are.
type segment struct {
	base    Seq
	offsets []int64
	// end is where its last frame ends.
	end int64
}

func newIndex() *index {
	return &index{strings: map[string]string{}, changed: make(chan struct{})}
}

// publish adds what a group commit made durable, and wakes those who wait.
func (ix *index) publish(group []entry, end int64) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for _, e := range group {
		ix.addRecord(e)
	}
	ix.synced(end)
	close(ix.changed)
	ix.changed = make(chan struct{})
}

// publishSegment adds a segment that was created.
func (ix *index) publishSegment(base Seq) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.addSegment(base)
}

// addSegment, addRecord and synced are for the loader, which is alone, and for
// callers that hold the lock.
func (ix *index) addSegment(base Seq) {
	ix.segments = append(ix.segments, &segment{base: base, end: segmentHeaderSize})
}

func (ix *index) addRecord(e entry) {
	last := ix.segments[len(ix.segments)-1]
	last.offsets = append(last.offsets, e.off)
	if r := e.rec; r.Page != nil {
		ref := ix.ref(r.Seq, r.Page)
		ref.Bytes = int64(e.body)
		ix.pages = append(ix.pages, ref)
	}
	if r := e.rec; r.Lost != nil && r.Lost.MayBePage() {
		ix.losses = append(ix.losses, lossOf(r))
	}
}

func (ix *index) synced(end int64) { ix.segments[len(ix.segments)-1].end = end }

func (ix *index) ref(seq Seq, p *Page) PageRef {
	return PageRef{
		Seq: seq,
		Query: Query{
			Item:     ix.intern(p.Query.Item),
			Status:   ix.intern(p.Query.Status),
			Messages: p.Query.Messages,
		},
		Window:   p.Window,
		Batch:    ix.intern(p.Batch),
		Received: p.Received,
		Leads:    p.Leads,
		Undated:  p.Undated,
		Short:    p.Short,
	}
}

func (ix *index) intern(s string) string {
	if one, ok := ix.strings[s]; ok {
		return one
	}
	ix.strings[s] = s
	return s
}

// drop forgets the records before n, with which a segment begins.
func (ix *index) drop(n Seq) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.segments = slices.DeleteFunc(slices.Clone(ix.segments), func(s *segment) bool { return s.base < n })
	i, _ := slices.BinarySearchFunc(ix.pages, n, func(p PageRef, n Seq) int { return cmp.Compare(p.Seq, n) })
	ix.pages = slices.Clone(ix.pages[i:]) // the others are in use by those who asked for them
}

// all returns the segments.
func (ix *index) all() []SegmentRef {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	refs := make([]SegmentRef, len(ix.segments))
	for i, s := range ix.segments {
		refs[i] = SegmentRef{First: s.base, End: s.base + Seq(len(s.offsets)), Bytes: s.end}
	}
	return refs
}

// first returns the number of the oldest record there is.
func (ix *index) first() Seq {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.segments[0].base
}

// next returns the number that the next record will have.
func (ix *index) next() Seq {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	last := ix.segments[len(ix.segments)-1]
	return last.base + Seq(len(last.offsets))
}

// bytes returns the size of all segments, as far as they are synced.
func (ix *index) bytes() int64 {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	var sum int64
	for _, s := range ix.segments {
		sum += s.end
	}
	return sum
}

// place is where a record's frame is: in the segment that begins with base,
// from offset off on, ending at limit or before.
type place struct {
	base       Seq
	off, limit int64
}

// locate finds a record; false if it is not (or no longer) there.
func (ix *index) locate(seq Seq) (place, bool) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	i := sort.Search(len(ix.segments), func(i int) bool { return ix.segments[i].base > seq }) - 1
	if i < 0 {
		return place{}, false
	}
	s := ix.segments[i]
	n := seq - s.base
	switch {
	case n >= Seq(len(s.offsets)):
		return place{}, false
	case n+1 < Seq(len(s.offsets)):
		return place{s.base, s.offsets[n], s.offsets[n+1]}, true
	default:
		return place{s.base, s.offsets[n], s.end}, true
	}
}
