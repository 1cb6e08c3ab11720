package flatten

import (
	"encoding/binary"
	"math/bits"
)

// node is one value of a JSON text, or the name of one, as scan has found it.
type node struct {
	// from and to are where it is in the text, quotes and brackets included.
	from, to int
	// next is the index of the node behind it and all that it holds.
	next int32
	// form says what there is in a string.
	form form
}

// form is what has to be known of a string to have its text.
type form uint8

const (
	// escaped: it has escapes.
	escaped form = 1 << iota
	// beyondASCII: it has bytes that may not be UTF-8.
	beyondASCII
)

// verdict is how a scan ended.
type verdict uint8

const (
	// whole: the value is complete.
	whole verdict = iota
	// unfinished: all is well, but the text ends within the value.
	unfinished
	// broken: it is no JSON.
	broken
	// tooDeep: it nests deeper than maxDepth.
	tooDeep
)

// scanner checks JSON values against the grammar (RFC 8259), and keeps an index
// of what they hold, so that reading a value needs no second look at its text.
// As for a lenient jsontext.Decoder, names may repeat, and strings may hold
// invalid UTF-8 and halves of surrogate pairs: the twin in internal/twin, which is
// one, says what is right.
type scanner struct {
	nodes []node
	// open are the nodes of the objects and arrays around the place that the scan
	// has come to, which nodes do not have a next yet.
	open []int32
	// at is where the scan ended: behind the value, or where it is broken.
	at int
}

// scan scans the value that begins with the first byte of text. The text that
// follows it is not looked at, but that a number ends with its last byte cannot be
// known before final says that nothing follows.
func (s *scanner) scan(text []byte, final bool) verdict {
	s.nodes, s.open = s.nodes[:0], s.open[:0]
	at := 0
	var v verdict
value:
	for {
		if at = skipSpace(text, at); at == len(text) {
			s.at = at
			return unfinished
		}
		switch c := text[at]; {
		case c == '"':
			at, v = s.string(text, at)
		case c == '{' || c == '[':
			if len(s.open) == maxDepth {
				s.at = at
				return tooDeep
			}
			s.open = append(s.open, int32(len(s.nodes)))
			s.nodes = append(s.nodes, node{from: at})
			if at = skipSpace(text, at+1); at == len(text) {
				s.at = at
				return unfinished
			}
			switch {
			case text[at] == c+2: // the closing bracket, in ASCII
				at = s.close(at)
			case c == '[':
				continue value
			default:
				if at, v = s.name(text, at); v == whole {
					continue value
				}
			}
		case c == '-' || '0' <= c && c <= '9':
			at, v = s.number(text, at, final)
		default:
			at, v = s.literal(text, at)
		}
		// What follows a value, until one begins.
		for v == whole {
			if len(s.open) == 0 {
				s.at = at
				return whole
			}
			if at = skipSpace(text, at); at == len(text) {
				s.at = at
				return unfinished
			}
			opening := text[s.nodes[s.open[len(s.open)-1]].from]
			switch c := text[at]; {
			case c == opening+2:
				at = s.close(at)
			case c != ',':
				v = broken
			case opening == '[':
				at++
				continue value
			default:
				if at = skipSpace(text, at+1); at == len(text) {
					s.at = at
					return unfinished
				}
				if at, v = s.name(text, at); v == whole {
					continue value
				}
			}
		}
		s.at = at
		return v
	}
}

// close ends the innermost open object or array, whose bracket is at at.
func (s *scanner) close(at int) int {
	n := &s.nodes[s.open[len(s.open)-1]]
	n.to, n.next = at+1, int32(len(s.nodes))
	s.open = s.open[:len(s.open)-1]
	return at + 1
}

// name scans a member's name and the colon behind it.
func (s *scanner) name(text []byte, at int) (int, verdict) {
	if text[at] != '"' {
		return at, broken
	}
	at, v := s.string(text, at)
	if v != whole {
		return at, v
	}
	if at = skipSpace(text, at); at == len(text) {
		return at, unfinished
	}
	if text[at] != ':' {
		return at, broken
	}
	return at + 1, whole
}

// string scans the string that begins at from.
func (s *scanner) string(text []byte, from int) (int, verdict) {
	end, f, v := endOfString(text, from)
	if v == whole {
		s.leaf(from, end, f)
	}
	return end, v
}

func (s *scanner) leaf(from, to int, f form) {
	s.nodes = append(s.nodes, node{from: from, to: to, next: int32(len(s.nodes) + 1), form: f})
}

// endOfString returns the index behind the string that begins at from, or where it
// is broken. It looks at eight bytes at a time, as schema's plainPrefix does, where
// the arithmetic is explained.
func endOfString(text []byte, from int) (end int, f form, v verdict) {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	at := from + 1
	beyond := uint64(0)
	for {
		for ; at+8 <= len(text); at += 8 {
			w := binary.LittleEndian.Uint64(text[at:])
			quote := w ^ ones*'"'
			slash := w ^ ones*'\\'
			special := ((w-ones*0x20)&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs
			if special == 0 {
				beyond |= w
				continue
			}
			// The lowest mark is right; what is above it may be the borrow's.
			n := bits.TrailingZeros64(special) &^ 7
			beyond |= w & (1<<n - 1)
			at += n / 8
			break
		}
		for at < len(text) && text[at] >= 0x20 && text[at] != '"' && text[at] != '\\' {
			beyond |= uint64(text[at])
			at++
		}
		if at == len(text) {
			return at, f, unfinished
		}
		switch text[at] {
		case '"':
			if beyond&highs != 0 {
				f |= beyondASCII
			}
			return at + 1, f, whole
		case '\\':
			f |= escaped
			if at, v = endOfEscape(text, at); v != whole {
				return at, f, v
			}
		default:
			return at, f, broken
		}
	}
}

// endOfEscape returns the index behind the escape that begins at from.
func endOfEscape(text []byte, from int) (end int, v verdict) {
	if from+1 == len(text) {
		return from + 1, unfinished
	}
	switch text[from+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return from + 2, whole
	case 'u':
		for at := from + 2; at < from+6; at++ {
			if at == len(text) {
				return at, unfinished
			}
			if c := text[at]; !isDigit(c) && (c|0x20 < 'a' || 'f' < c|0x20) {
				return at, broken
			}
		}
		return from + 6, whole
	default:
		return from + 1, broken
	}
}

// number scans a number.
func (s *scanner) number(text []byte, from int, final bool) (int, verdict) {
	at := from
	if text[at] == '-' {
		at++
	}
	switch {
	case at == len(text):
		return at, unfinished
	case text[at] == '0':
		at++
	case isDigit(text[at]):
		at = skipDigits(text, at)
	default:
		return at, broken
	}
	if at < len(text) && text[at] == '.' {
		first := at + 1
		if at = skipDigits(text, first); at == first {
			return at, lacking(text, at)
		}
	}
	if at < len(text) && text[at]|0x20 == 'e' {
		if at++; at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		first := at
		if at = skipDigits(text, first); at == first {
			return at, lacking(text, at)
		}
	}
	if at == len(text) && !final {
		return at, unfinished
	}
	s.leaf(from, at, 0)
	return at, whole
}

// lacking is the verdict on a text that lacks a digit at at.
func lacking(text []byte, at int) verdict {
	if at == len(text) {
		return unfinished
	}
	return broken
}

// literal scans true, false or null.
func (s *scanner) literal(text []byte, from int) (int, verdict) {
	var word string
	switch text[from] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	case 'n':
		word = "null"
	default:
		return from, broken
	}
	for i := range len(word) {
		switch {
		case from+i == len(text):
			return from + i, unfinished
		case text[from+i] != word[i]:
			return from + i, broken
		}
	}
	s.leaf(from, from+len(word), 0)
	return from + len(word), whole
}

func skipDigits(text []byte, at int) int {
	for at < len(text) && isDigit(text[at]) {
		at++
	}
	return at
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && text[at] <= ' ' && isSpace(text[at]) {
		at++
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }
