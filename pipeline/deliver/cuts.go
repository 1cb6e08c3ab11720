package deliver

import (
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

const (
	// cutBytes bounds the memory of the cuts that are kept. A day of a large seller,
	// 200 MB of JSON, is some 60 MB cut.
	cutBytes = 64 << 20
	// cutIdle is after how many other uses a cut that nobody asked for is given up.
	// Until then it keeps its room: where large pages overlap one another, readers
	// come back to each in turn, and none may push out another that is needed.
	cutIdle = 64
)

// cuts keeps large pages cut while they are read slice by slice. What there is no
// room for is read from the journal with each slice.
type cuts struct {
	limit int64

	mu    sync.Mutex
	held  map[journal.Seq]*heldCut
	bytes int64
	uses  int // so far, of any
}

// heldCut is a page that was cut. cut is nil if it has no room.
type heldCut struct {
	cut  *flatten.Cut
	used int // when it was used last
	ends int // how often its last slice was asked for
}

func newCuts(limit int64) *cuts {
	return &cuts{limit: limit, held: make(map[journal.Seq]*heldCut)}
}

// get returns the page cut, which make does if nobody has, or nil if there is no
// room for it. last says that the page's last slice is wanted: after as many of
// these as there are readers it is forgotten. It blocks while another page is cut.
func (c *cuts) get(seq journal.Seq, last bool, readers int, cut func() (*flatten.Cut, error)) (*flatten.Cut, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uses++
	h, ok := c.held[seq]
	if !ok {
		c.forgetIdle()
		made, err := cut()
		if err != nil {
			return nil, err
		}
		h = &heldCut{}
		if c.bytes+made.Size() <= c.limit {
			h.cut = made
			c.bytes += made.Size()
		}
		c.held[seq] = h
	}
	h.used = c.uses
	if last {
		if h.ends++; h.ends >= readers {
			c.forget(seq)
		}
	}
	return h.cut, nil
}

func (c *cuts) forgetIdle() {
	for seq, h := range c.held {
		if c.uses-h.used > cutIdle {
			c.forget(seq)
		}
	}
}

// clear forgets all. Who reads on cuts again.
func (c *cuts) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for seq := range c.held {
		c.forget(seq)
	}
}

func (c *cuts) forget(seq journal.Seq) {
	if h := c.held[seq]; h.cut != nil {
		c.bytes -= h.cut.Size()
	}
	delete(c.held, seq)
}
