package flatten

import (
	"errors"
	"io"
	"unsafe"
)

// stream reads an answer as it arrives: at the levels that are the same in every
// answer piece by piece, below them value by value. It takes JSON as the grammar
// has it: names that repeat and invalid UTF-8 are for those to judge who read the
// values.
//
// Values are views into the buffer, without copying. With keep, no buffer is used
// again, so that rows may keep what they read: this is what makes the strings of a
// page's rows cheap. Without, a value is good until the next is read.
type stream struct {
	source io.Reader
	keep   bool
	// buf[at:] is what was read and is not passed over yet; buf[0] is the byte of
	// the text at base.
	buf  []byte
	at   int
	base int64
	// err is why there is no more than buf; it is met when buf is used up.
	err error
	// expected is how much there is in all, as far as known; 0 if not.
	expected int

	scan scanner
	doc  document
	// texts is what strings with escapes decode to.
	texts []byte
	// names are those met outside of values, each once.
	names map[string]string
}

const (
	// bufferSize is the size of a buffer, unless a value needs a larger one. What
	// is kept of a lead keeps the buffer, with some 50 leads.
	bufferSize = 64 << 10
	// leastRead is how much room there is for each read.
	leastRead = 4 << 10
	// maxNodes is how large an index is worth keeping.
	maxNodes = 1 << 16
	// maxNames bounds the names kept: an answer has ten.
	maxNames = 100
)

// newStream returns a stream of the text in r, of which so much is expected; 0 if
// that is not known.
func newStream(r io.Reader, keep bool, expected int) stream {
	return stream{source: r, keep: keep, expected: expected, names: make(map[string]string)}
}

// more reads more of the text into the buffer, and reports whether there was any.
func (s *stream) more() bool {
	if s.err != nil {
		return false
	}
	if cap(s.buf)-len(s.buf) < leastRead {
		s.makeRoom()
	}
	for range 100 {
		n, err := s.source.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		s.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// makeRoom makes room behind what is not passed over yet.
func (s *stream) makeRoom() {
	rest := s.buf[s.at:]
	s.base += int64(s.at)
	size := bufferSize
	if s.base == 0 && 0 < s.expected && s.expected < bufferSize-leastRead {
		size = s.expected + leastRead // room to see that it ends there
	}
	for size < 2*len(rest)+leastRead {
		size *= 2
	}
	if !s.keep && size <= cap(s.buf) {
		s.buf = s.buf[:copy(s.buf[:cap(s.buf)], rest)]
	} else {
		buf := make([]byte, len(rest), size)
		copy(buf, rest)
		s.buf = buf
	}
	s.at = 0
}

// peek passes over white space and returns the next byte. The error is a
// *CorruptError if there is none, or the reader's.
func (s *stream) peek() (byte, error) {
	for {
		s.at = skipSpace(s.buf, s.at)
		if s.at < len(s.buf) {
			return s.buf[s.at], nil
		}
		if !s.more() {
			return 0, s.ended()
		}
	}
}

// ended is the error of a text that ends, or can be read no further, before it is
// complete.
func (s *stream) ended() error {
	if s.err == io.EOF {
		s.at = len(s.buf)
		return s.corrupt(io.ErrUnexpectedEOF)
	}
	return s.err
}

// corrupt is the error for something at the place that has been reached.
func (s *stream) corrupt(err error) error {
	return &CorruptError{Offset: s.base + int64(s.at), Err: err}
}

var (
	errNotJSON = errors.New("it is no JSON")
	errMore    = errors.New("more after its end")
	errForm    = errors.New("not an object")
)

// value returns the next value, and whether it nests deeper than maxDepth. Of what
// is too deep nothing but brackets and strings has been checked, and it has no
// index.
func (s *stream) value() (v value, deep bool, err error) {
	if _, err := s.peek(); err != nil {
		return value{}, false, err
	}
	for {
		text := s.buf[s.at:]
		switch s.scan.scan(text, s.err == io.EOF) {
		case whole:
			return s.take(s.scan.at), false, nil
		case broken:
			s.at += s.scan.at
			return value{}, false, s.corrupt(errNotJSON)
		case tooDeep:
			v, err := s.passDeep()
			return v, true, err
		}
		// What was scanned is scanned again: so that this does not add up, there
		// must be as much again to scan.
		for want := 2 * len(text); len(s.buf)-s.at < want && s.more(); {
		}
		if len(s.buf)-s.at == len(text) && s.err != nil {
			if s.err == io.EOF && s.scan.scan(s.buf[s.at:], true) == whole {
				return s.take(s.scan.at), false, nil
			}
			return value{}, false, s.ended()
		}
	}
}

// take takes the next n bytes as a value, which the scanner's index is of.
func (s *stream) take(n int) value {
	if cap(s.doc.nodes) > maxNodes {
		s.doc.nodes = nil
	}
	// The index changes hands, so that it lasts until the next value is read.
	s.doc.nodes, s.scan.nodes = s.scan.nodes, s.doc.nodes
	s.doc.text = view(s.buf[s.at : s.at+n])
	s.doc.texts = &s.texts
	s.at += n
	return value{doc: &s.doc}
}

// view is the text of bytes that do not change for as long as it is used.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // audited: see stream
}

// passDeep takes a value by its brackets and strings alone.
func (s *stream) passDeep() (value, error) {
	var scan nestingScan
	for n := 0; ; n++ {
		if s.at+n == len(s.buf) && !s.more() {
			return value{}, s.ended()
		}
		if scan.next(s.buf[s.at+n]); scan.depth == 0 && !scan.inString {
			s.scan.nodes = append(s.scan.nodes[:0], node{to: n + 1, next: 1})
			return s.take(n + 1), nil
		}
	}
}

// enter passes over an opening bracket that peek has shown.
func (s *stream) enter() { s.at++ }

// members reads an object that peek has shown the brace of, and calls read at each
// member's value.
func (s *stream) members(read func(name string) error) error {
	s.enter()
	for first := true; ; first = false {
		c, err := s.peek()
		switch {
		case err != nil:
			return err
		case c == '}' && first:
			s.at++
			return nil
		case c != '"':
			return s.corrupt(errNotJSON)
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		if err := read(name); err != nil {
			return err
		}
		switch c, err := s.peek(); {
		case err != nil:
			return err
		case c == '}':
			s.at++
			return nil
		case c != ',':
			return s.corrupt(errNotJSON)
		}
		s.at++
	}
}

// name reads a member's name and the colon behind it.
func (s *stream) name() (string, error) {
	v, _, err := s.value()
	if err != nil {
		return "", err
	}
	name, ok := s.names[v.raw()]
	if !ok {
		// Not a view: it has to last while the member's value is read.
		raw := string([]byte(v.raw()))
		name = nameOf(v.doc.nodes[0], raw)
		if len(s.names) < maxNames {
			s.names[raw] = name
		}
	}
	switch c, err := s.peek(); {
	case err != nil:
		return "", err
	case c != ':':
		return "", s.corrupt(errNotJSON)
	}
	s.at++
	return name, nil
}

// elements reads an array that peek has shown the bracket of, and calls read at
// each element.
func (s *stream) elements(read func() error) error {
	s.enter()
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c == ']' {
		s.at++
		return nil
	}
	for {
		if err := read(); err != nil {
			return err
		}
		switch c, err := s.peek(); {
		case err != nil:
			return err
		case c == ']':
			s.at++
			return nil
		case c != ',':
			return s.corrupt(errNotJSON)
		}
		s.at++
	}
}

// end checks that nothing but white space follows, to the end of the text.
func (s *stream) end() error {
	for {
		s.at = skipSpace(s.buf, s.at)
		if s.at < len(s.buf) {
			return s.corrupt(errMore)
		}
		if !s.more() {
			if s.err == io.EOF {
				return nil
			}
			return s.err
		}
	}
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
