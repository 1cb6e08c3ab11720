package schema

import (
	"time"
)

// text is what holds text.
type text interface{ string | []byte }

// appendString appends s as a JSON string with the escapes of RFC 8785, which
// are the fewest that JSON allows: quote, backslash and the control characters
// below U+0020, with the two-letter escapes where JSON has them and \u00xx in
// lower case otherwise. All else is copied as it is; s is not validated.
func appendString[T text](dst []byte, s T) []byte {
	dst = append(dst, '"')
	for {
		n := plainPrefix(s)
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return append(dst, '"')
		}
		dst = appendEscaped(dst, s[n])
		s = s[n+1:]
	}
}

// plainPrefix returns how many of the first bytes of s stand for themselves in
// a JSON string. It looks at eight bytes at a time, since nearly all text is
// plain to its end.
func plainPrefix[T text](s T) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	i := 0
	for ; i+8 <= len(s); i += 8 {
		// The compiler makes one load of this.
		v := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		quote := v ^ ones*'"'
		slash := v ^ ones*'\\'
		// x-ones&^x&highs is not zero exactly if a byte of x is zero, and
		// v-ones*0x20&^v&highs exactly if a byte of v is below 0x20.
		if ((v-ones*0x20)&^v|(quote-ones)&^quote|(slash-ones)&^slash)&highs != 0 {
			break
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			break
		}
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
