package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Scopes that the application may ask for. Leads need the second.
const (
	scopeBase  = "https://api.ebay.com/oauth/api_scope"
	ScopeLeads = "https://api.ebay.com/oauth/api_scope/sell.leads"
)

const (
	defaultTokenLife = 2 * time.Hour
	// tokensADay is what an application may ask for by client credentials.
	tokensADay = 1000
	// maxTokenRequest bounds the body of a token request.
	maxTokenRequest = 64 << 10
)

// tokens are those that were given.
type tokens struct {
	mu    sync.Mutex
	given map[string]*token
	count int
	day   time.Time // the day that today counts
	today int
}

// token is one access token. Its times are the real clock's: a client counts a
// token's life by its own.
type token struct {
	expires time.Time
	revoked bool
	leads   bool // its scope covers the Leads API
	// refused is when a request was first answered 401 for it, by whom since.
	refused  time.Time
	requests map[string]bool
}

func (s *Server) tokenEndpoint(w http.ResponseWriter, r *http.Request) {
	s.books.request(r.Method + " /token")
	answer := func(outcome string, status int, body any) {
		s.books.outcome("token " + outcome)
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		b, err := json.Marshal(body)
		if err != nil {
			panic(err) // maps of strings and numbers
		}
		w.WriteHeader(status)
		_, _ = w.Write(b) // fails if the client went away, which is its affair
	}
	refuse := func(status int, code, description string) {
		answer(code, status, map[string]string{"error": code, "error_description": description})
	}
	if s.outage(w) || s.tokenFault(w, r) {
		return
	}
	form, violations := readTokenRequest(r)
	if len(violations) > 0 {
		s.books.forbid(r.Method+" "+r.URL.Path, violations...)
	}
	if !s.clientKnown(r) {
		refuse(http.StatusUnauthorized, "invalid_client", "client authentication failed")
		return
	}
	scopes := strings.Fields(form.Get("scope"))
	kind := "Application Access Token"
	switch form.Get("grant_type") {
	case "client_credentials":
		if len(scopes) == 0 {
			refuse(http.StatusBadRequest, "invalid_scope", "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the client")
			return
		}
	case "refresh_token":
		kind = "User Access Token"
		if form.Get("refresh_token") != s.cfg.RefreshToken {
			refuse(http.StatusBadRequest, "invalid_grant", "the provided authorization refresh token is invalid or was issued to another client")
			return
		}
		if len(scopes) == 0 {
			scopes = []string{ScopeLeads} // all that was consented to
		}
	default:
		refuse(http.StatusBadRequest, "unsupported_grant_type", "grant type in request is not supported by the authorization server")
		return
	}
	for _, scope := range scopes {
		if scope != scopeBase && scope != ScopeLeads {
			refuse(http.StatusBadRequest, "invalid_scope", "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the client")
			return
		}
	}
	value, life, ok := s.giveToken(slices.Contains(scopes, ScopeLeads))
	if !ok {
		s.books.forbid(r.Method+" "+r.URL.Path, fmt.Sprintf("more than %d tokens in a day", tokensADay))
		refuse(http.StatusTooManyRequests, "too_many_requests", "the number of tokens of the day is used up")
		return
	}
	s.books.count(func(st *Stats) { st.Tokens++ })
	answer("ok", http.StatusOK, map[string]any{
		"access_token": value, "expires_in": int(life / time.Second), "token_type": kind,
	})
}

// readTokenRequest reads the form of a token request, and what is wrong with it.
func readTokenRequest(r *http.Request) (form url.Values, violations []string) {
	if r.Method != http.MethodPost {
		violations = append(violations, "token request that is no POST")
	}
	if t := r.Header.Get("Content-Type"); !strings.HasPrefix(t, "application/x-www-form-urlencoded") {
		violations = append(violations, fmt.Sprintf("token request of type %q", t))
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxTokenRequest))
	if err == nil {
		form, err = url.ParseQuery(string(body))
	}
	if err != nil {
		violations = append(violations, "token request that cannot be read")
	}
	for _, secret := range []string{"client_id", "client_secret"} {
		if form.Has(secret) {
			violations = append(violations, "token request with "+secret+" in the body")
		}
	}
	if r.URL.RawQuery != "" {
		violations = append(violations, "token request with a query")
	}
	return form, violations
}

// clientKnown checks the Basic credentials, which are form-encoded before they
// are put together (RFC 6749, 2.3.1).
func (s *Server) clientKnown(r *http.Request) bool {
	id, secret, ok := r.BasicAuth()
	if !ok || r.Method != http.MethodPost {
		return false
	}
	id, err := url.QueryUnescape(id)
	if err != nil || id != s.cfg.ClientID {
		return false
	}
	secret, err = url.QueryUnescape(secret)
	return err == nil && secret == s.cfg.ClientSecret
}

// giveToken makes a token. It reports false if the day's are used up.
func (s *Server) giveToken(leads bool) (value string, life time.Duration, ok bool) {
	life = s.faults().TokenLife
	if life == 0 {
		life = defaultTokenLife
	}
	t := &s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if day := quotaDay(s.Now()); !day.Equal(t.day) {
		t.day, t.today = day, 0
	}
	if t.today == tokensADay {
		return "", 0, false
	}
	t.today++
	t.count++
	r := newRNG(s.cfg.Seed, aspectToken, uint64(t.count))
	raw := make([]byte, 1200)
	for i := range raw {
		raw[i] = byte(r.next())
	}
	value = "v^1.1#i^1#p^1#r^0#I^3#f^0#t^" + base64.StdEncoding.EncodeToString(raw)
	t.given[value] = &token{expires: time.Now().Add(life), leads: leads, requests: make(map[string]bool)}
	return value, life, true
}

// RevokeTokens ends all tokens before their time.
func (s *Server) RevokeTokens() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	for _, t := range s.tokens.given {
		t.revoked = true
	}
}

// ClientRestarted tells the books that the client is a new process: what an
// earlier one was told by a 401 or a Retry-After it cannot know. It blocks until
// the requests that the earlier one left are off the books.
func (s *Server) ClientRestarted() {
	s.connections.settle()
	for s.answering.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	s.limits.forget()
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	for _, t := range s.tokens.given {
		t.refused = time.Time{}
		clear(t.requests)
	}
}

// authorize checks the Authorization header of a request. It returns the token,
// or the error to answer with, and what is forbidden about it.
func (s *Server) authorize(r *http.Request, leads bool) (t *token, refusal *apiError, violations []string) {
	header := r.Header.Get("Authorization")
	value, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		scheme, _, _ := strings.Cut(header, " ")
		if header == "" {
			scheme = "missing"
		}
		return nil, &errInvalidToken, []string{"authorization scheme is " + scheme}
	}
	now := time.Now()
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	t = s.tokens.given[value]
	if t == nil {
		// One that an earlier server gave is remembered from now on.
		t = &token{revoked: true, requests: make(map[string]bool)}
		s.tokens.given[value] = t
	}
	if !t.revoked && now.Before(t.expires) {
		if leads && !t.leads {
			return t, &errNoScope, []string{"token without the scope of the Leads API"}
		}
		return t, nil, nil
	}
	// The first 401 for a token is life. To go on with it is not; but a
	// concurrent client may have requests on the way.
	if !t.refused.IsZero() && (t.requests[r.URL.RequestURI()] || now.Sub(t.refused) > grace) {
		violations = []string{"a token that was refused is used again"}
	}
	return t, &errInvalidToken, violations
}

// unauthorized takes note that the client is told of what authorize found: a
// request that the network loses tells it nothing.
func (s *Server) unauthorized(t *token, r *http.Request) {
	if t == nil {
		return
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	if t.refused.IsZero() {
		t.refused = time.Now()
	}
	t.requests[r.URL.RequestURI()] = true
}
