package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/reach"
	"github.com/leads-etl/leads-etl/sinks/kafka"
)

// checkReach tries the way to both endpoints of the API; ok is false if there is
// none to one of them.
func (c *checkCommand) checkReach(ctx context.Context, found func(finding)) (ok bool) {
	ok = true
	api, token := c.EBay.Endpoints()
	tried := map[string]bool{}
	for _, endpoint := range []string{api, token} {
		target, proxied, err := targetOf(endpoint)
		if err != nil {
			found(conclude("proxy", err, ""))
			return false
		}
		at := net.JoinHostPort(target.Host, target.Port)
		if tried[at] {
			continue
		}
		tried[at] = true
		for _, step := range reach.Try(ctx, target) {
			f := stepFinding(step, exitUnexpected)
			if proxied {
				f.Detail += ", the proxy"
			}
			found(f)
			ok = ok && f.OK
		}
	}
	return ok
}

// targetOf is whom a connection to the endpoint is made to: the proxy, if there
// is one, whose TLS, beyond it, is not tried.
func targetOf(endpoint string) (t reach.Target, proxied bool, err error) {
	request, err := http.NewRequest(http.MethodGet, endpoint, http.NoBody) //nolint:noctx // it is not sent
	if err != nil {
		return t, false, err
	}
	u := request.URL
	proxy, err := http.ProxyFromEnvironment(request)
	if err != nil {
		return t, false, err
	}
	if proxy != nil {
		u = proxy
	}
	t = reach.Target{Host: u.Hostname(), Port: portOf(u)}
	if u.Scheme == "https" {
		t.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return t, proxy != nil, nil
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	case strings.HasPrefix(u.Scheme, "socks5"):
		return "1080"
	default:
		return "80"
	}
}

// stepFinding makes a finding of a step on the way to a server. A certificate that
// is about to end is worth a word, and no failure.
func stepFinding(step reach.Step, code int) finding {
	f := finding{What: step.Name, OK: step.Err == nil, Detail: step.Detail, Warning: step.Soon}
	if step.Soon {
		f.Hints = []string{"the certificate ends soon: whoever runs the server has to renew it"}
	}
	if step.Err != nil {
		f.Hints = []string{step.Hint}
		f.err = &toldError{step.Err, code}
	}
	return f
}

// reachBrokers tries the way to every broker; reached is false if there is none to
// any of them. One that cannot be reached is no failure while another can.
func reachBrokers(ctx context.Context, c kafka.Config) (findings []finding, reached bool) {
	config, err := c.TLSConfig()
	if err != nil {
		f := conclude("kafka", &toldError{err, exitSink}, "")
		f.Hints = []string{"check the files that [kafka] tls-ca, tls-cert and tls-key name"}
		return []finding{f}, false
	}
	for _, broker := range c.Brokers {
		host, port, err := net.SplitHostPort(broker)
		if err != nil {
			continue // refused with the configuration
		}
		good := true
		for _, step := range reach.Try(ctx, reach.Target{Host: host, Port: port, TLS: config}) {
			f := stepFinding(step, exitSink)
			good = good && f.OK
			findings = append(findings, f)
		}
		reached = reached || good
	}
	if reached {
		for i := range findings {
			if !findings[i].OK {
				findings[i].OK, findings[i].Warning, findings[i].err = true, true, nil
			}
		}
	}
	return findings, reached
}
