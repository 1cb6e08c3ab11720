package source

import (
	"net/http"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
)

// internalError is the API's own failure (reference, "APPLICATION Errors").
const internalError = 350000

// class is what an error means for going on.
type class int

const (
	// final errors are already those of package fetch, or the context's.
	final class = iota
	// failed: this request failed, another, or the same later, may not.
	failed
	// tooLarge is failed, and a smaller window is the better bet.
	tooLarge
	// throttled: too many requests for now, or for today.
	throttled
	// unreachable: there is nobody to answer, whatever the request.
	unreachable
	// refused: the request or the login; repeating it cannot help.
	refused
)

// retryable is the one rule of what is tried again. Everything that may pass by
// itself is: the API's internal error, overload, lost connections, answers that
// arrived broken or short, hosts that cannot be reached. What the API refuses
// is not, and nothing that has been retried where it happened, such as logins.
func retryable(err error) bool {
	switch classify(err) {
	case failed, tooLarge, throttled, unreachable:
		return true
	}
	return false
}

// classify judges every error that an attempt or a token request ends with. The
// outermost type that is known decides.
func classify(err error) class {
	switch e := known(err).(type) {
	case *APIError:
		return classifyAnswer(e)
	case *TokenError:
		return classifyToken(e)
	case *TooLargeError:
		return tooLarge
	case *BrokenError, *ShortError, *LostError:
		return failed
	case *UnreachableError:
		return unreachable
	case *RedirectError, *requestError:
		return refused
	}
	return final
}

// known returns the outermost error of the chain that this package made, if it
// has not been judged yet.
func known(err error) error {
	for err != nil {
		switch err.(type) {
		case *fetch.WindowError, *fetch.RefusedError, *fetch.QuotaError, *fetch.UnavailableError:
			return nil // judged already, where it happened
		case *APIError, *TokenError, *TooLargeError, *BrokenError, *ShortError, *LostError,
			*UnreachableError, *RedirectError, *requestError:
			return err
		}
		wrapper, ok := err.(interface{ Unwrap() error })
		if !ok {
			return nil
		}
		err = wrapper.Unwrap()
	}
	return nil
}

func classifyAnswer(e *APIError) class {
	// 350000 counts by its id: it has been seen with more than one status. Where
	// it comes with a request error, it is the one that may pass.
	if e.Has(internalError) {
		return failed
	}
	if e.Status == http.StatusTooManyRequests {
		return throttled
	}
	for _, m := range e.Errors {
		if _, ours := requestHints[m.ID]; ours || isRequest(m) && e.Status < 500 {
			return refused
		}
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return failed
	}
	if e.Status >= 400 && e.Status < 500 {
		return refused
	}
	// 5xx; errors with 200; a status that no page comes with.
	return failed
}

// isRequest reports whether eBay's form says that the request is to blame.
func isRequest(m flatten.APIMessage) bool { return strings.EqualFold(m.Category, "REQUEST") }

// Codes of RFC 6749 that can come with a 4xx and pass by themselves.
var passingTokenCodes = map[string]bool{"server_error": true, "temporarily_unavailable": true}

func classifyToken(e *TokenError) class {
	switch {
	case e.Status == http.StatusTooManyRequests:
		return throttled
	case passingTokenCodes[e.Code], e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooEarly:
		return failed
	case e.Status >= 400 && e.Status < 500, e.Code != "":
		return refused
	}
	return failed
}
