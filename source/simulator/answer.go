package simulator

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// exchange is one request for leads while it is answered.
type exchange struct {
	Exchange
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	gzip bool // the client takes it

	booked bool
}

// book enters the exchange into the books, once. It is called before the answer
// is whole, so that whoever has read an answer finds it there.
func (x *exchange) book() {
	if !x.booked {
		x.booked = true
		x.s.books.exchange(x.Exchange, x.gzip)
	}
}

// reset books the exchange and breaks the connection off.
func (x *exchange) reset(outcome string) {
	x.Outcome = outcome
	x.book()
	reset(x.w)
}

func (x *exchange) forbid(violations ...string) {
	if len(violations) > 0 {
		x.s.books.forbid(x.Method+" "+x.Request, violations...)
	}
}

// write answers with a body as it is.
func (x *exchange) write(outcome string, status int, contentType string, body []byte) {
	x.Outcome, x.Status, x.Bytes = outcome, status, int64(len(body))
	x.book()
	if contentType != "" {
		x.w.Header().Set("Content-Type", contentType)
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // fails if the client went away, which is its affair
}

// refuse answers with errors.
func (x *exchange) refuse(outcome string, errors ...apiError) {
	x.write(outcome, errors[0].status, jsonType, encode(x.w, x.r, errorBody(errors)))
}

const jsonType = "application/json"

// writeErrors answers with errors in eBay's form.
func writeErrors(w http.ResponseWriter, r *http.Request, errors ...apiError) {
	writeJSON(w, r, errors[0].status, errorBody(errors))
}

// writeJSON answers with a small JSON body, compressed if the client takes it.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	body = encode(w, r, body)
	w.Header().Set("Content-Type", jsonType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// encode returns the body compressed, and says so in the header, if the client
// takes it.
func encode(w http.ResponseWriter, r *http.Request, body []byte) []byte {
	if !acceptsGzip(r) {
		return body
	}
	w.Header().Set("Content-Encoding", "gzip")
	var b bytes.Buffer
	compress(gzipWriter(&b), func(out io.Writer) { _, _ = out.Write(body) })
	return b.Bytes()
}

var gzipWriters sync.Pool

// gzipWriter returns a pooled writer: a window of a thousand leads should cost
// its compression and little else.
func gzipWriter(w io.Writer) *gzip.Writer {
	if z, ok := gzipWriters.Get().(*gzip.Writer); ok {
		z.Reset(w)
		return z
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is known
	}
	return z
}

// compress runs write on a pooled writer and finishes the stream. Errors are
// those of a client that went away, which ends the answer.
func compress(z *gzip.Writer, write func(io.Writer)) {
	write(z)
	_ = z.Close()
	gzipWriters.Put(z)
}

// streamed is how many leads make an answer that is sent as it is made, instead
// of being held in memory.
const streamed = 20_000

// answer answers a request that is right.
func (x *exchange) answer(q query, f drawn) {
	s := x.s
	version := s.world.now()
	key := ""
	if s.cache.on() && f.key == "" && x.gzip {
		key = fmt.Sprint(version, " ", q.selection, q.messages)
		if a, ok := s.cache.get(key); ok && !s.fails(q.selection.from, q.selection.to) {
			x.Leads = a.leads
			x.w.Header().Set("Content-Encoding", "gzip")
			x.write(outcomeOK, http.StatusOK, jsonType, a.body)
			return
		}
	}
	q.version = version
	refs := borrowRefs()
	defer giveBackRefs(refs)
	*refs = s.world.sel((*refs)[:0], q.selection)
	switch {
	case s.fails(q.selection.from, q.selection.to):
		x.refuse("second", internalError(0))
		return
	case f.faults.MaxLeads > 0 && len(*refs) > f.faults.MaxLeads:
		x.refuse("max-leads", internalError(0))
		return
	case f.is(faultInternal):
		x.refuse(f.key, internalError(f.faults.InternalStatus))
		return
	}
	b := body{total: len(*refs), version: version, messages: q.messages, warn: f.is(faultWarnings)}
	b.leads = *refs
	if f.is(faultShort) {
		b.drop(&f.rng)
	}
	slices.SortFunc(b.leads, func(a, b ref) int {
		return cmp.Or(cmp.Compare(a.listing, b.listing), cmp.Compare(a.second, b.second), cmp.Compare(a.index, b.index))
	})
	if odd := newRNG(s.cfg.Seed, aspectAnswer, uint64(q.selection.from^q.selection.to<<20)); odd.chance(s.cfg.Rates.UnknownFields) {
		b.unknown = true
	}
	x.Outcome, x.Status = cmp.Or(f.key, outcomeOK), http.StatusOK
	x.w.Header().Set("Content-Type", jsonType)
	if len(b.leads) > streamed && (f.key == "" || f.is(faultShort) || f.is(faultWarnings)) {
		x.stream(&b)
		return
	}
	out := borrowBuffer()
	defer giveBackBuffer(out)
	x.render(&b, out)
	if key != "" {
		s.cache.put(key, ready{leads: len(b.leads), body: bytes.Clone(out.Bytes())})
	}
	x.send(&b, out.Bytes(), f)
}

// render writes the body into memory, compressed if the client takes it.
func (x *exchange) render(b *body, out *bytes.Buffer) {
	if !x.gzip {
		b.writeTo(x.s.world, out)
		return
	}
	x.w.Header().Set("Content-Encoding", "gzip")
	compress(gzipWriter(out), func(z io.Writer) { b.writeTo(x.s.world, z) })
}

// stream writes the body as it is made.
func (x *exchange) stream(b *body) {
	n := &counter{w: x.w}
	if !x.gzip {
		b.writeTo(x.s.world, n)
	} else {
		x.w.Header().Set("Content-Encoding", "gzip")
		compress(gzipWriter(n), func(z io.Writer) { b.writeTo(x.s.world, z) })
	}
	x.Leads, x.Bytes = len(b.leads), n.n
}

// send sends a body that is ready, or what a fault makes of it.
func (x *exchange) send(b *body, ready []byte, f drawn) {
	switch {
	case f.is(faultTruncate):
		x.write(f.key, http.StatusOK, jsonType, ready[:f.rng.below(len(ready))])
	case f.is(faultGarbage):
		garbage := make([]byte, 100+f.rng.below(1000))
		for i := range garbage {
			garbage[i] = byte(f.rng.next())
		}
		garbage[0] = 0 // so that it is never gzip's magic number
		x.w.Header().Set("Content-Encoding", "gzip")
		x.write(f.key, http.StatusOK, jsonType, garbage)
	case f.is(faultNotJSON):
		x.w.Header().Del("Content-Encoding")
		x.write(f.key, http.StatusOK, jsonType, []byte("<html><body>We are sorry.</body></html>"))
	case f.is(faultBomb):
		x.bomb(f)
	case f.is(faultResetBody):
		x.w.Header().Set("Content-Length", strconv.Itoa(len(ready)))
		part := ready[:f.rng.below(len(ready))]
		x.Bytes = int64(len(part))
		x.book()
		x.w.WriteHeader(http.StatusOK)
		_, _ = x.w.Write(part)
		_ = http.NewResponseController(x.w).Flush()
		reset(x.w)
	default:
		x.Leads = len(b.leads)
		x.write(cmp.Or(f.key, outcomeOK), http.StatusOK, jsonType, ready)
	}
}

// bomb sends little that unpacks to much: many gzip members, each of spaces.
func (x *exchange) bomb(f drawn) {
	const piece = 16 << 20
	size := cmp.Or(f.faults.BombBytes, 2<<30)
	var member bytes.Buffer
	spaces := bytes.Repeat([]byte{' '}, 1<<20)
	compress(gzipWriter(&member), func(z io.Writer) {
		for range piece / len(spaces) {
			_, _ = z.Write(spaces)
		}
	})
	x.w.Header().Set("Content-Encoding", "gzip")
	x.w.WriteHeader(http.StatusOK)
	for sent := 0; sent < size; sent += piece {
		n, err := x.w.Write(member.Bytes())
		x.Bytes += int64(n)
		if err != nil {
			return // the client had enough, as it should
		}
	}
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
