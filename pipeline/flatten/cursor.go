package flatten

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// document is a JSON text that has been checked, with its index.
type document struct {
	text  string
	nodes []node
	// texts is where strings with escapes are decoded to.
	texts *[]byte
}

// value is one value of a document.
type value struct {
	doc *document
	at  int32 // its node
}

// raw returns the value's text as received.
func (v value) raw() string {
	n := &v.doc.nodes[v.at]
	return v.doc.text[n.from:n.to]
}

// kind returns the first byte of the value's text.
func (v value) kind() byte { return v.doc.text[v.doc.nodes[v.at].from] }

func (v value) isNull() bool { return v.kind() == 'n' }

// text returns the text of a value that is a string of valid Unicode: a view into
// the document if it has no escapes. It reports false for others: what is no
// string, bytes that are not UTF-8, and escapes for half a surrogate pair.
func (v value) text() (string, bool) {
	n := v.doc.nodes[v.at]
	if v.doc.text[n.from] != '"' {
		return "", false
	}
	return n.text(v.doc.text[n.from+1:n.to-1], v.doc.texts)
}

// text returns the text of a string, between the quotes of which inner stands.
func (n node) text(inner string, texts *[]byte) (string, bool) {
	if n.form&beyondASCII != 0 && !utf8.ValidString(inner) {
		return "", false
	}
	if n.form&escaped == 0 {
		return inner, true
	}
	return unescape(inner, texts)
}

// nameOf returns a member's name, quoted, as it appears in paths.
func nameOf(n node, quoted string) string {
	inner := quoted[1 : len(quoted)-1]
	var texts []byte
	if name, ok := n.text(inner, &texts); ok {
		return name
	}
	return base64Name + base64.StdEncoding.EncodeToString([]byte(inner))
}

// into returns a cursor on the members or elements of an object or array.
func (v value) into() cursor {
	return cursor{doc: v.doc, at: v.at + 1, end: v.doc.nodes[v.at].next}
}

// cursor walks one object or array.
type cursor struct {
	doc     *document
	at, end int32
}

// member returns the next member of an object.
func (c *cursor) member() (name string, v value, ok bool) {
	if c.at == c.end {
		return "", value{}, false
	}
	n := &c.doc.nodes[c.at]
	if n.form == 0 {
		name = c.doc.text[n.from+1 : n.to-1]
	} else {
		name = nameOf(*n, strings.Clone(c.doc.text[n.from:n.to]))
	}
	v = value{c.doc, c.at + 1}
	c.at = c.doc.nodes[c.at+1].next
	return name, v, true
}

// element returns the next element of an array.
func (c *cursor) element() (v value, ok bool) {
	if c.at == c.end {
		return value{}, false
	}
	v = value{c.doc, c.at}
	c.at = c.doc.nodes[c.at].next
	return v, true
}

// elements returns how many elements of an array are left.
func (c cursor) elements() (n int) {
	for _, ok := c.element(); ok; _, ok = c.element() {
		n++
	}
	return n
}
