package schema

import (
	"bytes"
	"math/big"
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

	if exponent == "" {
		return placePoint(dst, first, shift)
	}
	// 18 characters are less than 10^18, and the shift is less than the length
	// of a text in memory: their sum fits.
	if len(exponent) <= 18 {
		if e, err := strconv.ParseInt(exponent, 10, 64); err == nil {
			return placePoint(dst, first, e+shift)
		}
	}
	e, ok := new(big.Int).SetString(exponent, 10)
	if !ok {
		panic("schema: the number's syntax was not checked")
	}
	e.Add(e, big.NewInt(shift))
	if e.IsInt64() {
		return placePoint(dst, first, e.Int64())
	}
	n := len(dst) - first
	dst = insertPoint(dst, first)
	e.Add(e, big.NewInt(int64(n-1)))
	dst = append(dst, 'E')
	if e.Sign() > 0 {
		dst = append(dst, '+')
	}
	return e.Append(dst, 10)
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
