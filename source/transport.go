package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// idleConns is at least the number of workers, or they would connect anew
	// for each request.
	idleConns    = 64
	idleTimeout  = 90 * time.Second
	pingAfter    = 30 * time.Second // HTTP/2: of silence, to find dead connections
	maxRedirects = 3
	// maxTokenBytes bounds a token answer; eBay's have some 2 KB.
	maxTokenBytes = 64 << 10
)

// newTransport returns the transport of both endpoints. Bodies come as they are
// sent: what is landed is what was received.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout, KeepAlive: pingAfter}).DialContext,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: dialTimeout},
		TLSHandshakeTimeout:    dialTimeout,
		MaxIdleConns:           2 * idleConns,
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true,
	}
}

// followWithin is the redirect policy of the API: to the same place, and not for
// ever.
func followWithin(next *http.Request, via []*http.Request) error {
	from, to := via[0].URL, next.URL
	switch {
	case from.Scheme == "https" && to.Scheme != "https":
		return redirect(to, "it is not https")
	case to.Scheme != from.Scheme, !strings.EqualFold(to.Host, from.Host), to.User != nil:
		return redirect(to, "it is another host, and the token must not go there")
	case len(via) > maxRedirects:
		return redirect(to, "there were too many redirects")
	}
	return nil
}

// followNothing is the redirect policy for requests that carry the secret.
func followNothing(next *http.Request, _ []*http.Request) error {
	return redirect(next.URL, "the secret must not go there")
}

func redirect(to *url.URL, problem string) error {
	return &RedirectError{To: to.Scheme + "://" + to.Host, Problem: problem}
}

// connection tells how far a request got.
type connection struct {
	established atomic.Bool  // it has a connection
	sent        atomic.Int64 // how often its headers were written
}

// watch returns a context for one request that c learns from. again is called
// whenever the request is sent once more without our doing: to where it was
// redirected, or because a kept connection turned out to be dead.
func (c *connection) watch(ctx context.Context, again func()) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { c.established.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { c.established.Store(true) },
		WroteHeaders: func() {
			if c.sent.Add(1) > 1 {
				again()
			}
		},
	})
}

// failure makes an error of package http one of this package's types. ctx is
// the caller's, attempt the one that is bounded in time.
func (c *connection) failure(ctx, attempt context.Context, host string, err error, secrets *censor) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// The URL in it is ours, or that of a redirect's target.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	switch typed := known(err).(type) {
	case nil:
	case *RedirectError:
		return &RedirectError{To: secrets.words(typed.To, maxID), Problem: typed.Problem}
	default:
		return typed
	}
	if attempt.Err() != nil && errors.Is(context.Cause(attempt), errTimeout) {
		err = errTimeout
	} else {
		err = newNetworkError(networkText(err, secrets), err)
	}
	if !c.established.Load() {
		return &UnreachableError{Host: host, Err: err}
	}
	return &LostError{Err: err}
}

// networkError is an error of the network whose text is fit to be shown.
type networkError struct {
	text string
	err  error
}

// newNetworkError wraps err, unless its text is not fit to be shown, or it calls
// itself a context's end, as the network's own timeouts do: for a caller that
// would mean its own.
func newNetworkError(text string, err error) *networkError {
	if text != err.Error() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = nil
	}
	return &networkError{text, err}
}

func (e *networkError) Error() string { return e.text }
func (e *networkError) Unwrap() error { return e.err }

func networkText(err error, secrets *censor) string {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "closed before the answer was complete"
	}
	// What package http repeats of an answer that it could not read, it quotes.
	text, _, quotes := strings.Cut(err.Error(), `"`)
	text = secrets.words(text, maxWords)
	if quotes {
		text += " …"
	}
	return text
}

// tokenTransport reads whole answers of the token endpoint, within bounds, so
// that whatever goes wrong is an error of ours and not a text of x/oauth2's. It
// is for one request.
type tokenTransport struct {
	next    http.RoundTripper
	observe func(http.Header)
	header  http.Header // of the answer
}

func (t *tokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json") // x/oauth2 made the request
	answer, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	t.header = answer.Header
	t.observe(answer.Header)
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxTokenBytes+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxTokenBytes {
		return nil, &TooLargeError{Limit: "64 KiB of a token"}
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}
