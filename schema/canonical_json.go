package schema

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep JSON values nest, so that no text can exhaust the
// stack. JSON decoders stop before it (jsontext at 10,000).
const maxDepth = 1 << 14

// member is a member of an object of extra: its decoded name in scratch.names,
// its canonical text, name included, in scratch.out.
type member struct{ name, text part }

// canonicalJSON appends the canonical form of the JSON value that text holds,
// or, if it holds none, text as a string.
func (s *scratch) canonicalJSON(text string) {
	start := len(s.out)
	s.names, s.members = s.names[:0], s.members[:0]
	if ValidText(text) {
		p := jsonParser{scratch: s, text: text}
		if p.value(0) && p.atEnd() {
			return
		}
	}
	s.out = appendString(s.out[:start], text)
}

// isJSONObject reports whether text holds one JSON object as extra may have it.
func isJSONObject(text string) bool {
	s := borrowScratch()
	defer s.giveBack()
	s.out, s.names, s.members = s.out[:0], s.names[:0], s.members[:0]
	p := jsonParser{scratch: s, text: text}
	return ValidText(text) && p.peek() == '{' && p.value(0) && p.atEnd()
}

// jsonParser reads JSON text (RFC 8259) and appends its canonical form to
// scratch.out as it goes. Its methods report whether the text was right.
type jsonParser struct {
	*scratch
	text string // valid UTF-8
	pos  int
}

// peek passes over white space and returns the next byte, 0 at the end.
func (p *jsonParser) peek() byte {
	for ; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *jsonParser) atEnd() bool { return p.peek() == 0 && p.pos == len(p.text) }

// take reads c and reports whether it was there.
func (p *jsonParser) take(c byte) bool {
	if p.peek() != c || p.pos == len(p.text) {
		return false
	}
	p.pos++
	return true
}

func (p *jsonParser) value(depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		name, ok := p.str()
		p.names = p.names[:name.from]
		return ok
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	default:
		return p.literal("true") || p.literal("false") || p.literal("null")
	}
}

func (p *jsonParser) literal(word string) bool {
	if rest := p.text[p.pos:]; len(rest) < len(word) || rest[:len(word)] != word {
		return false
	}
	p.pos += len(word)
	p.out = append(p.out, word...)
	return true
}

func (p *jsonParser) array(depth int) bool {
	p.take('[')
	p.out = append(p.out, '[')
	if p.take(']') {
		p.out = append(p.out, ']')
		return true
	}
	for {
		if !p.value(depth + 1) {
			return false
		}
		if p.take(']') {
			p.out = append(p.out, ']')
			return true
		}
		if !p.take(',') {
			return false
		}
		p.out = append(p.out, ',')
	}
}

func (p *jsonParser) object(depth int) bool {
	p.take('{')
	p.out = append(p.out, '{')
	start, outer, names := len(p.out), len(p.members), len(p.names)
	for more := !p.take('}'); more; {
		from := len(p.out)
		if p.peek() != '"' {
			return false
		}
		name, ok := p.str()
		if !ok || !p.take(':') {
			return false
		}
		p.out = append(p.out, ':')
		if !p.value(depth + 1) {
			return false
		}
		p.members = append(p.members, member{name, part{from, len(p.out)}})
		switch {
		case p.take(','):
			p.out = append(p.out, ',')
		case p.take('}'):
			more = false
		default:
			return false
		}
	}
	p.sortMembers(start, p.members[outer:])
	p.members, p.names = p.members[:outer], p.names[:names]
	p.out = append(p.out, '}')
	return true
}

// sortMembers puts the members, which are the text from start on, in order.
func (p *jsonParser) sortMembers(start int, members []member) {
	names := p.names
	compare := func(a, b member) int {
		return bytes.Compare(names[a.name.from:a.name.to], names[b.name.from:b.name.to])
	}
	ascending := true
	for i := 1; i < len(members) && ascending; i++ {
		ascending = compare(members[i-1], members[i]) < 0
	}
	if ascending {
		return
	}
	slices.SortStableFunc(members, compare)
	p.aside = p.aside[:0]
	for i, m := range members {
		if i+1 < len(members) && compare(m, members[i+1]) == 0 {
			continue // of a name that occurs twice, the last counts
		}
		p.aside = append(p.aside, p.out[m.text.from:m.text.to]...)
		p.aside = append(p.aside, ',')
	}
	p.out = append(p.out[:start], p.aside[:len(p.aside)-1]...)
}

// str reads a string, appends it to out as it is written, and to names as what
// it means, where it returns its place. A surrogate without its partner, which
// UTF-8 cannot hold, is put into names as the three bytes it would have there,
// so that names sort as their code points do.
func (p *jsonParser) str() (name part, ok bool) {
	p.pos++ // the quote
	name.from = len(p.names)
	alone := false
	for {
		n, _ := plainPrefix(p.text[p.pos:])
		p.names = append(p.names, p.text[p.pos:p.pos+n]...)
		p.pos += n
		if p.pos == len(p.text) {
			return name, false
		}
		c := p.text[p.pos]
		p.pos++
		if c == '"' {
			break
		}
		if c != '\\' || p.pos == len(p.text) {
			return name, false
		}
		c = p.text[p.pos]
		p.pos++
		switch c {
		case '"', '\\', '/':
			p.names = append(p.names, c)
		case 'b':
			p.names = append(p.names, '\b')
		case 'f':
			p.names = append(p.names, '\f')
		case 'n':
			p.names = append(p.names, '\n')
		case 'r':
			p.names = append(p.names, '\r')
		case 't':
			p.names = append(p.names, '\t')
		case 'u':
			unit, ok := p.unit()
			if !ok {
				return name, false
			}
			if utf16.IsSurrogate(unit) {
				whole := p.pair(unit)
				if whole == utf8.RuneError {
					alone = true
					p.names = append(p.names, 0xe0|byte(unit>>12), 0x80|byte(unit>>6)&0x3f, 0x80|byte(unit)&0x3f)
					continue
				}
				unit = whole
			}
			p.names = utf8.AppendRune(p.names, unit)
		default:
			return name, false
		}
	}
	name.to = len(p.names)
	if decoded := p.names[name.from:]; alone {
		p.writeSurrogates(decoded)
	} else {
		p.out = appendString(p.out, decoded)
	}
	return name, true
}

// unit reads the four hexadecimal digits of a \u escape.
func (p *jsonParser) unit() (rune, bool) {
	if p.pos+4 > len(p.text) {
		return 0, false
	}
	var unit rune
	for _, c := range []byte(p.text[p.pos : p.pos+4]) {
		switch {
		case '0' <= c && c <= '9':
			unit = unit<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			unit = unit<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			unit = unit<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	p.pos += 4
	return unit, true
}

// pair reads the escape of the partner of a first surrogate and returns what
// the two mean; if it is not there, nothing is read, and U+FFFD returned.
func (p *jsonParser) pair(first rune) rune {
	before := p.pos
	if rest := p.text[p.pos:]; len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		p.pos += 2
		if second, ok := p.unit(); ok {
			if whole := utf16.DecodeRune(first, second); whole != utf8.RuneError {
				return whole
			}
		}
	}
	p.pos = before
	return utf8.RuneError
}

// writeSurrogates appends a decoded string, in which surrogates without their
// partners become escapes again.
func (p *jsonParser) writeSurrogates(decoded []byte) {
	p.out = append(p.out, '"')
	for len(decoded) > 0 {
		c := decoded[0]
		switch {
		case c < 0x20 || c == '"' || c == '\\':
			p.out = appendEscaped(p.out, c)
			decoded = decoded[1:]
		case c == 0xed && decoded[1] >= 0xa0:
			unit := 0xd000 | int64(decoded[1]&0x3f)<<6 | int64(decoded[2]&0x3f)
			p.out = strconv.AppendInt(append(p.out, `\u`...), unit, 16)
			decoded = decoded[3:]
		default:
			p.out = append(p.out, c)
			decoded = decoded[1:]
		}
	}
	p.out = append(p.out, '"')
}

func (p *jsonParser) number() bool {
	start := p.pos
	if p.text[p.pos] == '-' {
		p.pos++
	}
	if p.pos < len(p.text) && p.text[p.pos] == '0' {
		p.pos++
	} else if !p.digits() {
		return false
	}
	if p.pos < len(p.text) && p.text[p.pos] == '.' {
		p.pos++
		if !p.digits() {
			return false
		}
	}
	if p.pos < len(p.text) && p.text[p.pos]|0x20 == 'e' {
		p.pos++
		if p.pos < len(p.text) && (p.text[p.pos] == '+' || p.text[p.pos] == '-') {
			p.pos++
		}
		if !p.digits() {
			return false
		}
	}
	p.out = appendCanonicalNumber(p.out, p.text[start:p.pos])
	return true
}

// digits reads decimal digits and reports whether there was one.
func (p *jsonParser) digits() bool {
	start := p.pos
	for p.pos < len(p.text) && '0' <= p.text[p.pos] && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}
