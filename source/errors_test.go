package source

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

func TestErrorsThatWereJudgedStayWhatTheyAre(t *testing.T) {
	inner := &TokenError{Status: 503}
	for _, err := range []error{
		&fetch.UnavailableError{Err: inner}, &fetch.RefusedError{Err: inner},
		&fetch.QuotaError{Err: inner}, &fetch.WindowError{Err: inner}, errors.New("unknown"), nil,
	} {
		if classify(err) != final || retryable(err) {
			t.Errorf("%T is judged again", err)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	for want, err := range map[string]error{
		"HTTP 503 Service Unavailable": &APIError{Status: 503},
		"HTTP 599":                     &APIError{Status: 599},
		"token endpoint: HTTP 503 Service Unavailable":                                               &TokenError{Status: 503},
		"token endpoint: the answer is no token":                                                     &TokenError{},
		"token endpoint: invalid_client: no such client":                                             &TokenError{Status: 401, Code: "invalid_client", Description: "no such client"},
		"the answer is short: it holds 1 of 2 leads":                                                 &ShortError{Leads: 1, TotalLeads: 2, Items: 1, TotalItems: -1},
		"the answer is short: it holds 1 of 2 leads and 0 of 3 listings":                             &ShortError{Leads: 1, TotalLeads: 2, TotalItems: 3},
		"redirected to http://localhost:1, which is not followed: it is another host, and the token": &RedirectError{To: "http://localhost:1", Problem: "it is another host, and the token"},
		"connecting to example.com: refused":                                                         &UnreachableError{Host: "example.com", Err: errors.New("refused")},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 10, ""},
		{"plain", 10, "plain"},
		{"  two\r\n\tlines  ", 20, "two lines"},
		{"\x1b[31mred\x00\u202e\u200bwords", 20, "[31mred words"},
		{"bad \xff byte", 20, "bad \uFFFD byte"},
		{"0123456789", 8, "01234…"},
		{"ääääää", 8, "ää…"},
	} {
		if got := words(test.text, test.limit); got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
	c := newCensor("secret-value", "short")
	c.learn("token-value")
	c.learn("brief")
	if got := c.words("a secret-value, a token-value, a short", 100); got != "a [redacted], a [redacted], a short" {
		t.Errorf("got %q", got)
	}
}

// Whatever a server answers with an error status, the error is typed, its text
// is short and clean, and the token is not in it.
func FuzzErrorBody(f *testing.F) {
	const token = "v^1.1#the-token"
	for _, body := range []string{
		"", "<html>", "{", "null", "[]", `{"errors":null}`, `{"errors":[]}`, `{"errors":{}}`, `{"errors":["words"]}`,
		`{"errors":[{"errorId":350000}]}`, `{"errors":[{"errorId":"352004","message":"` + token + `"}]}`,
		`{"errors":[{"errorId":1e99,"longMessage":"\u0000\u202e"}],"warnings":7}`, strings.Repeat(`{"errors":`, 100),
	} {
		f.Add(400, []byte(body), false)
		f.Add(500, zip(body), true)
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, zipped bool) {
		header := http.Header{requestIDHeader: {string(body)}}
		if zipped {
			header.Set("Content-Encoding", "gzip")
		}
		answer := &http.Response{StatusCode: status, Header: header}
		wire := &wireReader{body: bytes.NewReader(body), received: new(atomic.Int64), failure: func(err error) error { return err }}
		c := &Client{now: time.Now, censor: newCensor(token)}
		err := c.readError(t.Context(), answer, wire, day, journal.Query{})
		e, ok := errors.AsType[*APIError](err)
		if !ok || e.Status != status || len(e.Errors) > maxMessages {
			t.Fatalf("got %T: %v", err, err)
		}
		text := err.Error()
		if !utf8.ValidString(text) || len(text) > 16+maxMessages*(maxWords+24)+maxID+20 || strings.Contains(text, token) {
			t.Errorf("text %q", text)
		}
		if strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("control characters in %q", text)
		}
		if class := classify(err); class == final || outcomeOf(err) == OutcomeCancelled {
			t.Errorf("not judged: %v", err)
		}
	})
}

// Whatever a body holds, it is read or refused with a typed error, and what is
// kept is gzip of it.
func FuzzBody(f *testing.F) {
	for _, text := range []string{"", "{}", page(0), page(2), page(2)[:30], "\x1f\x8b", "<html>"} {
		f.Add([]byte(text), "")
		f.Add([]byte(text), "gzip")
		f.Add(zip(text), "gzip")
		f.Add(zip(text), "")
		f.Add(append(zip(text), 0), "gzip")
	}
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		answer := &http.Response{Header: http.Header{"Content-Encoding": {encoding}}}
		wire := &wireReader{body: bytes.NewReader(body), received: new(atomic.Int64), failure: func(err error) error { return err }}
		kept, found, err := readBody(answer, window.Window{}, wire, bodyLimits{wire: 1 << 16, json: 1 << 16, suspicious: 1 << 12, ratio: 100})
		if err != nil {
			if c := classify(err); c != failed && c != tooLarge {
				t.Fatalf("got %T: %v", err, err)
			}
			return
		}
		again := &wireReader{body: bytes.NewReader(kept), received: new(atomic.Int64), failure: func(err error) error { return err }}
		_, foundAgain, err := readBody(&http.Response{Header: http.Header{"Content-Encoding": {"gzip"}}}, window.Window{}, again, defaultBodyLimits)
		if err != nil || foundAgain.Leads != found.Leads || foundAgain.Items != found.Items {
			t.Fatalf("what was kept reads otherwise: %+v, then %+v, %v", found, foundAgain, err)
		}
		if _, err := io.Copy(io.Discard, wire); err != nil || wire.n != int64(len(body)) {
			t.Errorf("%d of %d bytes were read, %v", wire.n, len(body), err)
		}
	})
}
