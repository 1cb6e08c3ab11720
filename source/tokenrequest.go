package source

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/leads-etl/leads-etl/pipeline/secret"
)

const (
	// tokenTimeout bounds one token request where fetch.timeout is longer.
	tokenTimeout = 30 * time.Second
	// assumedLife is that of a token whose answer does not say.
	assumedLife = 10 * time.Minute
)

// login makes single token requests; it keeps nothing.
type login struct {
	config  clientcredentials.Config
	grant   string
	refresh secret.Secret // as configured
	timeout time.Duration

	transport http.RoundTripper
	observe   func(http.Header) // of answers
	again     func()            // when a request is sent once more without our doing
	now       func() time.Time
	censor    *censor
}

func newLogin(c Config, clientSecret, refresh secret.Secret, timeout time.Duration) *login {
	_, tokenURL := c.Endpoints()
	return &login{
		config: clientcredentials.Config{
			ClientID:     c.ClientID,
			ClientSecret: clientSecret.Reveal(),
			TokenURL:     tokenURL,
			Scopes:       []string{scope},
			// Auto-detection would send the secret twice.
			AuthStyle: oauth2.AuthStyleInHeader,
		},
		grant:   c.Grant,
		refresh: refresh,
		timeout: min(timeout, tokenTimeout),
	}
}

// granted is a token as it was given.
type granted struct {
	access string
	// refresh is the refresh token to use from now on.
	refresh string
	end     time.Time
	// life is how long the token was given for.
	life time.Duration
}

// request asks for a token once. Its errors are of this package's types, and
// hold nothing of what was sent or received but the API's code and description.
func (l *login) request(ctx context.Context, refresh string) (granted, error) {
	config := l.config
	if l.grant == RefreshToken {
		// The same request with another grant (RFC 6749, 6), which x/oauth2 allows
		// for; its own source for this grant would leave the scope out.
		config.EndpointParams = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	}
	var conn connection
	attempt, cancel := context.WithTimeoutCause(ctx, l.timeout, errTimeout)
	defer cancel()
	transport := &tokenTransport{next: l.transport, observe: l.observe}
	client := &http.Client{Transport: transport, CheckRedirect: followNothing}
	sent := l.now()
	token, err := config.Token(context.WithValue(conn.watch(attempt, l.again), oauth2.HTTPClient, client))
	if err != nil {
		return granted{}, l.failure(ctx, attempt, &conn, transport.header, err)
	}
	if !sendable(token.AccessToken) {
		return granted{}, &TokenError{Description: "it holds a token that cannot be sent"}
	}
	// x/oauth2 counts from the end of the exchange and by its own clock.
	life := assumedLife
	if !token.Expiry.IsZero() {
		life = time.Until(token.Expiry).Round(time.Second)
	}
	return granted{access: token.AccessToken, refresh: token.RefreshToken, end: sent.Add(life), life: life}, nil
}

func (l *login) failure(ctx, attempt context.Context, conn *connection, header http.Header, err error) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		failed := &TokenError{
			Status:      e.Response.StatusCode,
			Code:        l.censor.words(e.ErrorCode, maxID),
			Description: l.censor.words(e.ErrorDescription, maxWords),
			RequestID:   l.censor.words(header.Get(requestIDHeader), maxID),
		}
		failed.after, failed.waits = retryAfter(header, l.now())
		return failed
	}
	// Errors of the exchange come as *url.Error, others are about the content,
	// and could repeat it.
	if _, ok := errors.AsType[*url.Error](err); ok || ctx.Err() != nil {
		return conn.failure(ctx, attempt, hostOf(l.config.TokenURL), err, l.censor)
	}
	return &TokenError{}
}

// sendable reports whether a token can stand in a header.
func sendable(token string) bool {
	return token != "" && strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the server"
	}
	return u.Host
}
