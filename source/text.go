package source

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/leads-etl/leads-etl/pipeline/secret"
)

// Bounds of what is repeated of other people's texts.
const (
	maxWords = 400
	maxID    = 128
)

// words makes a text from outside fit to be shown: one line, valid UTF-8, no
// control or formatting characters, at most limit bytes.
func words(text string, limit int) string {
	// What cannot end up in the result need not be looked at.
	if len(text) > 4*limit {
		text = text[:4*limit]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// censor takes secrets out of texts from outside: a server may repeat what it
// was sent. It is safe for concurrent use.
type censor struct {
	fixed []string

	mu     sync.Mutex
	recent []string // tokens, the latest last
}

const (
	// shortestCensored keeps a one-letter secret of a test from blanking out every
	// text; nothing shorter is a secret.
	shortestCensored = 6
	// recentTokens is how many tokens are remembered: the one in force, those
	// that answers still under way may repeat, and refresh tokens.
	recentTokens = 16
)

// newCensor takes the secrets that stay, in the forms in which they are sent.
func newCensor(secrets ...string) *censor {
	c := new(censor)
	for _, s := range secrets {
		if len(s) >= shortestCensored {
			c.fixed = append(c.fixed, s)
		}
	}
	return c
}

// learn adds a token to what is taken out.
func (c *censor) learn(token string) {
	if len(token) < shortestCensored {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent = append(slices.DeleteFunc(c.recent, func(s string) bool { return s == token }), token)
	c.recent = c.recent[max(0, len(c.recent)-recentTokens):]
}

// words cleans the text and takes the secrets out.
func (c *censor) words(text string, limit int) string {
	c.mu.Lock()
	secrets := slices.Concat(c.fixed, c.recent)
	c.mu.Unlock()
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, secret.Redacted)
	}
	return words(text, limit)
}
