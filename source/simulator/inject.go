package simulator

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Keys of the faults, as in Faults' text form, where code depends on them.
const (
	faultInternal  = "350000"
	faultTooMany   = "429"
	faultTooDate   = "429-date"
	fault503       = "503"
	faultHTML      = "html502"
	faultReset     = "reset"
	faultResetBody = "reset-body"
	faultTruncate  = "truncate"
	faultGarbage   = "garbage"
	faultNotJSON   = "not-json"
	faultShort     = "short"
	faultBomb      = "bomb"
	faultRedirect  = "redirect"
	faultWarnings  = "warnings"
	faultRevoke    = "revoke"
)

const outcomeOK = "ok"

// drawn is what is to go wrong with one request.
type drawn struct {
	key    string // empty if nothing
	faults Faults
	slow   bool
	rng    rng // for what the fault leaves open
}

func (d drawn) is(key string) bool { return d.key == key }

// drawFault decides what goes wrong with the n-th request.
func (s *Server) drawFault(n uint64) drawn {
	f := s.faults()
	d := drawn{faults: f, rng: newRNG(s.faultSeedNow(), aspectFault, n)}
	u := d.rng.float()
	d.slow = d.rng.chance(f.Slow)
	for _, k := range f.keys() {
		if !k.exclusive {
			continue
		}
		if u -= *k.rate; u < 0 {
			d.key = k.key
			break
		}
	}
	return d
}

func (s *Server) faultSeedNow() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faultSeed
}

// slow waits, if it is to, and reports whether somebody is still there.
func (x *exchange) slow(f drawn) bool {
	if !f.slow {
		return true
	}
	wait := f.faults.SlowBy
	if wait == 0 {
		wait = time.Second
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
		x.Outcome = "slow"
		return false
	}
}

// network plays the failures of what is in front of the API, and reports
// whether there was one.
func (x *exchange) network(f drawn) bool {
	switch {
	case x.s.down.Load():
		x.reset("outage")
	case f.is(faultReset):
		x.reset(f.key)
	case f.is(fault503):
		x.write(f.key, http.StatusServiceUnavailable, "", nil)
	case f.is(faultHTML):
		x.write(f.key, http.StatusBadGateway, "text/html; charset=iso-8859-1", []byte(gatewayPage))
	case f.is(faultRedirect):
		host := "elsewhere.example.com"
		if _, port, err := net.SplitHostPort(x.r.Host); err == nil && strings.HasPrefix(x.r.Host, "127.") {
			host = "localhost:" + port // another host's name for this one, where it is seen
		}
		x.w.Header().Set("Location", "http://"+host+elsewherePath)
		x.write(f.key, http.StatusFound, "", nil)
	default:
		return false
	}
	return true
}

const gatewayPage = `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head><title>502 Proxy Error</title></head><body><h1>Proxy Error</h1>
<p>The proxy server received an invalid response from an upstream server.</p></body></html>
`

// tooMany answers 429 if it is to, and reports whether it did.
func (x *exchange) tooMany(f drawn) bool {
	if !f.is(faultTooMany) && !f.is(faultTooDate) {
		return false
	}
	wait := f.faults.RetryAfter
	if wait == 0 {
		wait = time.Second
	}
	value := strconv.Itoa(int(wait / time.Second))
	if f.is(faultTooDate) {
		now := x.s.Now()
		date := now.Add(wait + time.Second - 1).Truncate(time.Second)
		value = date.Format(http.TimeFormat)
		// The client knows our clock by the Date header at best, which has seconds.
		wait = max(0, date.Sub(now)-time.Second)
	}
	x.w.Header().Set("Retry-After", value)
	now := time.Now()
	x.s.limits.retryAfter(x.Request, now, now.Add(wait))
	x.refuse(f.key, errTooMany)
	return true
}

// outage resets the connection of an endpoint besides the leads', if all is down.
func (s *Server) outage(w http.ResponseWriter) bool {
	if s.down.Load() {
		s.books.outcome("outage")
		reset(w)
		return true
	}
	return false
}

// tokenFault makes a token request fail if it is to, and reports whether it did.
func (s *Server) tokenFault(w http.ResponseWriter, r *http.Request) bool {
	f := s.faults()
	rng := newRNG(s.faultSeedNow(), aspectToken, s.tokenRequests.Add(1)+1<<40)
	u := rng.float()
	switch {
	case u < f.Token:
		s.books.outcome("token fault")
		switch rng.below(4) {
		case 0:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = fmt.Fprint(w, `{"error":"server_error","error_description":"An internal error occurred"}`)
		case 1:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprint(w, gatewayPage)
		case 2:
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"access_token":"v^1.1#cut off`)
		default:
			reset(w)
		}
	case u < f.Token+f.TokenEndless:
		s.books.outcome("token endless")
		w.Header().Set("Content-Type", "application/json")
		out := bufio.NewWriterSize(w, 64<<10)
		spaces := strings.Repeat(" ", 64<<10)
		_, err := out.WriteString(`{"token_type":"Application Access Token","access_token":"v^1.1#`)
		for err == nil && r.Context().Err() == nil {
			_, err = out.WriteString(spaces)
		}
	default:
		return false
	}
	return true
}

// reset breaks the connection off so that the client sees a reset, or, where
// the connection is not ours to break, at least no answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // so that closing it resets it
	}
	_ = conn.Close()
}
