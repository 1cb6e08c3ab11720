package simulator

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections are those that a server started by Start has accepted and not
// closed.
type connections struct {
	mu      sync.Mutex
	addr    string // of the listener; empty if there is none
	open    map[net.Conn]http.ConnState
	changed chan struct{} // closed, and made anew, with every change
}

func newConnections() *connections {
	return &connections{open: make(map[net.Conn]http.ConnState), changed: make(chan struct{})}
}

func (c *connections) listen(addr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addr = addr
}

// watch is the server's ConnState. The server calls it for a new connection
// before it accepts the next one.
func (c *connections) watch(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(c.open, conn)
	default:
		c.open[conn] = state
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// idlePatience is how long a connection without a request may take to turn out to
// have one, or to be closed: that of a process that was killed has ended, though
// what it sent last may not be read yet.
const idlePatience = time.Second

// acceptPatience is how long a listening server takes to accept a connection at
// most.
const acceptPatience = 30 * time.Second

// settle waits until all that was sent over connections made before the call, by
// processes that have ended since, is answered. Those that are open and idle
// because their client lives are waited for no longer than idlePatience.
func (c *connections) settle() {
	before, ok := c.accepted()
	if !ok {
		return // nobody listens
	}
	patience := time.After(idlePatience)
	impatient := false
	for {
		c.mu.Lock()
		waiting := false
		for _, conn := range before {
			state, open := c.open[conn]
			waiting = waiting || open && (!impatient || state == http.StateActive)
		}
		changed := c.changed
		c.mu.Unlock()
		if !waiting {
			return
		}
		select {
		case <-changed:
		case <-patience:
			impatient = true
		}
	}
}

// accepted returns the open connections that were made before the call, once the
// server has taken all of them in: it takes them in the order in which they were
// made, so a connection of our own tells.
func (c *connections) accepted() ([]net.Conn, bool) {
	c.mu.Lock()
	addr := c.addr
	c.mu.Unlock()
	if addr == "" {
		return nil, false
	}
	var dialer net.Dialer
	own, err := dialer.DialContext(context.Background(), "tcp", addr)
	if err != nil {
		return nil, false
	}
	defer own.Close()
	stopped := time.After(acceptPatience) // the server may be stopped just now
	for {
		c.mu.Lock()
		var others []net.Conn
		found := false
		for conn := range c.open {
			if conn.RemoteAddr().String() == own.LocalAddr().String() {
				found = true
			} else {
				others = append(others, conn)
			}
		}
		changed := c.changed
		c.mu.Unlock()
		if found {
			return others, true
		}
		select {
		case <-changed:
		case <-stopped:
			return nil, false
		}
	}
}
