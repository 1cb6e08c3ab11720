package source

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Options are what a Client is given besides its configuration.
type Options struct {
	// StateDir is where the token and the day's count of calls are kept between
	// runs; empty keeps nothing.
	StateDir string
	// Logger is required.
	Logger *slog.Logger
	// Version goes into the User-Agent; "dev" if empty.
	Version string
	// HTTPTransport carries all requests; nil is one of our own. It must not
	// decompress bodies. Whether an error came before or after there was a
	// connection is told from net/http/httptrace: a transport that does not
	// support it seems to fail before.
	HTTPTransport http.RoundTripper
	// AroundTransport, if not nil, is given what carries all requests, and returns
	// what is to carry them in its place; the same holds for it.
	AroundTransport func(http.RoundTripper) http.RoundTripper
	// Now is the clock for dates: expiries, days of the quota, bounds in the
	// past; nil is time.Now.
	Now func() time.Time
	// Backoff is the first pause before a request is repeated; 0 is 500 ms.
	Backoff time.Duration
}

// Client is the Leads API of one seller on one marketplace. It implements
// fetch.Source and is safe for concurrent use.
type Client struct {
	api         string // root URL
	host        string
	marketplace string
	userAgent   string
	timeout     time.Duration
	maxAttempts int
	bounds      bodyLimits

	http     *http.Client
	retrier  retrier
	tokens   *tokens
	quota    *quota
	clock    *clock
	counters *counters
	censor   *censor
	now      func() time.Time
	logger   *slog.Logger

	closeIdle  func()
	warnTotals sync.Once
	warnings   sync.Map // ids of the API's warnings that were logged
}

// New returns a Client. It reads the files that hold secrets and the state that
// an earlier run left, and sends nothing. The configuration must be valid.
func New(config Config, limits Limits, o Options) (*Client, error) {
	clientSecret, err := secret.Resolve(config.ClientSecret, config.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("reading the client secret: %w", err)
	}
	refresh, err := secret.Resolve(config.RefreshToken, config.RefreshTokenFile)
	if err != nil {
		return nil, fmt.Errorf("reading the refresh token: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Backoff <= 0 {
		o.Backoff = backoffBase
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	api, _ := config.Endpoints()
	c := &Client{
		api:         api,
		host:        hostOf(api),
		marketplace: config.Marketplace,
		userAgent:   "leads-etl/" + o.Version + " (+https://github.com/leads-etl/leads-etl)",
		timeout:     limits.Timeout,
		maxAttempts: limits.MaxAttempts,
		bounds:      defaultBodyLimits,
		retrier:     retrier{base: o.Backoff, gate: new(gate), logger: o.Logger},
		clock:       newClock(o.Now),
		counters:    new(counters),
		censor:      newCensor(forms(config.ClientID, clientSecret, refresh)...),
		now:         o.Now,
		logger:      o.Logger,
		closeIdle:   func() {},
	}
	if o.HTTPTransport == nil {
		transport := newTransport()
		o.HTTPTransport, c.closeIdle = transport, transport.CloseIdleConnections
	}
	if o.AroundTransport != nil {
		o.HTTPTransport = o.AroundTransport(o.HTTPTransport)
	}
	quotaFile, tokenFile := newStateFile(o.StateDir, quotaFileName), newStateFile(o.StateDir, tokenFileName)
	quotaFile.sweep()
	tokenFile.sweep()
	c.quota = newQuota(limits, quotaFile, o.Now, o.Logger)
	c.http = &http.Client{Transport: o.HTTPTransport, CheckRedirect: followWithin}

	login := newLogin(config, clientSecret, refresh, limits.Timeout)
	login.transport, login.now, login.censor = o.HTTPTransport, o.Now, c.censor
	login.observe, login.again = c.clock.observe, c.countRepeatedToken
	c.tokens = &tokens{
		login: login,
		// Its own gate: what the token endpoint asks for holds nobody back who
		// needs no token.
		retrier:  retrier{base: o.Backoff, gate: new(gate), logger: o.Logger},
		attempts: limits.MaxAttempts,
		quota:    c.quota,
		counters: c.counters,
		file:     tokenFile,
		now:      o.Now,
		logger:   o.Logger,
		turn:     make(chan struct{}, 1),
	}
	c.tokens.load()
	return c, nil
}

// forms returns the secrets in every form in which a server gets to see them.
func forms(id string, clientSecret, refresh secret.Secret) []string {
	escaped := url.QueryEscape(clientSecret.Reveal())
	return []string{
		clientSecret.Reveal(), escaped,
		base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + escaped)),
		refresh.Reveal(), url.QueryEscape(refresh.Reveal()),
	}
}

// Fetch implements fetch.Source. Windows wider than a second are given up
// sooner than others, for they can be split.
func (c *Client) Fetch(ctx context.Context, w window.Window, q journal.Query) (*journal.Page, error) {
	var fullest *journal.Page
	page, err := try(ctx, c.retrier, c.budget(w), func(ctx context.Context, n int) (*journal.Page, error) {
		if n > 0 {
			c.counters.retries.Add(1)
		}
		page, err := c.attempt(ctx, w, q, n)
		if _, short := errors.AsType[*ShortError](err); short && fuller(page, fullest) {
			fullest = page
		}
		return page, err
	}, "window", w.String(), "item", q.Item)
	if err == nil {
		return page, nil
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("fetching window %s: %w", w, err)
	}
	class := classify(err)
	if wait, asked := waitOf(err); class == failed && asked && wait > longestWait {
		class = unreachable // a smaller window would have to wait as well
	}
	switch class {
	case failed, tooLarge:
		return nil, &fetch.WindowError{Window: w, Short: fullest, Err: err}
	case throttled:
		return nil, &fetch.QuotaError{Until: quotaEnd(err, c.now()), Err: err}
	case unreachable:
		return nil, &fetch.UnavailableError{Err: err}
	case refused:
		return nil, &fetch.RefusedError{Window: w, Err: err, Hint: hint(err)}
	}
	return nil, err
}

// splittableAttempts is how often a window is tried that can be split instead.
const splittableAttempts = 3

// budget says how many failures of each class end the fetching of a window.
func (c *Client) budget(w window.Window) func(class) int {
	splittable := w.Length() > window.Second
	return func(class class) int {
		switch {
		case class == tooLarge && splittable:
			return 1
		case class == failed && splittable:
			return min(splittableAttempts, c.maxAttempts)
		}
		return c.maxAttempts
	}
}

// fuller reports whether a holds more than b, which may be nil.
func fuller(a, b *journal.Page) bool {
	return b == nil || a.Leads > b.Leads || a.Leads == b.Leads && a.Items > b.Items
}

// Check tries the configuration: it logs in and asks for one second of the
// recent past. Its errors are those of Fetch; it returns nil if there was an
// answer, even a short one.
func (c *Client) Check(ctx context.Context) error {
	end := c.clock.server().Add(-time.Minute)
	_, err := c.Fetch(ctx, window.New(end.Add(-window.Second), end), journal.Query{})
	if failed, ok := errors.AsType[*fetch.WindowError](err); ok && failed.Short != nil {
		return nil
	}
	return err
}

// Login asks for a new token, whether a kept one is still good or not: only so is
// the secret tried. Its errors are those of Fetch.
func (c *Client) Login(ctx context.Context) error { return c.tokens.again(ctx) }

// Quota returns how many calls were made since the Pacific day began, how many
// are to be made at most, and when the next day begins, UTC.
func (c *Client) Quota() (used, limit int, reset time.Time) { return c.quota.state() }

// Stats returns a snapshot of the counts since New.
func (c *Client) Stats() Stats { return c.counters.snapshot() }

// Close writes the exact count of calls and closes idle connections. The Client
// must not be in use; it can be used again.
func (c *Client) Close() {
	c.quota.flush()
	c.closeIdle()
}
