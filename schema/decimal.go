package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// Precision and scale of the amounts' columns, DECIMAL(18,4) in typed outputs.
const (
	DecimalPrecision = 18
	DecimalScale     = 4
)

// decimalUnit is 10^DecimalScale.
const decimalUnit = 10_000

// Decimal is an amount of money: the digits as the API sent them and the same
// value as a scaled integer.
type Decimal struct {
	// Text is the amount as sent, which is what JSON outputs carry.
	Text string
	// Unscaled is the value times 10^DecimalScale.
	Unscaled int64
}

// ParseDecimal reads a plain decimal number: an optional minus, digits, and
// optionally a point and more digits. It refuses what DECIMAL(18,4) cannot hold
// without loss, exponents, and everything that is not a number.
func ParseDecimal(s string) (Decimal, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || (point && frac == "") || !allDigits(whole) || !allDigits(frac) {
		return Decimal{}, fmt.Errorf("not a plain decimal number")
	}
	significant := strings.TrimRight(frac, "0")
	if len(significant) > DecimalScale {
		return Decimal{}, fmt.Errorf("more than %d digits after the point", DecimalScale)
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > DecimalPrecision-DecimalScale {
		return Decimal{}, fmt.Errorf("more than %d digits before the point", DecimalPrecision-DecimalScale)
	}
	var v int64
	for _, c := range []byte(whole) {
		v = v*10 + int64(c-'0')
	}
	for i := range DecimalScale {
		v *= 10
		if i < len(significant) {
			v += int64(significant[i] - '0')
		}
	}
	if negative {
		v = -v
	}
	return Decimal{Text: s, Unscaled: v}, nil
}

// Canonical returns the value in its shortest plain form ("12.5" for "012.50",
// "0" for "-0.00"), which is what the content hash sees: the same amount
// written differently is not a change.
func (d Decimal) Canonical() string { return string(d.appendCanonical(nil)) }

func (d Decimal) appendCanonical(dst []byte) []byte {
	u := uint64(d.Unscaled)
	if d.Unscaled < 0 {
		dst, u = append(dst, '-'), -u
	}
	dst = strconv.AppendUint(dst, u/decimalUnit, 10)
	fraction := u % decimalUnit
	if fraction == 0 {
		return dst
	}
	dst = append(dst, '.')
	for unit := uint64(decimalUnit / 10); fraction > 0; unit /= 10 {
		dst = append(dst, byte('0'+fraction/unit))
		fraction %= unit
	}
	return dst
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
