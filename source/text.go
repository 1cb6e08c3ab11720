package source

import (
	"strings"
	"unicode"
	"unicode/utf8"
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
type censor struct{ secrets []string }

// shortestCensored keeps a one-letter secret of a test from blanking out every
// text; nothing shorter is a secret.
const shortestCensored = 6

// newCensor takes secrets in the forms in which they are sent.
func newCensor(secrets ...string) censor {
	var c censor
	for _, s := range secrets {
		if len(s) >= shortestCensored {
			c.secrets = append(c.secrets, s)
		}
	}
	return c
}

// with returns a censor for more secrets.
func (c censor) with(secrets ...string) censor {
	return censor{append(c.secrets[:len(c.secrets):len(c.secrets)], newCensor(secrets...).secrets...)}
}

// words cleans the text and takes the secrets out.
func (c censor) words(text string, limit int) string {
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, redacted)
	}
	return words(text, limit)
}
