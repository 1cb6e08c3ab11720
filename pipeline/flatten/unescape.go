package flatten

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// textsSize is the size of a buffer for decoded strings, unless one needs a larger
// one.
const textsSize = 16 << 10

// unescape returns the text of a JSON string whose escapes have been checked, and
// whose other bytes are valid UTF-8. It reports false if an escape is for half a
// surrogate pair. The text is a view into texts, whose bytes are never used again.
func unescape(inner string, texts *[]byte) (string, bool) {
	// A string is never longer than it is written.
	if cap(*texts)-len(*texts) < len(inner) {
		*texts = make([]byte, 0, max(textsSize, len(inner)))
	}
	from := len(*texts)
	dst := *texts
	for inner != "" {
		n := strings.IndexByte(inner, '\\')
		if n < 0 {
			n = len(inner)
		}
		dst = append(dst, inner[:n]...)
		if inner = inner[n:]; inner == "" {
			break
		}
		c := inner[1]
		inner = inner[2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := unit(inner)
			inner = inner[4:]
			if utf16.IsSurrogate(r) {
				if !strings.HasPrefix(inner, `\u`) {
					return "", false
				}
				if r = utf16.DecodeRune(r, unit(inner[2:])); r == utf8.RuneError {
					return "", false
				}
				inner = inner[6:]
			}
			dst = utf8.AppendRune(dst, r)
		default: // quote, backslash, slash
			dst = append(dst, c)
		}
	}
	*texts = dst
	return view(dst[from:len(dst):len(dst)]), true
}

// unit is the value of the four hexadecimal digits that text begins with.
func unit(text string) rune {
	var r rune
	for i := range 4 {
		c := rune(text[i])
		if c >= 'A' {
			c = c&^0x20 - 'A' + 10 + '0'
		}
		r = r<<4 | (c - '0')
	}
	return r
}
