package source

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// apiTime is the only form of a time that the API takes (reference, startTime).
const apiTime = "2006-01-02T15:04:05Z"

// longestAhead is how far ahead of the server's clock the end of a window may
// lie for its requests to wait until it has passed.
const longestAhead = 2 * time.Minute

// request makes the request for a query within bounds. The token is not in it.
func (c *Client) request(ctx context.Context, b bounds, q journal.Query) (*http.Request, error) {
	target := c.api + "/classified_lead"
	if q.Item != "" {
		target += "/" + url.PathEscape(q.Item)
	}
	parameters := url.Values{
		"startTime": {b.start.UTC().Format(apiTime)},
		"endTime":   {b.end.UTC().Format(apiTime)},
		// The methods have different defaults, so it is always sent.
		"includeMessages": {strconv.FormatBool(q.Messages)},
	}
	if q.Status != "" {
		parameters.Set("status", q.Status)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target+"?"+parameters.Encode(), nil)
	if err != nil {
		return nil, &requestError{problem: "api-url is not a URL", hint: "check api-url"}
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("User-Agent", c.userAgent)
	r.Header.Set("X-EBAY-C-MARKETPLACE-ID", c.marketplace)
	return r, nil
}

// checkRequest finds what the API would refuse anyway.
func checkRequest(w window.Window, q journal.Query) error {
	switch {
	case w.Empty():
		return &requestError{"the window is empty", requestHints[352005]}
	case w.From.Nanosecond() != 0 || w.To.Nanosecond() != 0:
		return &requestError{"the window's bounds are not whole seconds", "the API knows no fractions"}
	case q.Item != "" && !itemForm().MatchString(q.Item):
		return &requestError{fmt.Sprintf("%q is not the id of a listing", words(q.Item, maxID)), requestHints[352002]}
	case q.Status != "" && q.Status != Answered && q.Status != Unanswered:
		return &requestError{fmt.Sprintf("%q is not a status", words(q.Status, maxID)), requestHints[352006]}
	}
	return nil
}

// boundsNow returns what to ask for. If the window is not over yet, it blocks
// until it is.
func (c *Client) boundsNow(ctx context.Context, w window.Window, attempt int) (bounds, error) {
	for {
		b, wait := boundsOf(w, c.clock.server(), attempt)
		if wait == 0 {
			return b, nil
		}
		if wait > longestAhead {
			return b, &requestError{
				fmt.Sprintf("the window ends %s after now, by eBay's clock", wait.Round(time.Second)),
				requestHints[futureDate],
			}
		}
		c.logger.DebugContext(ctx, "waiting for the window to end", "window", w.String(), "wait", wait)
		if err := sleep(ctx, wait); err != nil {
			return b, err
		}
	}
}
