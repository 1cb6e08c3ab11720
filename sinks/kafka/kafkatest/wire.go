package kafkatest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
)

// Wire is the network between a client and its brokers, without TLS, failing on
// demand. It expects a client that has one request at a time on a connection,
// as kafka-go has.
type Wire struct {
	mu     sync.Mutex
	faults []*fault
	seen   map[int16]int

	// A failure for good, from a step on.
	keys   []int16
	from   int // 0: none
	steps  int
	answer bool
}

type fault struct {
	key    int16
	after  int // requests of that key to let pass first
	times  int
	answer bool // drop the answer, not the request
	err    error
}

// errCut is what a client meets where FailFrom has cut the wire. It is no error
// of a connection, so that a client does not try again for as long as it would.
var errCut = errors.New("the wire was cut for the test")

// DropAnswers swallows answers to requests of that API key, after letting some
// pass, and closes the connection: the broker has done what it was asked, the
// client does not know.
func (w *Wire) DropAnswers(key int16, after, times int) {
	w.add(&fault{key: key, after: after, times: times, answer: true, err: io.EOF})
}

// DropRequests closes the connection instead of sending a request.
func (w *Wire) DropRequests(key int16, after, times int) {
	w.add(&fault{key: key, after: after, times: times, err: net.ErrClosed})
}

func (w *Wire) add(f *fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, f)
}

// FailFrom lets the nth request (from 1) of those API keys and all after it
// fail, or its answer get lost, until it is called with 0. It counts anew.
func (w *Wire) FailFrom(n int, answer bool, keys ...int16) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.from, w.answer, w.keys, w.steps = n, answer, keys, 0
}

// Steps returns how many of the requests that FailFrom named were made since.
func (w *Wire) Steps() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.steps
}

// Requests returns how many requests of that API key the client made.
func (w *Wire) Requests(key int16) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[key]
}

// Dial connects; it is a kafka-go Transport's Dial.
func (w *Wire) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &wireConn{Conn: conn, wire: w}, nil
}

// next notes a request and returns its fault, if any.
func (w *Wire) next(key int16) *fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = make(map[int16]int)
	}
	w.seen[key]++
	if slices.Contains(w.keys, key) {
		if w.steps++; w.from > 0 && w.steps >= w.from {
			return &fault{answer: w.answer, err: errCut}
		}
	}
	for _, f := range w.faults {
		if f.key != key || f.times == 0 {
			continue
		}
		if f.after > 0 {
			f.after--
			continue
		}
		f.times--
		return f
	}
	return nil
}

type wireConn struct {
	net.Conn
	wire *Wire

	mu     sync.Mutex
	left   int   // bytes of the request being written
	doomed error // comes in place of its answer, if set
}

func (c *wireConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if c.left == 0 && len(b) >= 6 {
		c.left = 4 + int(binary.BigEndian.Uint32(b))
		if f := c.wire.next(int16(binary.BigEndian.Uint16(b[4:]))); f != nil {
			if !f.answer {
				c.mu.Unlock()
				c.Conn.Close()
				return 0, f.err
			}
			c.doomed = f.err
		}
	}
	c.left = max(c.left-len(b), 0)
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *wireConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.doomed != nil {
		c.Conn.Close()
		return 0, c.doomed
	}
	return n, err
}
