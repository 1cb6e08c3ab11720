package twin

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
)

// stream reads values one after the other, however deep they nest. jsontext
// gives up on a text at its limit of depth; a stream reads past such a value by
// itself, and has a new decoder go on behind it.
type stream struct {
	decoder *jsontext.Decoder
	source  io.Reader // what the decoder reads
	// moved is what to add to the decoder's offsets to have those of the text.
	moved int64
}

// newStream returns a stream that takes JSON as the grammar has it: names that
// repeat and invalid UTF-8 are for those to judge who read the values.
func newStream(r io.Reader) stream {
	return stream{decoder: jsontext.NewDecoder(r, lenient...), source: r}
}

var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// value returns the next value as received, and whether it nests deeper than
// maxDepth. Of what is too deep nothing but brackets and strings may have been
// checked.
func (s *stream) value() (value string, deep bool, err error) {
	raw, err := s.decoder.ReadValue()
	if err == nil {
		value = string(raw)
		if value[0] == '{' || value[0] == '[' {
			_, depth := endOfComposite(value, 0)
			deep = depth > maxDepth
		}
		return value, deep, nil
	}
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return "", false, err
	}
	// What is unread begins before the value, and ends behind the error.
	unread := s.decoder.UnreadBuffer()
	read := syntax.ByteOffset - s.decoder.InputOffset()
	if nesting(unread[:min(read, int64(len(unread)))]) <= maxDepth {
		return "", false, err
	}
	value, err = s.passDeep(bytes.Clone(unread))
	return value, true, err
}

// passDeep reads the next value without the decoder, and lets it go on behind.
func (s *stream) passDeep(unread []byte) (string, error) {
	prefix, tokens := s.replay()
	offset := s.moved + s.decoder.InputOffset()

	rest := bufio.NewReader(io.MultiReader(bytes.NewReader(unread), s.source))
	var value []byte
	var scan nestingScan
	before := 0 // delimiters and white space
	for {
		c, err := rest.ReadByte()
		if err == io.EOF {
			return "", &flatten.CorruptError{Offset: offset + int64(before+len(value)), Err: io.ErrUnexpectedEOF}
		}
		if err != nil {
			return "", err
		}
		if len(value) == 0 && c != '{' && c != '[' {
			before++
			continue
		}
		value = append(value, c)
		if scan.next(c); scan.depth == 0 && !scan.inString {
			break
		}
	}

	s.source = io.MultiReader(strings.NewReader(prefix), rest)
	s.decoder.Reset(s.source, lenient...)
	for range tokens {
		if _, err := s.decoder.ReadToken(); err != nil {
			return "", err
		}
	}
	s.moved = offset + int64(before+len(value)) - int64(len(prefix))
	return string(value), nil
}

// replay returns a text that brings a new decoder to where this one will be
// behind the next value: inside as many objects and arrays, with a null in the
// place of the value. It also returns how many tokens that is.
func (s *stream) replay() (prefix string, tokens int) {
	var b strings.Builder
	for level := 1; level <= s.decoder.StackDepth(); level++ {
		if kind, _ := s.decoder.StackIndex(level); kind == jsontext.KindBeginObject {
			b.WriteString(`{"":`)
			tokens += 2
		} else {
			b.WriteString(`[`)
			tokens++
		}
	}
	b.WriteString("null")
	return b.String(), tokens + 1
}

// nesting returns how deep objects and arrays nest in a piece of JSON text that
// begins outside of strings.
func nesting(text []byte) int {
	var scan nestingScan
	deepest := 0
	for _, c := range text {
		scan.next(c)
		deepest = max(deepest, scan.depth)
	}
	return deepest
}

// nestingScan follows a JSON text byte by byte.
type nestingScan struct {
	depth             int
	inString, escaped bool
}

func (n *nestingScan) next(c byte) {
	switch {
	case n.escaped:
		n.escaped = false
	case n.inString && c == '\\':
		n.escaped = true
	case c == '"':
		n.inString = !n.inString
	case n.inString:
	case c == '{' || c == '[':
		n.depth++
	case c == '}' || c == ']':
		n.depth--
	}
}
