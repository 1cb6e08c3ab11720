package source

import (
	"context"
	"errors"
	"net/http"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// futureDate is the request error for a bound that is not in the past.
const futureDate = 352004

// maxRejections is how many tokens one attempt may use up.
const maxRejections = 3

// attempt asks for the window once: one answer that is not about the token. With
// a *ShortError it returns the page as well.
func (c *Client) attempt(ctx context.Context, w window.Window, q journal.Query, n int) (*journal.Page, error) {
	if err := checkRequest(w, q); err != nil {
		return nil, err
	}
	// The token comes first: its answer tells the server's time.
	if _, err := c.tokens.get(ctx); err != nil {
		return nil, err
	}
	b, err := c.boundsNow(ctx, w, n)
	if err != nil {
		return nil, err
	}
	page, err := c.authorized(ctx, w, b, q)
	if e, ok := errors.AsType[*APIError](err); ok && e.Has(futureDate) {
		// The answer has told the server's time. If that explains it, the same is
		// asked again with bounds that are right by it.
		better, err := c.boundsNow(ctx, w, n)
		if err != nil {
			return nil, err
		}
		if better != b {
			return c.authorized(ctx, w, better, q)
		}
	}
	return page, err
}

// authorized sends the request with a token. One that is not taken is replaced
// and the request repeated, until the API does not take a new one either.
func (c *Client) authorized(ctx context.Context, w window.Window, b bounds, q journal.Query) (*journal.Page, error) {
	token, err := c.tokens.get(ctx)
	if err != nil {
		return nil, err
	}
	for rejections := 1; ; rejections++ {
		page, err := c.exchange(ctx, w, b, q, token)
		e, answered := errors.AsType[*APIError](err)
		if answered && e.Status == http.StatusUnauthorized && !e.Has(internalError) {
			// A fresh token that is not taken either is a refusal, unless tokens were
			// taken before: then it has been revoked since.
			if rejections > 1 && !c.tokens.trusted.Load() || rejections == maxRejections {
				return nil, err
			}
			c.logger.DebugContext(ctx, "the token was not taken", "error", err)
			if token, err = c.tokens.replace(ctx, token); err != nil {
				return nil, err
			}
			continue
		}
		if page != nil {
			c.tokens.prove(ctx, token)
		}
		return page, err
	}
}

// countRepeated counts a call that package http made on its own: nobody could
// be asked before.
func (c *Client) countRepeated() {
	_ = c.quota.call()
	c.counters.requests.Add(1)
}

// countRepeatedToken does the same for token requests.
func (c *Client) countRepeatedToken() {
	_ = c.quota.token()
	c.counters.tokenRequests.Add(1)
}

// exchange sends one request and reads its answer.
func (c *Client) exchange(ctx context.Context, w window.Window, b bounds, q journal.Query, token token) (page *journal.Page, err error) {
	var conn connection
	attempt, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	request, err := c.request(conn.watch(attempt, c.countRepeated), b, q)
	if err != nil {
		return nil, err
	}
	// The answer to the token request calls itself "Application Access Token";
	// as a scheme that would not be understood.
	request.Header.Set("Authorization", "Bearer "+token.access)
	if err := c.quota.call(); err != nil {
		return nil, err
	}
	c.counters.requests.Add(1)
	defer func() { c.counters.ended(outcomeOf(err)) }()
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, conn.failure(ctx, attempt, c.host, err, c.censor)
	}
	defer answer.Body.Close()
	c.clock.observe(answer.Header)
	wire := &wireReader{body: answer.Body, received: &c.counters.bytes, failure: func(err error) error {
		return conn.failure(ctx, attempt, c.host, err, c.censor)
	}}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		page, err = c.readPage(ctx, answer, wire, w, q)
	default:
		err = c.readError(ctx, answer, wire, w, q)
	}
	switch e, ok := errors.AsType[*APIError](err); {
	case ok && e.Status == http.StatusTooManyRequests:
		c.counters.throttled.Add(1)
	case !ok && known(err) != nil:
		if id := c.censor.words(answer.Header.Get(requestIDHeader), maxID); id != "" {
			err = &AnswerError{RequestID: id, Err: err}
		}
	}
	if page != nil {
		page.Request = request.Method + " " + request.URL.RequestURI()
	}
	return page, err
}
