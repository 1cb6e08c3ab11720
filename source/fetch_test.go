package source

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

var _ fetch.Source = (*Client)(nil)

func TestRequestIsAsTheReferenceHasIt(t *testing.T) {
	for _, test := range []struct {
		name  string
		query journal.Query
		path  string
		want  url.Values
	}{
		{"all", journal.Query{Messages: true}, "/sell/leads/v1/classified_lead", url.Values{"includeMessages": {"true"}}},
		{"no messages", journal.Query{}, "/sell/leads/v1/classified_lead", url.Values{"includeMessages": {"false"}}},
		{"status", journal.Query{Status: Unanswered}, "/sell/leads/v1/classified_lead", url.Values{"includeMessages": {"false"}, "status": {"Unanswered"}}},
		{"item", journal.Query{Item: "110123456789"}, "/sell/leads/v1/classified_lead/110123456789", url.Values{"includeMessages": {"false"}}},
		{"RESTful item", journal.Query{Item: "v1|110123456789|0", Messages: true}, "/sell/leads/v1/classified_lead/v1%7C110123456789%7C0", url.Values{"includeMessages": {"true"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { writeZip(w, page(1)) }}
			c := a.start(t)
			got, err := c.Fetch(t.Context(), day, test.query)
			if err != nil {
				t.Fatal(err)
			}
			r := a.seen()[0]
			test.want.Set("startTime", "1999-09-01T00:00:00Z")
			test.want.Set("endTime", "1999-09-02T00:00:00Z")
			if r.Method != "GET" || r.URL.EscapedPath() != test.path || r.URL.Query().Encode() != test.want.Encode() {
				t.Errorf("sent %s %s", r.Method, r.URL)
			}
			for name, want := range map[string]string{
				"Accept-Encoding":         "gzip",
				"Accept":                  "application/json",
				"X-Ebay-C-Marketplace-Id": "EBAY_DE",
				"User-Agent":              "leads-etl/1.2.3 (+https://github.com/leads-etl/leads-etl)",
				"Authorization":           "Bearer " + tokenNumber(1),
			} {
				if values := r.Header.Values(name); len(values) != 1 || values[0] != want {
					t.Errorf("%s: %q, want %q", name, values, want)
				}
			}
			if got.Request != "GET "+r.URL.RequestURI() || got.Query != test.query || got.Window != day {
				t.Errorf("page of %q, %+v, %s", got.Request, got.Query, got.Window)
			}
		})
	}
}

func TestPageIsKeptAsReceived(t *testing.T) {
	body := zip(page(3))
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set(requestIDHeader, "ri=abc,rci=xyz")
		_, _ = w.Write(body)
	}}
	c := a.start(t)
	p, err := c.Fetch(t.Context(), day, all)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.Body, body) {
		t.Error("the body is not the one that was sent")
	}
	if p.Items != 1 || p.Leads != 3 || *p.TotalItems != 1 || *p.TotalLeads != 3 || p.Undated != 0 || p.Short || p.RequestID != "ri=abc,rci=xyz" {
		t.Errorf("page %+v", p)
	}
	if p.Received.IsZero() || p.Received.Location().String() != "UTC" || p.Received.Nanosecond()%1e6 != 0 {
		t.Errorf("received at %v", p.Received)
	}
	stats := c.Stats()
	if stats.Requests != 1 || stats.TokenRequests != 1 || stats.Bytes != int64(len(body)) || stats.Outcomes[OutcomeAnswered] != 1 {
		t.Errorf("stats %+v", stats)
	}
}

func TestOtherEncodings(t *testing.T) {
	for name, write := range map[string]func(http.ResponseWriter){
		"identity": func(w http.ResponseWriter) { _, _ = w.Write([]byte(page(2))) },
		"named identity": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "identity")
			_, _ = w.Write([]byte(page(2)))
		},
		"gzip undeclared": func(w http.ResponseWriter) { _, _ = w.Write(zip(page(2))) },
		"gzip by old name": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "x-gzip")
			_, _ = w.Write(zip(page(2)))
		},
		"gzip in two parts": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			text := page(2)
			_, _ = w.Write(append(zip(text[:20]), zip(text[20:])...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { write(w) }}
			p, err := a.start(t).Fetch(t.Context(), day, all)
			if err != nil {
				t.Fatal(err)
			}
			if p.Leads != 2 || unzip(t, p) != page(2) {
				t.Errorf("%d leads in %s", p.Leads, unzip(t, p))
			}
		})
	}
}

func TestNoContentIsAnEmptyPage(t *testing.T) {
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { w.WriteHeader(http.StatusNoContent) }}
	p, err := a.start(t).Fetch(t.Context(), day, all)
	if err != nil || p.Leads != 0 || unzip(t, p) != "{}" {
		t.Errorf("page %+v, error %v", p, err)
	}
}

func TestRedirectWithinTheHostIsFollowed(t *testing.T) {
	a := &api{}
	a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
		if n <= maxRedirects {
			http.Redirect(w, r, fmt.Sprintf("/sell/leads/v1/elsewhere/%d", n), http.StatusPermanentRedirect)
			return
		}
		writeZip(w, page(1))
	}
	c := a.start(t)
	if _, err := c.Fetch(t.Context(), day, all); err != nil {
		t.Fatal(err)
	}
	last := a.seen()[maxRedirects]
	if last.Header.Get("Authorization") == "" || last.Header.Get("X-EBAY-C-MARKETPLACE-ID") == "" {
		t.Error("the headers did not follow")
	}
	if used, _, _ := c.Quota(); used != maxRedirects+1 {
		t.Errorf("%d calls counted, want %d", used, maxRedirects+1)
	}
}

func TestWindowsAreGivenUp(t *testing.T) {
	for _, test := range []struct {
		name   string
		single bool
		calls  int64
		write  func(w http.ResponseWriter, n int)
		short  int // leads of WindowError.Short; -1 if there is none
	}{
		{"wide, failing", false, splittableAttempts, func(w http.ResponseWriter, n int) { w.WriteHeader(500) }, -1},
		{"one second, failing", true, 6, func(w http.ResponseWriter, n int) { w.WriteHeader(500) }, -1},
		{"wide, short", false, splittableAttempts, func(w http.ResponseWriter, n int) {
			writeZip(w, answer([]int{2, 4, 3}[n-1], `,"totalLeads":9`))
		}, 4},
		{"one second, short of listings", true, 6, func(w http.ResponseWriter, n int) {
			writeZip(w, answer(2, `,"totalItems":2,"totalLeads":2`))
		}, 2},
		{"short, then failing", false, splittableAttempts, func(w http.ResponseWriter, n int) {
			if n > 1 {
				w.WriteHeader(500)
				return
			}
			writeZip(w, answer(0, `,"totalLeads":1`))
		}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { test.write(w, n) }}
			c := a.start(t)
			w := day
			if test.single {
				w = oneSec
			}
			_, err := c.Fetch(t.Context(), w, all)
			failed, ok := errors.AsType[*fetch.WindowError](err)
			if !ok || failed.Window != w {
				t.Fatalf("got %T: %v", err, err)
			}
			if calls := a.calls.Load(); calls != test.calls {
				t.Errorf("%d calls, want %d", calls, test.calls)
			}
			switch {
			case test.short < 0 && failed.Short != nil:
				t.Errorf("a short page of %d leads", failed.Short.Leads)
			case test.short >= 0 && (failed.Short == nil || !failed.Short.Short || failed.Short.Leads != test.short):
				t.Errorf("short page %+v, want one of %d leads", failed.Short, test.short)
			case failed.Short != nil && (failed.Short.Request == "" || failed.Short.Window != w || len(failed.Short.Body) == 0):
				t.Errorf("the short page is not complete: %+v", failed.Short)
			}
		})
	}
}

func TestTotals(t *testing.T) {
	for _, test := range []struct {
		name, body string
		warns      bool
	}{
		{"none and no leads", `{}`, false},
		{"none and an empty list", `{"classifiedLeads":[]}`, false},
		{"none, but leads", answer(2, ""), true},
		{"more than announced", answer(3, `,"totalItems":1,"totalLeads":2`), false},
		{"no leads announced, none there", `{"classifiedLeads":[],"totalItems":0,"totalLeads":0}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { writeZip(w, test.body) }}
			c := a.start(t)
			for range 3 {
				if p, err := c.Fetch(t.Context(), day, all); err != nil || p.Short {
					t.Fatalf("page %+v, error %v", p, err)
				}
			}
			want := 0
			if test.warns {
				want = 1
			}
			if warnings := strings.Count(a.logged(), "level=WARN"); warnings != want {
				t.Errorf("%d warnings, want %d:\n%s", warnings, want, a.logged())
			}
		})
	}
}

func TestWarningsAreKeptAndLoggedOnce(t *testing.T) {
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
		writeZip(w, answer(1, `,"totalItems":1,"totalLeads":1,"warnings":[`+ebayError(352100, "REQUEST", "Deprecated.")+`]`))
	}}
	c := a.start(t)
	for range 2 {
		p, err := c.Fetch(t.Context(), day, all)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Warnings, []string{"352100 Deprecated."}) {
			t.Errorf("warnings %q", p.Warnings)
		}
	}
	if n := strings.Count(a.logged(), "level=WARN"); n != 1 {
		t.Errorf("logged %d times as a warning", n)
	}
}

func TestCancellation(t *testing.T) {
	cause := errors.New("the user said so")
	ctx, cancel := context.WithCancelCause(t.Context())
	a := &api{}
	a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			w.WriteHeader(503)
			return
		}
		cancel(cause)
		<-r.Context().Done()
	}
	_, err := a.start(t).Fetch(ctx, day, all)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || !strings.Contains(err.Error(), "HTTP 503") {
		t.Errorf("got %v", err)
	}
	if _, ok := errors.AsType[*fetch.WindowError](err); ok {
		t.Error("the window is not to blame")
	}
}

func TestBasicCredentialsAreFormEncoded(t *testing.T) {
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { writeZip(w, page(0)) }}
	a.token = func(w http.ResponseWriter, r *http.Request, n int) {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(testID)+":"+url.QueryEscape(testSecret)))
		if got := r.Header.Get("Authorization"); got != want {
			t.Errorf("Authorization %q, want %q", got, want)
		}
		if want := (url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}); r.PostForm.Encode() != want.Encode() || r.URL.RawQuery != "" {
			t.Errorf("form %v, query %q", r.PostForm, r.URL.RawQuery)
		}
		giveToken(w, n, 7200)
	}
	if _, err := a.start(t).Fetch(t.Context(), day, all); err != nil {
		t.Fatal(err)
	}
}
