package source

import (
	"errors"
	"maps"
	"sync"
	"sync/atomic"
)

// Outcome is how one exchange with the API ended.
type Outcome string

// The outcomes that Stats counts.
const (
	OutcomeAnswered     Outcome = "answered"     // a complete page
	OutcomeShort        Outcome = "short"        // a page that holds less than it announces
	OutcomeInternal     Outcome = "internal"     // 350000
	OutcomeServer       Outcome = "server"       // another error that is not the request's, such as 5xx
	OutcomeThrottled    Outcome = "throttled"    // 429
	OutcomeUnauthorized Outcome = "unauthorized" // 401
	OutcomeRefused      Outcome = "refused"      // request errors, other 4xx, redirects
	OutcomeBroken       Outcome = "broken"       // cut off, no gzip, no JSON
	OutcomeTooLarge     Outcome = "too-large"
	OutcomeTimeout      Outcome = "timeout"
	OutcomeLost         Outcome = "lost"        // connections that failed on the way
	OutcomeUnreachable  Outcome = "unreachable" // connections that never came about
	OutcomeCancelled    Outcome = "cancelled"   // by us
)

// Outcomes are all there are.
var Outcomes = []Outcome{
	OutcomeAnswered, OutcomeShort, OutcomeInternal, OutcomeServer, OutcomeThrottled, OutcomeUnauthorized, OutcomeRefused,
	OutcomeBroken, OutcomeTooLarge, OutcomeTimeout, OutcomeLost, OutcomeUnreachable, OutcomeCancelled,
}

// Stats are a Client's counts since it was made.
type Stats struct {
	// Requests are the calls sent to the API, repeated ones included; Retries
	// those that repeated a failed one.
	Requests, Retries int64
	// TokenRequests are the calls sent to the token endpoint. Of those that have
	// ended, TokenGrants brought a token, TokenRefusals refused the login, and
	// TokenFailures failed in another way.
	TokenRequests, TokenGrants, TokenRefusals, TokenFailures int64
	// Throttled counts answers with 429, of both endpoints.
	Throttled int64
	// Bytes are those of the API's bodies, as received.
	Bytes int64
	// Outcomes says how the requests ended; they add up to Requests, but for those
	// under way, redirected, or sent anew on a fresh connection.
	Outcomes map[Outcome]int64
}

// counters are what Stats is taken from. Safe for concurrent use.
type counters struct {
	requests, retries, tokenRequests, throttled, bytes atomic.Int64
	tokenGrants, tokenRefusals, tokenFailures          atomic.Int64

	mu       sync.Mutex
	outcomes map[Outcome]int64
}

func (c *counters) ended(o Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outcomes == nil {
		c.outcomes = make(map[Outcome]int64)
	}
	c.outcomes[o]++
}

// token counts how a token request ended.
func (c *counters) token(err error) {
	if err == nil {
		c.tokenGrants.Add(1)
		return
	}
	switch classify(err) {
	case refused:
		c.tokenRefusals.Add(1)
		return
	case throttled:
		c.throttled.Add(1)
	}
	c.tokenFailures.Add(1)
}

func (c *counters) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Requests:      c.requests.Load(),
		Retries:       c.retries.Load(),
		TokenRequests: c.tokenRequests.Load(),
		TokenGrants:   c.tokenGrants.Load(),
		TokenRefusals: c.tokenRefusals.Load(),
		TokenFailures: c.tokenFailures.Load(),
		Throttled:     c.throttled.Load(),
		Bytes:         c.bytes.Load(),
		Outcomes:      maps.Clone(c.outcomes),
	}
}

// outcomeOf names how an exchange ended.
func outcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeAnswered
	}
	switch e := known(err).(type) {
	case *APIError:
		switch {
		case e.Has(internalError):
			return OutcomeInternal
		case e.Status == 401:
			return OutcomeUnauthorized
		}
		switch classifyAnswer(e) {
		case throttled:
			return OutcomeThrottled
		case refused:
			return OutcomeRefused
		}
		return OutcomeServer
	case *ShortError:
		return OutcomeShort
	case *BrokenError:
		return OutcomeBroken
	case *TooLargeError:
		return OutcomeTooLarge
	case *UnreachableError:
		return OutcomeUnreachable
	case *LostError:
		if errors.Is(e, errTimeout) {
			return OutcomeTimeout
		}
		return OutcomeLost
	case *RedirectError:
		return OutcomeRefused
	}
	return OutcomeCancelled
}
