package readback

// Committed values are settled by markers that come after them, while the log
// is read in stretches, forward within a stretch, the last stretch first.

// candidate is a record of the key that is looked for.
type candidate struct {
	offset int64
	value  []byte
	found  bool
}

// later is what is known of a producer from stretches behind the one that is
// read: how its first transaction there ended.
type later map[int64]bool

// stretch settles the records of one stretch of the log.
type stretch struct {
	// pending is each producer's last record of the key in its open transaction.
	pending map[int64]candidate
	// first is how the first transaction that ended in this stretch did, by
	// producer.
	first later
	best  candidate
}

func newStretch() *stretch {
	return &stretch{pending: make(map[int64]candidate), first: make(later)}
}

// record takes in a record of the key, written by a producer in a transaction,
// or outside of any.
func (s *stretch) record(producer int64, transactional bool, offset int64, value []byte) {
	c := candidate{offset, value, true}
	if transactional {
		s.pending[producer] = c
		return
	}
	s.take(c)
}

// marker takes in the end of a producer's transaction.
func (s *stretch) marker(producer int64, committed bool) {
	if _, seen := s.first[producer]; !seen {
		s.first[producer] = committed
	}
	if c, ok := s.pending[producer]; ok && committed {
		s.take(c)
	}
	delete(s.pending, producer)
}

// take keeps the record if none with a higher offset was kept.
func (s *stretch) take(c candidate) {
	if !s.best.found || c.offset > s.best.offset {
		s.best = c
	}
}

// settle returns the last committed record of the stretch, given what comes
// behind it, and adds to that what this stretch knows. A transaction whose end
// is nowhere is open, and its records do not count, unless they lie below the
// stable offset: there everything has ended, aborted records are listed by
// their markers, and only markers of commits are ever compacted away before
// their records. undecided reports whether a later record than the one returned
// is part of an open transaction.
func (s *stretch) settle(behind later, stable int64) (best candidate, undecided bool) {
	open := int64(-1)
	for producer, c := range s.pending {
		committed, ended := behind[producer]
		switch {
		case committed || !ended && c.offset < stable:
			s.take(c)
		case !ended:
			open = max(open, c.offset)
		}
	}
	for producer, committed := range s.first {
		behind[producer] = committed
	}
	return s.best, open >= 0 && (!s.best.found || open > s.best.offset)
}
