package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/secret"
)

// tokenFileName is the file in the state folder that keeps the token between
// runs: eBay gives out 1,000 a day, and a program that is started every minute
// would need more.
const tokenFileName = "token.json"

// keptToken is the content of the token's file.
type keptToken struct {
	// Binding says whom the token was given to; see binding.
	Binding string    `json:"binding"`
	Access  string    `json:"access_token"`
	RenewAt time.Time `json:"renew_at"`
	Proven  bool      `json:"proven"`
	// Refresh is the refresh token that the server gave in place of the
	// configured one, if it did.
	Refresh  string      `json:"refresh_token,omitempty"`
	Unproven []time.Time `json:"unproven,omitempty"`
}

// binding identifies what a token is good for, so that another configuration
// does not take it for its own. It does not give the refresh token away. The
// secret is not part of it: a new one does not end tokens.
func (l *login) binding() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		l.config.ClientID, l.config.TokenURL, strings.Join(l.config.Scopes, " "), l.grant, l.refresh.Reveal(),
	}, "\x00")))
	return hex.EncodeToString(sum[:])
}

// load takes up the token of an earlier run. A file that is damaged or another
// configuration's is passed over.
func (t *tokens) load() {
	t.refresh = t.login.refresh
	var kept keptToken
	switch found, err := t.file.load(&kept); {
	case err != nil:
		t.logger.Warn("the kept token is of no use, a new one will be asked for", "error", err)
		return
	case !found, kept.Binding != t.login.binding():
		return
	}
	t.unproven = kept.Unproven
	t.login.censor.learn(kept.Access)
	if kept.Refresh != "" {
		t.login.censor.learn(kept.Refresh)
		t.refresh = secret.New(kept.Refresh)
	}
	if sendable(kept.Access) {
		t.current = token{access: kept.Access, renewAt: kept.RenewAt, proven: new(atomic.Bool)}
		t.current.proven.Store(kept.Proven)
	}
}

// save keeps the token for the next run. Not to be able to is no reason to stop.
// The caller has the turn.
func (t *tokens) save(ctx context.Context) {
	kept := keptToken{
		Binding:  t.login.binding(),
		Access:   t.current.access,
		RenewAt:  t.current.renewAt,
		Proven:   t.current.proven.Load(),
		Unproven: t.unproven,
	}
	if t.refresh != t.login.refresh {
		kept.Refresh = t.refresh.Reveal()
	}
	if err := t.file.save(kept); err != nil && !t.warned {
		t.warned = true
		t.logger.WarnContext(ctx, "the token cannot be kept, each run will ask for one", "error", err)
	}
}
