package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// dialLog connects, and keeps how it went with each address: kafka-go reports
// the last address it tried, and people ask about all of them.
type dialLog struct {
	dial func(context.Context, string, string) (net.Conn, error)

	mu   sync.Mutex
	last map[string]error // by address; nil after a success
}

// Dial is a kafka.Transport's Dial.
func (d *dialLog) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	d.mu.Lock()
	defer d.mu.Unlock()
	// What was cancelled says nothing of the address.
	if !errors.Is(err, context.Canceled) {
		d.last[address] = err
	}
	return conn, err
}

// failures says in words what happened at the addresses that cannot be reached,
// sorted; it is empty if all can.
func (d *dialLog) failures() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for address, err := range d.last {
		if err != nil {
			list = append(list, fmt.Sprintf("%s (%s)", address, dialProblem(err)))
		}
	}
	slices.Sort(list)
	return list
}

// advertised returns the addresses that cannot be reached and are not among
// those configured: the brokers named them.
func (d *dialLog) advertised(configured []string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for address, err := range d.last {
		if err != nil && !slices.Contains(configured, address) {
			list = append(list, address)
		}
	}
	slices.Sort(list)
	return list
}

// reached reports whether any address took a connection.
func (d *dialLog) reached() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, err := range d.last {
		if err == nil {
			return true
		}
	}
	return false
}

func dialProblem(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return "no such host"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "connection refused"
	}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return "no answer"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Err.Error()
	}
	return strings.TrimSpace(err.Error())
}
