package source

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

func TestTransientFailuresAreTriedAgain(t *testing.T) {
	full := zip(page(5))
	for name, breakIt := range map[string]struct {
		answer  func(t *testing.T, w http.ResponseWriter)
		outcome Outcome
	}{
		"350000 with 500": {func(t *testing.T, w http.ResponseWriter) {
			fail(w, 500, ebayError(350000, "APPLICATION", "There was a problem"))
		}, OutcomeInternal},
		"350000 with 200": {func(t *testing.T, w http.ResponseWriter) {
			fail(w, 200, ebayError(350000, "APPLICATION", "There was a problem"))
		}, OutcomeInternal},
		"350000 with 400": {func(t *testing.T, w http.ResponseWriter) {
			fail(w, 400, ebayError(350000, "REQUEST", "There was a problem"))
		}, OutcomeInternal},
		"350000 with 401": {func(t *testing.T, w http.ResponseWriter) {
			fail(w, 401, ebayError(350000, "APPLICATION", "There was a problem"))
		}, OutcomeInternal},
		"350000 among others": {func(t *testing.T, w http.ResponseWriter) {
			fail(w, 400, ebayError(352003, "REQUEST", "Time"), ebayError(350000, "APPLICATION", "Problem"))
		}, OutcomeInternal},
		"another error with 200": {func(t *testing.T, w http.ResponseWriter) {
			fail(w, 200, ebayError(99, "APPLICATION", "Odd"))
		}, OutcomeServer},
		"HTML 502": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(502)
			_, _ = w.Write([]byte("<html><body>Bad Gateway</body></html>"))
		}, OutcomeServer},
		"HTML 200": {func(t *testing.T, w http.ResponseWriter) {
			_, _ = w.Write([]byte("<html><body>Please wait</body></html>"))
		}, OutcomeBroken},
		"gzip error body": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(503)
			_, _ = w.Write(zip(`{"errors":[` + ebayError(350000, "APPLICATION", "Problem") + `]}`))
		}, OutcomeInternal},
		"408":   {func(t *testing.T, w http.ResponseWriter) { w.WriteHeader(408) }, OutcomeServer},
		"304":   {func(t *testing.T, w http.ResponseWriter) { w.WriteHeader(304) }, OutcomeServer},
		"reset": {func(t *testing.T, w http.ResponseWriter) { reset(t, w) }, OutcomeLost},
		"reset in the body": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(full[:len(full)/2])
			_ = http.NewResponseController(w).Flush()
			reset(t, w)
		}, OutcomeLost},
		"less than Content-Length": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Length", fmt.Sprint(len(full)))
			_, _ = w.Write(full[:len(full)-3])
		}, OutcomeLost},
		"no HTTP": {func(t *testing.T, w http.ResponseWriter) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-" + testSecret + "\r\n\r\n"))
			_ = conn.Close()
		}, OutcomeLost},
		"truncated gzip": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(full[:len(full)-12])
		}, OutcomeBroken},
		"gzip without its checksum": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(full[:len(full)-8])
		}, OutcomeBroken},
		"gzip with a wrong checksum": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			wrong := bytes.Clone(full)
			wrong[len(wrong)-6] ^= 1
			_, _ = w.Write(wrong)
		}, OutcomeBroken},
		"gzip and then something": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(append(bytes.Clone(full), "more"...))
		}, OutcomeBroken},
		"not gzip": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte(page(1)))
		}, OutcomeBroken},
		"another encoding": {func(t *testing.T, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write([]byte("whatever"))
		}, OutcomeBroken},
		"no JSON":       {func(t *testing.T, w http.ResponseWriter) { writeZip(w, "OK") }, OutcomeBroken},
		"cut JSON":      {func(t *testing.T, w http.ResponseWriter) { writeZip(w, page(1)[:40]) }, OutcomeBroken},
		"JSON and more": {func(t *testing.T, w http.ResponseWriter) { writeZip(w, page(1)+"<!-- -->") }, OutcomeBroken},
		"nothing":       {func(t *testing.T, w http.ResponseWriter) {}, OutcomeBroken},
		"short":         {func(t *testing.T, w http.ResponseWriter) { writeZip(w, answer(2, `,"totalLeads":3`)) }, OutcomeShort},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{}
			a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 1 {
					breakIt.answer(t, w)
					return
				}
				writeZip(w, page(5))
			}
			c := a.start(t)
			p, err := c.Fetch(t.Context(), day, all)
			if err != nil {
				t.Fatal(err)
			}
			stats := c.Stats()
			if p.Leads != 5 || stats.Requests != 2 || a.calls.Load() != 2 || stats.Outcomes[OutcomeAnswered] != 1 {
				t.Errorf("%d leads, %+v", p.Leads, stats)
			}
			// A kept connection that is reset before an answer is tried again by
			// package http itself.
			if name != "reset" && (stats.Retries != 1 || stats.Outcomes[breakIt.outcome] != 1) {
				t.Errorf("%+v", stats)
			}
			if strings.Contains(a.logged(), testSecret) {
				t.Error("the log repeats what the server said")
			}
		})
	}
}

func TestRequestErrorsAreRefused(t *testing.T) {
	for id, hint := range requestHints {
		for _, status := range []int{400, 200, 500} {
			t.Run(fmt.Sprintf("%d with %d", id, status), func(t *testing.T) {
				a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
					fail(w, status, ebayError(int(id), "REQUEST", "The API's own\\nwords."), ebayError(7, "REQUEST", "And more."))
				}}
				c := a.start(t)
				_, err := c.Fetch(t.Context(), day, all)
				refused, ok := errors.AsType[*fetch.RefusedError](err)
				if !ok {
					t.Fatalf("got %T: %v", err, err)
				}
				if refused.Window != day || refused.Hint != hint || a.calls.Load() != 1 {
					t.Errorf("%+v after %d calls", refused, a.calls.Load())
				}
				e, ok := errors.AsType[*APIError](err)
				if !ok || e.Status != status || !e.Has(id) || len(e.Errors) != 2 || e.RequestID != "ri=abc,rci=xyz" || e.Window != day {
					t.Errorf("API error %+v", e)
				}
				want := fmt.Sprintf("HTTP %d: %d The API's own words.; 7 And more. (request id ri=abc,rci=xyz)", status, id)
				if e.Error() != want {
					t.Errorf("text %q, want %q", e, want)
				}
			})
		}
	}
}

func TestOtherRefusals(t *testing.T) {
	for _, test := range []struct {
		name  string
		query journal.Query
		write func(w http.ResponseWriter, r *http.Request)
		hint  string
	}{
		{"403", all, func(w http.ResponseWriter, r *http.Request) {
			fail(w, 403, ebayError(1100, "REQUEST", "Access denied"))
		}, hintForbidden},
		{"404", all, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }, hintNotFound},
		{"404 for an item", journal.Query{Item: "1"}, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }, hintNoItem},
		{"407", all, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(407) }, hintProxy},
		{"unknown 4xx", all, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(418) }, ""},
		{"unknown request error", all, func(w http.ResponseWriter, r *http.Request) {
			fail(w, 200, ebayError(352999, "request", "New"))
		}, ""},
		{"redirect to another host", all, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost:1/"+url.PathEscape(testSecret), http.StatusFound)
		}, hintRedirect},
		{"redirect for ever", all, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, hintRedirect},
		{"no item", journal.Query{Item: "1/../2"}, nil, requestHints[352002]},
		{"no status", journal.Query{Status: "answered"}, nil, requestHints[352006]},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { test.write(w, r) }}
			c := a.start(t)
			_, err := c.Fetch(t.Context(), day, test.query)
			refused, ok := errors.AsType[*fetch.RefusedError](err)
			if !ok || refused.Hint != test.hint {
				t.Errorf("got %T: %v", err, err)
			}
			if strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the error repeats the target: %v", err)
			}
			if stats := c.Stats(); stats.Retries != 0 {
				t.Errorf("retried: %+v", stats)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { t.Error("reached") }}
	for name, change := range map[string]func(*setup){
		"API refuses connections":   func(s *setup) { s.config.APIURL = "http://127.0.0.1:1" },
		"API speaks no TLS":         func(s *setup) { s.config.APIURL = strings.Replace(s.config.APIURL, "http:", "https:", 1) },
		"token refuses connections": func(s *setup) { s.config.TokenURL = "http://127.0.0.1:1" },
		"token speaks no TLS":       func(s *setup) { s.config.TokenURL = strings.Replace(s.config.TokenURL, "http:", "https:", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			c := a.start(t, change)
			_, err := c.Fetch(t.Context(), day, all)
			if _, ok := errors.AsType[*fetch.UnavailableError](err); !ok {
				t.Fatalf("got %T: %v", err, err)
			}
			if stats := c.Stats(); max(stats.Requests, stats.TokenRequests) != 6 {
				t.Errorf("tried otherwise than 6 times: %+v", stats)
			}
		})
	}
}
