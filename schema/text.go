package schema

import (
	"math/bits"
	"time"
	"unicode/utf8"
)

// text is what holds text.
type text interface{ string | []byte }

// appendString appends s as a JSON string with the escapes of RFC 8785, which
// are the fewest that JSON allows: quote, backslash and the control characters
// below U+0020, with the two-letter escapes where JSON has them and \u00xx in
// lower case otherwise. All else is copied as it is; s is not validated.
func appendString[T text](dst []byte, s T) []byte {
	dst, _ = appendStringASCII(dst, s)
	return dst
}

// appendStringASCII is appendString, and reports whether all of s is ASCII, which
// it sees on its way.
func appendStringASCII[T text](dst []byte, s T) (_ []byte, ascii bool) {
	dst = append(dst, '"')
	seen := uint64(0) // all bytes of s, one upon another
	for {
		n, more := plainPrefix(s)
		seen |= more
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return append(dst, '"'), seen&highs == 0
		}
		dst = appendEscaped(dst, s[n])
		s = s[n+1:]
	}
}

// A byte of each: 0x01 and 0x80 in all eight bytes of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainPrefix returns how many of the first bytes of s stand for themselves in
// a JSON string. It looks at eight bytes at a time, since nearly all text is
// plain to its end: the last eight once more where they overlap those before.
// seen has the high bit of some byte set if the prefix has a byte beyond ASCII;
// if what follows the prefix has, it may be set too.
func plainPrefix[T text](s T) (n int, seen uint64) {
	if len(s) < 8 {
		v := shortWord(s)
		if !special(v) {
			return len(s), v
		}
		return plainBytes(s), v
	}
	i := 0
	for ; i+8 <= len(s); i += 8 {
		v := word(s, i)
		seen |= v
		if special(v) {
			return i + plainBytes(s[i:i+8]), seen
		}
	}
	if i == len(s) {
		return i, seen
	}
	v := word(s, len(s)-8)
	seen |= v
	if special(v) {
		return i + plainBytes(s[i:]), seen
	}
	return len(s), seen
}

// plainBytes is plainPrefix a byte at a time.
func plainBytes[T text](s T) int {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}

// word returns the eight bytes of s from i on.
func word[T text](s T, i int) uint64 {
	b := s[i : i+8]
	// The compiler makes one load of this.
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// shortWord returns a word that has every byte of s, of less than eight, and no others
// but letters.
func shortWord[T text](s T) uint64 {
	switch n := len(s); {
	case n >= 4:
		a, b := s[:4], s[n-4:]
		return uint64(a[0]) | uint64(a[1])<<8 | uint64(a[2])<<16 | uint64(a[3])<<24 |
			uint64(b[0])<<32 | uint64(b[1])<<40 | uint64(b[2])<<48 | uint64(b[3])<<56
	case n > 0:
		const rest = 0x6161616161 << 24
		return rest | uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16
	default:
		return ones * 'a'
	}
}

// special reports whether one of the eight bytes must not stand for itself in a
// JSON string.
func special(v uint64) bool {
	quote := v ^ ones*'"'
	slash := v ^ ones*'\\'
	// x-ones&^x&highs is not zero exactly if a byte of x is zero, and
	// v-ones*0x20&^v&highs exactly if a byte of v is below 0x20.
	return ((v-ones*0x20)&^v|(quote-ones)&^quote|(slash-ones)&^slash)&highs != 0
}

// ValidText reports whether s is valid UTF-8. It is utf8.ValidString for text that
// is ASCII in the main: it goes on eight bytes at a time after each other character,
// where the library's goes byte by byte from the first of them to the end.
func ValidText(s string) bool {
	for {
		i := asciiPrefix(s)
		for i < len(s) && s[i] >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				return false
			}
			i += size
		}
		if i == len(s) {
			return true
		}
		s = s[i:]
	}
}

// asciiPrefix returns how many of the first bytes of s are ASCII. As plainPrefix, it
// looks at the last eight bytes once more where they overlap those before.
func asciiPrefix(s string) int {
	if len(s) < 8 && shortWord(s)&highs == 0 {
		return len(s)
	}
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if high := word(s, i) & highs; high != 0 {
			return i + bits.TrailingZeros64(high)/8
		}
	}
	if len(s) >= 8 && word(s, len(s)-8)&highs == 0 {
		return len(s)
	}
	for ; i < len(s) && s[i] < utf8.RuneSelf; i++ {
	}
	return i
}

// appendEscaped appends the escape of a byte that must not stand for itself.
func appendEscaped(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	default:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
	}
}

// Layouts of times in text: milliseconds in rows, whole seconds in the
// canonical form.
const (
	milliLayout  = "2006-01-02T15:04:05.000Z"
	secondLayout = "2006-01-02T15:04:05Z"
)

// FormatTime returns t as all text outputs have it: RFC 3339, UTC, exactly
// three digits of a second, cut and not rounded: "2026-09-01T10:00:00.000Z".
func FormatTime(t time.Time) string {
	return string(AppendTime(make([]byte, 0, len(milliLayout)), t))
}

// AppendTime appends t as FormatTime has it.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	n := len(dst)
	dst = appendSeconds(dst, t)
	if len(dst)-n != len(secondLayout) {
		return t.AppendFormat(dst[:n], milliLayout)
	}
	ms := t.Nanosecond() / int(time.Millisecond)
	dst[len(dst)-1] = '.' // in the place of the Z
	return append(dst, byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// appendSeconds appends t as the canonical form has it: RFC 3339, UTC, cut to
// whole seconds. It is time.AppendFormat at a third of the cost.
func appendSeconds(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, secondLayout)
	}
	hour, minute, second := t.Clock()
	dst = appendTwo(appendTwo(dst, year/100), year%100)
	dst = appendTwo(append(dst, '-'), int(month))
	dst = appendTwo(append(dst, '-'), day)
	dst = appendTwo(append(dst, 'T'), hour)
	dst = appendTwo(append(dst, ':'), minute)
	dst = appendTwo(append(dst, ':'), second)
	return append(dst, 'Z')
}

// appendTwo appends n, of 0 to 99, as two digits.
func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}
