package source

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// APIError is an answer of the API that is no page: an HTTP status that says
// so, or errors in eBay's form with whatever status.
type APIError struct {
	// Status is the HTTP status.
	Status int
	// Errors are what the answer gave as reasons, if it did, in its order. Texts
	// are cleaned and hold none of our secrets.
	Errors []flatten.APIMessage
	// RequestID is the API's id of the exchange, for eBay's support.
	RequestID string
	// Window is what was asked for.
	Window window.Window

	// after is what the answer's Retry-After asks for; waits reports whether
	// there was one.
	after time.Duration
	waits bool
	// item says that the request was for one listing.
	item bool
}

// Error is the API's own words, or the HTTP status if it had none.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP %d", e.Status)
	if len(e.Errors) == 0 {
		if text := http.StatusText(e.Status); text != "" {
			b.WriteString(" " + text)
		}
	}
	separator := ": "
	for _, m := range e.Errors {
		b.WriteString(separator)
		separator = "; "
		b.WriteString(messageText(m))
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", e.RequestID)
	}
	return b.String()
}

// Has reports whether one of the answer's errors has the id.
func (e *APIError) Has(id int64) bool {
	for _, m := range e.Errors {
		if m.ID == id {
			return true
		}
	}
	return false
}

// messageText is "352005 Invalid Date Range. …".
func messageText(m flatten.APIMessage) string {
	text := m.LongMessage
	if text == "" {
		text = m.Message
	}
	if m.ID != 0 {
		text = strings.TrimSpace(strconv.FormatInt(m.ID, 10) + " " + text)
	}
	if text == "" {
		text = "an error without a text"
	}
	return text
}

// AnswerError says which exchange an answer came from that is faulty, and says by
// itself no more than that.
type AnswerError struct {
	// RequestID is the API's id of the exchange, for eBay's support.
	RequestID string
	Err       error
}

func (e *AnswerError) Error() string { return e.Err.Error() + " (request id " + e.RequestID + ")" }

// Unwrap returns what is wrong with the answer.
func (e *AnswerError) Unwrap() error { return e.Err }

// RequestIDOf returns the API's id of the exchange that the error came from, "" if
// there was no answer, or none with an id.
func RequestIDOf(err error) string {
	if e, ok := errors.AsType[*APIError](err); ok {
		return e.RequestID
	}
	if e, ok := errors.AsType[*AnswerError](err); ok {
		return e.RequestID
	}
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e.RequestID
	}
	return ""
}

// BrokenError says that an answer did not arrive as the page it should be: it
// was cut off, is no gzip, or no JSON.
type BrokenError struct{ Err error }

func (e *BrokenError) Error() string { return "the answer is broken: " + e.Err.Error() }

// Unwrap returns what was found.
func (e *BrokenError) Unwrap() error { return e.Err }

// TooLargeError says that an answer exceeds what is accepted: in bytes on the
// wire, decompressed, or by how far it unfolds, as only a gzip bomb does.
type TooLargeError struct {
	// Limit is the bound that was met, in words.
	Limit string
}

func (e *TooLargeError) Error() string { return "the answer is too large: more than " + e.Limit }

// ShortError says that an answer holds less than it announces.
type ShortError struct {
	Items, Leads           int
	TotalItems, TotalLeads int // -1 if not announced
}

func (e *ShortError) Error() string {
	var parts []string
	if e.Leads < e.TotalLeads {
		parts = append(parts, fmt.Sprintf("%d of %d leads", e.Leads, e.TotalLeads))
	}
	if e.Items < e.TotalItems {
		parts = append(parts, fmt.Sprintf("%d of %d listings", e.Items, e.TotalItems))
	}
	return "the answer is short: it holds " + strings.Join(parts, " and ")
}

// RedirectError says that a server sent us elsewhere, where neither the token
// nor the secret may follow.
type RedirectError struct {
	// To is the scheme and host of the target.
	To string
	// Problem is why it is not followed.
	Problem string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("redirected to %s, which is not followed: %s", e.To, e.Problem)
}

// TokenError is an answer of the token endpoint that is no token.
type TokenError struct {
	// Status is the HTTP status, 0 if there was an answer of status 2xx that
	// cannot be read.
	Status int
	// Code and Description are RFC 6749's error and error_description, cleaned.
	Code, Description string
	// RequestID is eBay's id of the exchange, if the answer had one.
	RequestID string

	after time.Duration
	waits bool
}

func (e *TokenError) Error() string {
	text := "token endpoint: "
	switch {
	case e.Code != "":
		text += e.Code
	case e.Status != 0:
		text += strings.TrimSpace(fmt.Sprintf("HTTP %d %s", e.Status, http.StatusText(e.Status)))
	default:
		text += "the answer is no token"
	}
	if e.Description != "" {
		text += ": " + e.Description
	}
	if e.RequestID != "" {
		text += " (request id " + e.RequestID + ")"
	}
	return text
}

// UnreachableError says that no connection came about: the name does not
// resolve, nobody listens, or TLS fails.
type UnreachableError struct {
	Host string
	Err  error
}

func (e *UnreachableError) Error() string {
	reason := e.Err
	// The host is named already, and people need not know what a dial is.
	if op, ok := errors.AsType[*net.OpError](reason); ok && op.Err != nil {
		reason = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](reason); ok {
		reason = call.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](reason); ok && dns.IsNotFound {
		return "connecting to " + e.Host + ": no such host"
	}
	return "connecting to " + e.Host + ": " + reason.Error()
}

// Unwrap returns the network's error.
func (e *UnreachableError) Unwrap() error { return e.Err }

// LostError says that a connection was there and failed before the answer was
// complete: it was reset, closed, or too slow.
type LostError struct{ Err error }

func (e *LostError) Error() string { return "the connection failed: " + e.Err.Error() }

// Unwrap returns the network's error.
func (e *LostError) Unwrap() error { return e.Err }

// requestError is a request that is not sent, because it could not be right.
type requestError struct {
	problem string
	hint    string
}

func (e *requestError) Error() string { return e.problem }

// errTimeout is the cause that an attempt ends with when its time is up.
var errTimeout = errors.New("no complete answer in time")
