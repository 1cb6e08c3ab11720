package source

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
)

func TestTokenRefusals(t *testing.T) {
	for _, test := range []struct {
		status            int
		code, description string
		hint              string
	}{
		{401, "invalid_client", "client authentication failed", tokenHints["invalid_client"]},
		{400, "invalid_scope", "The requested scope is invalid", tokenHints["invalid_scope"]},
		{400, "invalid_grant", "revoked", tokenHints["invalid_grant"]},
		{400, "unauthorized_client", "", tokenHints["unauthorized_client"]},
		{400, "something_else", "", hintToken},
		{200, "invalid_client", "with the wrong status", tokenHints["invalid_client"]},
		{403, "", "", hintToken},
	} {
		t.Run(fmt.Sprint(test.status, test.code), func(t *testing.T) {
			a := &api{leads: takes(always)}
			a.token = func(w http.ResponseWriter, r *http.Request, n int) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(test.status)
				if test.code == "" {
					fmt.Fprintf(w, "<html>%s", testSecret)
					return
				}
				fmt.Fprintf(w, `{"error":%q,"error_description":%q,"error_uri":%q}`, test.code, test.description+" "+testSecret, testSecret)
			}
			_, err := a.start(t).Fetch(t.Context(), day, all)
			refused, ok := errors.AsType[*fetch.RefusedError](err)
			if !ok || refused.Hint != test.hint || a.tokens.Load() != 1 {
				t.Errorf("got %T: %v after %d token requests", err, err, a.tokens.Load())
			}
			e, ok := errors.AsType[*TokenError](err)
			if !ok || e.Status != test.status || e.Code != test.code || !strings.HasPrefix(e.Description, test.description) {
				t.Errorf("token error %+v", e)
			}
			if strings.Contains(err.Error(), testSecret) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestTokenFailuresAreTriedAgain(t *testing.T) {
	for name, write := range map[string]func(t *testing.T, w http.ResponseWriter, r *http.Request){
		"500": func(t *testing.T, w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
		"HTML 502": func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(502)
			fmt.Fprint(w, "<html>")
		},
		"no JSON": func(t *testing.T, w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "OK") },
		"cut": func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"access_token":"`+testSecret)
		},
		"a secret number": func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"expires_in":%q}`, testSecret)
		},
		"no token": func(t *testing.T, w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"expires_in":7200}`) },
		"unsendable": func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"access_token":"two\r\nlines","expires_in":7200}`)
		},
		"server_error with 400": func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":"server_error"}`)
		},
		"reset": func(t *testing.T, w http.ResponseWriter, r *http.Request) { reset(t, w) },
		"429": func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
		},
		"endless": func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat(" ", 4096))); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{leads: takes(always)}
			a.token = func(w http.ResponseWriter, r *http.Request, n int) {
				if n <= 2 {
					w.Header().Set("Content-Type", "application/json")
					write(t, w, r)
					return
				}
				giveToken(w, n, 7200)
			}
			c := a.start(t)
			if _, err := c.Fetch(t.Context(), day, all); err != nil {
				t.Fatal(err)
			}
			if n := a.tokens.Load(); n != 3 || c.Stats().TokenRequests != 3 || c.Stats().Retries != 0 {
				t.Errorf("%d token requests, %+v", n, c.Stats())
			}
			if strings.Contains(a.logged(), testSecret) {
				t.Error("the log holds the secret")
			}
		})
	}
}

func TestTokenEndpointThatNeverAnswers(t *testing.T) {
	for name, write := range map[string]func(w http.ResponseWriter, r *http.Request){
		"silence": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a byte now and then": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &api{leads: takes(always), token: func(w http.ResponseWriter, r *http.Request, n int) { write(w, r) }}
				c := a.startInBubble(t, func(s *setup) { s.limits.MaxAttempts = 2 })
				begin := time.Now()
				_, err := c.Fetch(t.Context(), day, all)
				if _, ok := errors.AsType[*fetch.UnavailableError](err); !ok || !errors.Is(err, errTimeout) {
					t.Errorf("got %T: %v", err, err)
				}
				if took := time.Since(begin); took < 20*time.Second || took > 22*time.Second {
					t.Errorf("took %s for two attempts of 10 s", took)
				}
			})
		})
	}
}

func TestTokenRedirectIsRefused(t *testing.T) {
	for _, target := range []string{"http://127.0.0.1:1/", "/elsewhere"} {
		a := &api{leads: takes(always)}
		a.token = func(w http.ResponseWriter, r *http.Request, n int) {
			http.Redirect(w, r, target, http.StatusTemporaryRedirect)
		}
		_, err := a.start(t).Fetch(t.Context(), day, all)
		refused, ok := errors.AsType[*fetch.RefusedError](err)
		if _, redirected := errors.AsType[*RedirectError](err); !ok || !redirected || refused.Hint != hintRedirect || a.tokens.Load() != 1 {
			t.Errorf("got %T: %v", err, err)
		}
	}
}

func TestTokenQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{leads: takes(always)}
		a.token = func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("Retry-After", "36000")
			w.WriteHeader(429)
		}
		c := a.startInBubble(t)
		_, err := c.Fetch(t.Context(), day, all)
		spent, ok := errors.AsType[*fetch.QuotaError](err)
		if !ok || !spent.Until.Equal(time.Now().Add(10*time.Hour)) || a.tokens.Load() != 1 {
			t.Errorf("got %T: %v", err, err)
		}
		if c.Stats().Throttled != 1 {
			t.Errorf("stats %+v", c.Stats())
		}
	})
}
