package twin

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// cursor walks one object or array of a JSON text that the decoder has
// accepted. It hands out parts of the text as they are, without copying, which
// is why it exists beside the decoder: the strings of a row are views into the
// text of its lead.
//
// It relies on the grammar having been checked: on any other text it may panic.
type cursor struct {
	text string
	at   int
}

// into returns a cursor on the members or elements of an object or array.
func into(composite string) cursor { return cursor{text: composite, at: 1} }

// member returns the next member of an object, the name still quoted.
func (c *cursor) member() (name, value string, ok bool) {
	if !c.more() {
		return "", "", false
	}
	name = c.value()
	c.space()
	c.at++ // the colon
	c.space()
	return name, c.value(), true
}

// element returns the next element of an array.
func (c *cursor) element() (value string, ok bool) {
	if !c.more() {
		return "", false
	}
	return c.value(), true
}

// more moves to the next value, and reports false at the closing bracket.
func (c *cursor) more() bool {
	c.space()
	if c.text[c.at] == ',' {
		c.at++
		c.space()
	}
	return c.text[c.at] != '}' && c.text[c.at] != ']'
}

func (c *cursor) space() {
	for c.text[c.at] <= ' ' {
		c.at++
	}
}

// value returns the value that begins at the cursor, and moves behind it.
func (c *cursor) value() string {
	from := c.at
	switch c.text[from] {
	case '"':
		c.at = endOfString(c.text, from)
	case '{', '[':
		c.at, _ = endOfComposite(c.text, from)
	default:
		c.at = endOfScalar(c.text, from)
	}
	return c.text[from:c.at]
}

// endOfString returns the index behind the string that begins at from.
func endOfString(text string, from int) int {
	at := from + 1
	for {
		at += strings.IndexByte(text[at:], '"')
		backslashes := 0
		for text[at-1-backslashes] == '\\' {
			backslashes++
		}
		at++
		if backslashes%2 == 0 {
			return at
		}
	}
}

// endOfComposite returns the index behind the object or array that begins at
// from, and how deep it nests: 1 for one that holds no other.
func endOfComposite(text string, from int) (end, deepest int) {
	depth := 0
	for at := from; ; {
		switch text[at] {
		case '"':
			at = endOfString(text, at)
			continue
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1, deepest
			}
		}
		at++
	}
}

// endOfScalar returns the index behind the number or literal that begins at
// from, which may be the end of the text.
func endOfScalar(text string, from int) int {
	for at := from; at < len(text); at++ {
		switch text[at] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return at
		}
	}
	return len(text)
}

// unquote returns the text of a JSON string, as a view into it if it has no
// escapes. It reports false for one that is not valid Unicode: bytes that are
// not UTF-8, or an escape for half a surrogate pair.
func unquote(quoted string) (string, bool) {
	inner := quoted[1 : len(quoted)-1]
	if strings.IndexByte(inner, '\\') < 0 {
		return inner, utf8.ValidString(inner)
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	return string(text), err == nil
}

// nameOf returns a member's name as it appears in paths.
func nameOf(quoted string) string {
	if name, ok := unquote(quoted); ok {
		return name
	}
	return base64Name + base64.StdEncoding.EncodeToString([]byte(quoted[1:len(quoted)-1]))
}
