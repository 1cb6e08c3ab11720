package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"sync"
)

// body is an answer with leads.
type body struct {
	leads    []ref // sorted by listing
	total    int   // leads announced
	items    int   // listings announced; counted if 0
	version  uint64
	messages bool
	warn     bool
	unknown  bool // a field at the top that the reference does not name
}

// drop leaves some leads out, at least one; the totals stay. Without leads, one
// is announced that is not there.
func (b *body) drop(r *rng) {
	b.items = countListings(b.leads)
	if len(b.leads) == 0 {
		b.total, b.items = 1, 1
		return
	}
	keep := r.below(len(b.leads))
	for len(b.leads) > keep {
		n := r.below(len(b.leads))
		b.leads[n] = b.leads[len(b.leads)-1]
		b.leads = b.leads[:len(b.leads)-1]
	}
}

func countListings(leads []ref) int {
	seen := make(map[int]struct{})
	for _, r := range leads {
		seen[r.listing] = struct{}{}
	}
	return len(seen)
}

// flushAt is how much of a body is put together before it is passed on.
const flushAt = 64 << 10

// writer is what making a body takes, kept between answers.
type writer struct {
	buf   []byte
	draft draft
}

var writers = sync.Pool{New: func() any { return new(writer) }}

// writeTo writes the body. Errors of out are those of a client that went away,
// which ends it.
func (b *body) writeTo(w *world, out io.Writer) {
	p := writers.Get().(*writer)
	defer writers.Put(p)
	buf := append(p.buf[:0], `{"classifiedLeads":[`...)
	items := 0
	for i, r := range b.leads {
		w.compose(&p.draft, r, b.version)
		if i == 0 || b.leads[i-1].listing != r.listing {
			if items++; items > 1 {
				buf = append(buf, `]},`...)
			}
			buf = appendListingHead(append(buf, '{'), &p.draft)
			buf = append(buf, `"responses":[`...)
		} else {
			buf = append(buf, ',')
		}
		buf = appendResponse(buf, &p.draft, b.messages)
		if len(buf) > flushAt {
			if _, err := out.Write(buf); err != nil {
				return
			}
			buf = buf[:0]
		}
	}
	if items > 0 {
		buf = append(buf, `]}`...)
	}
	if b.items == 0 {
		b.items = items
	}
	buf = strconv.AppendInt(append(buf, `],"totalItems":`...), int64(b.items), 10)
	buf = strconv.AppendInt(append(buf, `,"totalLeads":`...), int64(b.total), 10)
	if b.unknown {
		buf = append(buf, `,"href":"/sell/leads/v1/classified_lead","facets":{"region":["DE",null]}`...)
	}
	if b.warn {
		text, err := json.Marshal([]apiError{warning})
		if err != nil {
			panic(err) // strings and numbers only
		}
		buf = append(append(buf, `,"warnings":`...), text...)
	}
	buf = append(buf, '}')
	_, _ = out.Write(buf)
	p.buf = buf
}

var (
	refLists = sync.Pool{New: func() any { return new([]ref) }}
	buffers  = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

func borrowRefs() *[]ref { return refLists.Get().(*[]ref) }

func giveBackRefs(r *[]ref) { refLists.Put(r) }

func borrowBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

func giveBackBuffer(b *bytes.Buffer) {
	b.Reset()
	buffers.Put(b)
}

// cache keeps compressed answers, so that benchmarks do not measure the
// simulator. When it is full it begins anew.
type cache struct {
	limit int64

	mu   sync.Mutex
	size int64
	kept map[string]ready
}

// ready is an answer that can be sent. The body is shared: it is never changed.
type ready struct {
	leads int
	body  []byte
}

func newCache(limit int64) *cache { return &cache{limit: limit, kept: make(map[string]ready)} }

func (c *cache) on() bool { return c.limit > 0 }

func (c *cache) get(key string) (ready, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.kept[key]
	return a, ok
}

func (c *cache) put(key string, a ready) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size+int64(len(a.body)) > c.limit {
		c.size = 0
		clear(c.kept)
	}
	if int64(len(a.body)) <= c.limit {
		c.size += int64(len(a.body))
		c.kept[key] = a
	}
}
