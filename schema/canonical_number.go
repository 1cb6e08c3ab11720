package schema

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Numbers in canonical form are what Python's str(decimal.normalize()) and
// Java's stripTrailingZeros().toString() give: the to-scientific-string of the
// General Decimal Arithmetic specification, of the value without trailing zeros.

// appendCanonicalInt appends n by the rule for numbers.
func appendCanonicalInt(dst []byte, n int64) []byte {
	if n%10 != 0 {
		return strconv.AppendInt(dst, n, 10)
	}
	var text [20]byte
	return appendCanonicalNumber(dst, string(strconv.AppendInt(text[:0], n, 10)))
}

// appendCanonicalNumber appends the JSON number that text is by the rule for
// numbers. It works on the digits alone, so that it is exact whatever their
// number, and it never writes more zeros than five, whatever the exponent.
func appendCanonicalNumber(dst []byte, text string) []byte {
	start := len(dst)
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		dst, text = append(dst, '-'), rest
	}
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")

	// The value is digits × 10^(exponent+shift), digits without zeros at its ends.
	first := len(dst)
	dst = append(append(dst, whole...), fraction...)
	dst = append(dst[:first], bytes.TrimLeft(dst[first:], "0")...)
	if len(dst) == first {
		return append(dst[:start], '0')
	}
	all := len(dst)
	dst = bytes.TrimRight(dst, "0")
	shift := int64(all - len(dst) - len(fraction))

	negative := strings.HasPrefix(exponent, "-")
	magnitude := strings.TrimLeft(strings.TrimLeft(exponent, "+-"), "0")
	if len(magnitude) <= maxExponentDigits {
		e := parseDigits(magnitude)
		if negative {
			e = -e
		}
		return placePoint(dst, first, e+shift)
	}
	// The exponent is beyond all that digits could shift: it keeps its sign, and
	// the number needs it.
	leading := shift + int64(len(dst)-first) - 1
	dst = append(insertPoint(dst, first), 'E')
	if negative {
		return appendSum(append(dst, '-'), magnitude, -leading)
	}
	return appendSum(append(dst, '+'), magnitude, leading)
}

// maxExponentDigits is how many digits of an exponent are taken as an int64. It
// leaves room for any shift, which is less than the length of a text in memory.
const maxExponentDigits = 18

// parseDigits returns the value of at most maxExponentDigits decimal digits.
func parseDigits(digits string) (n int64) {
	for i := range len(digits) {
		n = n*10 + int64(digits[i]-'0')
	}
	return n
}

// appendSum appends n+k, where n is the number that digits write, of more than
// maxExponentDigits, and so much larger than k. Its cost is linear, which that
// of math/big is not: an exponent of megabytes must not take minutes.
func appendSum(dst []byte, digits string, k int64) []byte {
	first := len(dst)
	dst = append(dst, digits...)
	for i := len(dst) - 1; k != 0 && i >= first; i-- {
		k += int64(dst[i] - '0')
		digit := (k%10 + 10) % 10
		dst[i] = byte('0' + digit)
		k = (k - digit) / 10
	}
	switch {
	case k > 0: // 99…9 became 100…0
		return slices.Insert(dst, first, '1')
	case dst[first] == '0': // 100…0 became 99…9
		return slices.Delete(dst, first, first+1)
	default:
		return dst
	}
}

// placePoint finishes a number whose digits, dst[first:], are to be multiplied
// by 10^e: plainly if that takes no zeros behind the digits and at most five
// between the point and them, as a power of ten otherwise.
func placePoint(dst []byte, first int, e int64) []byte {
	n := int64(len(dst) - first)
	leading := e + n - 1 // the power of ten of the first digit
	switch {
	case e > 0 || leading < -6:
		dst = append(insertPoint(dst, first), 'E')
		if leading > 0 {
			dst = append(dst, '+')
		}
		return strconv.AppendInt(dst, leading, 10)
	case e == 0:
		return dst
	case leading >= 0:
		dst = append(dst, 0)
		point := first + int(leading) + 1
		copy(dst[point+1:], dst[point:])
		dst[point] = '.'
		return dst
	default:
		zeros := "0.00000"[:1-leading]
		dst = append(dst, zeros...)
		copy(dst[first+len(zeros):], dst[first:])
		copy(dst[first:], zeros)
		return dst
	}
}

// insertPoint puts a point behind the first of the digits dst[first:], unless
// it is the only one.
func insertPoint(dst []byte, first int) []byte {
	if len(dst) == first+1 {
		return dst
	}
	dst = append(dst, 0)
	copy(dst[first+2:], dst[first+1:])
	dst[first+1] = '.'
	return dst
}
