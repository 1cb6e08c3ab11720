package source

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// startTLS serves a as eBay does, by HTTP/2 over TLS.
func (a *api) startTLS(t *testing.T, trust bool) *Client {
	t.Helper()
	server := httptest.NewUnstartedServer(a)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	if trust {
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	a.setup = testSetup(server.URL, a.logger())
	return a.client(t, func(s *setup) { s.options.HTTPTransport = transport })
}

func TestHTTP2(t *testing.T) {
	a := &api{}
	a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
		if r.ProtoMajor != 2 {
			t.Errorf("by %s", r.Proto)
		}
		switch n {
		case 1:
			panic(http.ErrAbortHandler) // resets the stream before the answer
		case 2:
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zip(page(3))[:30])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler) // and within
		}
		writeZip(w, page(3))
	}
	c := a.startTLS(t, true)
	p, err := c.Fetch(t.Context(), day, all)
	if err != nil || p.Leads != 3 {
		t.Fatalf("page %+v, error %v", p, err)
	}
	if s := c.Stats(); s.Requests != a.calls.Load() || s.Outcomes[OutcomeLost] != 2 {
		t.Errorf("%d calls, stats %+v", a.calls.Load(), s)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	a := &api{leads: takes(always)}
	_, err := a.startTLS(t, false).Fetch(t.Context(), day, all)
	unavailable, ok := errors.AsType[*fetch.UnavailableError](err)
	if !ok || !strings.Contains(unavailable.Error(), "certificate") || a.calls.Load()+a.tokens.Load() != 0 {
		t.Errorf("got %T: %v", err, err)
	}
}

func TestRedirectPolicy(t *testing.T) {
	for _, test := range []struct {
		from, to string
		hops     int
		follow   bool
	}{
		{"https://apiz.ebay.com/a", "https://apiz.ebay.com/b", 1, true},
		{"https://apiz.ebay.com/a", "https://APIZ.ebay.com/b", maxRedirects, true},
		{"https://apiz.ebay.com/a", "https://apiz.ebay.com/b", maxRedirects + 1, false},
		{"https://apiz.ebay.com/a", "http://apiz.ebay.com/b", 1, false},
		{"https://apiz.ebay.com/a", "https://apiz.ebay.com:444/b", 1, false},
		{"https://apiz.ebay.com/a", "https://signin.apiz.ebay.com/b", 1, false},
		{"https://apiz.ebay.com/a", "https://ebay.com/b", 1, false},
		{"https://apiz.ebay.com/a", "https://user:pass@apiz.ebay.com/b", 1, false},
		{"http://127.0.0.1:80/a", "http://127.0.0.1:80/b", 1, true},
		{"http://127.0.0.1:80/a", "https://127.0.0.1:80/b", 1, false},
		{"http://127.0.0.1:80/a", "http://localhost:80/b", 1, false},
	} {
		from, to := request(t, test.from), request(t, test.to)
		via := make([]*http.Request, test.hops)
		for i := range via {
			via[i] = from
		}
		err := followWithin(to, via)
		if _, refused := errors.AsType[*RedirectError](err); refused == test.follow || (err == nil) != test.follow {
			t.Errorf("%s to %s, hop %d: %v", test.from, test.to, test.hops, err)
		}
		if err := followNothing(to, via); err == nil || strings.Contains(err.Error(), "pass") {
			t.Errorf("a token request to %s: %v", test.to, err)
		}
	}
}

func request(t *testing.T, target string) *http.Request {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Request{URL: u}
}

func TestOddWindowsAreNotSent(t *testing.T) {
	a := &api{leads: takes(always)}
	c := a.start(t)
	for name, w := range map[string]window.Window{
		"empty":     {From: day.From, To: day.From},
		"backwards": {From: day.To, To: day.From},
		"fraction":  {From: day.From, To: day.To.Add(time.Millisecond)},
	} {
		_, err := c.Fetch(t.Context(), w, journal.Query{})
		if refused, ok := errors.AsType[*fetch.RefusedError](err); !ok || refused.Hint == "" || a.calls.Load() != 0 {
			t.Errorf("%s: got %T: %v", name, err, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		write func(w http.ResponseWriter)
		ok    bool
	}{
		"leads":   {func(w http.ResponseWriter) { writeZip(w, page(1)) }, true},
		"short":   {func(w http.ResponseWriter) { writeZip(w, answer(1, `,"totalLeads":2`)) }, true},
		"refused": {func(w http.ResponseWriter) { w.WriteHeader(403) }, false},
		"broken":  {func(w http.ResponseWriter) { writeZip(w, "{") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { test.write(w) }}
			c := a.start(t)
			if _, known := c.Skew(); known {
				t.Error("the server's clock is known before its first answer")
			}
			if err := c.Check(t.Context()); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
			if ahead, known := c.Skew(); !known || ahead.Abs() > 5*time.Second {
				t.Errorf("the server's clock is %s ahead, known %v", ahead, known)
			}
		})
	}
}
