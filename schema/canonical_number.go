package schema

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"
)

// appendCanonicalInt appends n by the rule for numbers.
func appendCanonicalInt(dst []byte, n int64) []byte {
	var zeros int64
	for n != 0 && n%10 == 0 {
		n /= 10
		zeros++
	}
	return appendExponent(strconv.AppendInt(dst, n, 10), zeros)
}

// appendCanonicalNumber appends the JSON number that text is by the rule for
// numbers: digits without zeros at either end, then the power of ten. It works
// on the text alone, so that it is exact, and it does not expand exponents.
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
		return appendExponent(dst, shift)
	}
	// An exponent of up to 18 characters leaves room in an int64 for the shift,
	// which is less than the length of a text in memory.
	if len(exponent) <= 18 {
		e, err := strconv.ParseInt(exponent, 10, 64)
		if err == nil {
			return appendExponent(dst, e+shift)
		}
	}
	e, ok := new(big.Int).SetString(exponent, 10)
	if !ok {
		panic("schema: the number's syntax was not checked")
	}
	if e.Add(e, big.NewInt(shift)).Sign() == 0 {
		return dst
	}
	return e.Append(append(dst, 'e'), 10)
}

func appendExponent(dst []byte, e int64) []byte {
	if e == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, 'e'), e, 10)
}
