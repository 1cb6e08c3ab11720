package simulator

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestToken holds the token endpoint to what eBay's answers.
func TestToken(t *testing.T) {
	const id, secret = "app id:ü+%", "se:cr/et +%26ß"
	scope := "&scope=" + url.QueryEscape(ScopeLeads)
	for name, test := range map[string]struct {
		form, id, secret string
		status           int
		want, value      string
		forbidden        int
	}{
		"application":         {form: "grant_type=client_credentials" + scope, status: 200, want: "token_type", value: "Application Access Token"},
		"user":                {form: "grant_type=refresh_token&refresh_token=r%2F1" + scope, status: 200, want: "token_type", value: "User Access Token"},
		"user without scope":  {form: "grant_type=refresh_token&refresh_token=r%2F1", status: 200, want: "token_type", value: "User Access Token"},
		"wrong secret":        {form: "grant_type=client_credentials" + scope, secret: "x", status: 401, want: "error", value: "invalid_client"},
		"wrong id":            {form: "grant_type=client_credentials" + scope, id: "x", status: 401, want: "error", value: "invalid_client"},
		"no scope":            {form: "grant_type=client_credentials", status: 400, want: "error", value: "invalid_scope"},
		"unknown scope":       {form: "grant_type=client_credentials&scope=x", status: 400, want: "error", value: "invalid_scope"},
		"wrong refresh token": {form: "grant_type=refresh_token&refresh_token=x", status: 400, want: "error", value: "invalid_grant"},
		"no grant":            {form: "", status: 400, want: "error", value: "unsupported_grant_type"},
		"password":            {form: "grant_type=password", status: 400, want: "error", value: "unsupported_grant_type"},
		"secret in the body":  {form: "grant_type=client_credentials&client_secret=x" + scope, status: 200, want: "token_type", value: "Application Access Token", forbidden: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := start(t, Config{})
			s.cfg.ClientID, s.cfg.ClientSecret, s.cfg.RefreshToken = id, secret, "r/1"
			if test.id == "" {
				test.id = id
			}
			if test.secret == "" {
				test.secret = secret
			}
			status, body := c.askToken(test.form, test.id, test.secret)
			if status != test.status || body[test.want] != test.value {
				t.Errorf("status %d, body %v", status, body)
			}
			if f := s.Forbidden(); len(f) != test.forbidden {
				t.Errorf("forbidden: %q", f)
			}
			if token, ok := body["access_token"].(string); status == 200 && (!ok || len(token) < 1000 || body["expires_in"] != 7200.0) {
				t.Errorf("body %v", body)
			}
		})
	}
	t.Run("credentials not encoded", func(t *testing.T) {
		s, c := start(t, Config{})
		s.cfg.ClientID, s.cfg.ClientSecret = "a+b", "c%d"
		r, err := http.NewRequest(http.MethodPost, c.url+TokenPath, strings.NewReader("grant_type=client_credentials"+scope))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("a+b", "c%d")
		if got := c.do(r); got.status != 401 {
			t.Errorf("status %d", got.status)
		}
		if f := s.Forbidden(); len(f) != 1 || !strings.Contains(f[0], "of type") {
			t.Errorf("a form without its type: %q", f)
		}
	})
	t.Run("another scope", func(t *testing.T) {
		s, c := start(t, Config{})
		_, body := c.askToken("grant_type=client_credentials&scope="+url.QueryEscape(scopeBase), "simulator", "simulator-secret")
		c.token, _ = body["access_token"].(string)
		if got := c.get("/classified_lead"); got.status != 403 || got.Errors[0].ErrorID != 1100 || len(s.Forbidden()) != 1 {
			t.Errorf("status %d, forbidden %q", got.status, s.Forbidden())
		}
	})
	t.Run("a day's tokens", func(t *testing.T) {
		s, c := start(t, Config{})
		for range tokensADay - 1 {
			if _, _, ok := s.giveToken(true); !ok {
				t.Fatal("too few tokens")
			}
		}
		status, _ := c.askToken("grant_type=client_credentials"+scope, "simulator", "simulator-secret")
		if f := s.Forbidden(); status != 429 || len(f) != 1 {
			t.Errorf("status %d, forbidden %q", status, f)
		}
	})
}

// newRecorded is a request without a connection, and what records its answer.
func newRecorded(target string) (*http.Request, *httptest.ResponseRecorder) {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("X-EBAY-C-MARKETPLACE-ID", "EBAY_DE")
	return r, httptest.NewRecorder()
}

// recorded asks for all leads with a token, and returns the status.
func recorded(s *Server, token, query string) int {
	r, w := newRecorded(LeadsPath + "/classified_lead" + query)
	r.Header.Set("Authorization", "Bearer "+token)
	s.Handler().ServeHTTP(w, r)
	return w.Code
}

// TestDeadToken has a token be refused once when it is over, and forbids to go on
// with it.
func TestDeadToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Leads: 10, Faults: Faults{TokenLife: 20 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		token, life, _ := s.giveToken(true)
		other, _, _ := s.giveToken(true)
		if life != 20*time.Second {
			t.Errorf("life %v", life)
		}
		expect := func(what string, got, want, forbidden int) {
			t.Helper()
			if got != want || len(s.Forbidden()) != forbidden {
				t.Errorf("%s: status %d, want %d; forbidden %q, want %d", what, got, want, s.Forbidden(), forbidden)
			}
		}
		time.Sleep(20*time.Second - 1)
		expect("alive", recorded(s, token, ""), 200, 0)
		time.Sleep(time.Nanosecond)
		expect("over", recorded(s, token, ""), 401, 0)
		expect("another's request on the way", recorded(s, token, "?status=Answered"), 401, 0)
		expect("the same request again", recorded(s, token, ""), 401, 1)
		time.Sleep(2 * time.Second)
		expect("any request later", recorded(s, token, "?status=Unanswered"), 401, 2)
		expect("another token, over as well", recorded(s, other, ""), 401, 2)
		fresh, _, _ := s.giveToken(true)
		expect("a new one", recorded(s, fresh, ""), 200, 2)
		s.RevokeTokens()
		s.SetFaults(Faults{Unavailable: 1})
		expect("revoked, which a gateway hides", recorded(s, fresh, ""), 503, 2)
		time.Sleep(2 * time.Second)
		s.SetFaults(Faults{})
		expect("revoked", recorded(s, fresh, ""), 401, 2)
		expect("revoked, again", recorded(s, fresh, ""), 401, 3)
		s.ClientRestarted()
		expect("revoked, by a new client", recorded(s, fresh, ""), 401, 3)
		expect("of an earlier server", recorded(s, "unknown", ""), 401, 3)
		expect("of an earlier server, again", recorded(s, "unknown", ""), 401, 4)
	})
}

// TestRetryAfter forbids calls that come before a Retry-After is over, but not
// those that can have been on the way.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Leads: 10, Faults: Faults{TooMany: 1, RetryAfter: 5 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		token, _, _ := s.giveToken(true)
		expect := func(what string, status, want, early, forbidden int) {
			t.Helper()
			if status != want || s.Stats().EarlyCalls != early || len(s.Forbidden()) != forbidden {
				t.Errorf("%s: status %d, %d early calls, forbidden %q", what, status, s.Stats().EarlyCalls, s.Forbidden())
			}
		}
		expect("refused", recorded(s, token, ""), 429, 0, 0)
		s.SetFaults(Faults{})
		expect("on the way", recorded(s, token, "?status=Answered"), 200, 1, 0)
		expect("the same again", recorded(s, token, ""), 200, 1, 1)
		time.Sleep(4 * time.Second)
		expect("another, later", recorded(s, token, "?status=Answered"), 200, 1, 2)
		time.Sleep(time.Second)
		expect("over", recorded(s, token, ""), 200, 1, 2)
		s.SetFaults(Faults{TooMany: 1, RetryAfter: 5 * time.Second})
		expect("refused", recorded(s, token, ""), 429, 1, 2)
		s.ClientRestarted()
		expect("by a new client, which cannot know", recorded(s, token, ""), 429, 1, 2)
	})
}
