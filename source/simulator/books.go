package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Exchange is one request to an API endpoint and what became of it. It holds no
// credentials.
type Exchange struct {
	// Number counts the requests to the leads endpoints, from 0.
	Number uint64    `json:"number"`
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	// Request is path and query as sent.
	Request string `json:"request"`
	// From and To are the bounds asked for, both inclusive; zero if not given.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Status is the HTTP status, 0 if the connection was reset before it.
	Status int `json:"status"`
	// Outcome is "ok", the error's id, or the key of the fault.
	Outcome string `json:"outcome"`
	// Leads is how many were delivered whole, Bytes the size of the body sent.
	Leads int   `json:"leads"`
	Bytes int64 `json:"bytes"`
}

// Stats is what the client did, since the start or the last ResetStats.
type Stats struct {
	// Requests by method and endpoint ("GET /classified_lead",
	// "GET /classified_lead/{itemId}", "POST /token", "GET /rate_limit").
	Requests map[string]int `json:"requests"`
	// Outcomes by endpoint's last part and outcome ("leads ok", "token 500").
	Outcomes map[string]int `json:"outcomes"`
	// Calls are those that count for the quota of the Leads API.
	Calls int `json:"calls"`
	// Tokens is how many were given.
	Tokens int `json:"tokens"`
	// Leads and Bytes are the sums over all answers.
	Leads int64 `json:"leads"`
	Bytes int64 `json:"bytes"`
	// Uncompressed counts answers to clients that did not ask for gzip.
	Uncompressed int `json:"uncompressed"`
	// EarlyCalls came while a Retry-After was running, too soon after it for all
	// of a concurrent client to know: they are not forbidden.
	EarlyCalls int `json:"early_calls"`
	// Forbidden is how many requests the reference forbids.
	Forbidden int `json:"forbidden"`
}

// books records what the client did.
type books struct {
	mu        sync.Mutex
	stats     Stats
	log       []Exchange
	forbidden []string
}

// maxLog bounds the log of exchanges and of forbidden requests; what comes after
// is counted only.
const maxLog = 1 << 18

func newBooks() *books {
	return &books{stats: Stats{Requests: make(map[string]int), Outcomes: make(map[string]int)}}
}

func (b *books) request(endpoint string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Requests[endpoint]++
}

// outcome counts what became of a request.
func (b *books) outcome(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Outcomes[what]++
}

// exchange records a request for leads that is answered.
func (b *books) exchange(e Exchange, gzip bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Outcomes["leads "+e.Outcome]++
	b.stats.Leads += int64(e.Leads)
	b.stats.Bytes += e.Bytes
	if !gzip {
		b.stats.Uncompressed++
	}
	if len(b.log) < maxLog {
		b.log = append(b.log, e)
	}
}

// forbid records a request that the reference forbids.
func (b *books) forbid(request string, violations ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, v := range violations {
		b.stats.Forbidden++
		if len(b.forbidden) < maxLog {
			b.forbidden = append(b.forbidden, fmt.Sprintf("%s: %s", request, v))
		}
	}
}

func (b *books) count(f func(*Stats)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.stats)
}

// Stats returns a snapshot of what the client did.
func (s *Server) Stats() Stats {
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.stats
	out.Requests, out.Outcomes = maps.Clone(out.Requests), maps.Clone(out.Outcomes)
	return out
}

// Forbidden describes, in order, every request that the reference forbids:
// parameters it refuses, missing headers, a wrong scheme, a dead token that is
// used on, calls before a Retry-After is over, more tokens than a day has.
func (s *Server) Forbidden() []string {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	return slices.Clone(s.books.forbidden)
}

// Exchanges returns the requests for leads that were answered, by their numbers.
func (s *Server) Exchanges() []Exchange {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	log := slices.Clone(s.books.log)
	slices.SortFunc(log, func(a, b Exchange) int { return cmp.Compare(a.Number, b.Number) })
	return log
}

// ResetStats opens new books. Faults go on where they were.
func (s *Server) ResetStats() {
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats = Stats{Requests: make(map[string]int), Outcomes: make(map[string]int)}
	b.log, b.forbidden = nil, nil
}
