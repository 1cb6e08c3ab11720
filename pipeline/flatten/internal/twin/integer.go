package twin

import (
	"strconv"
	"strings"
)

// parseInteger reads a JSON number that is exactly an integer of 64 bits, in
// whatever way it is written: 12, 12.0, 1.2e1, 1200e-2. It reports false for
// others; the literal has been checked to be a JSON number.
func parseInteger(literal string) (int64, bool) {
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return n, true
	}
	mantissa, power, scientific := strings.Cut(strings.ToLower(literal), "e")
	unsigned, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(unsigned, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return 0, true // zero, whatever the exponent
	}
	exponent := 0
	if scientific {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || exponent > len(literal)+64 || exponent < -len(literal) {
			return 0, false // out of reach whatever the digits are
		}
	}
	// The value is significant × 10^zeros.
	zeros := exponent - len(fraction) + len(digits) - len(significant)
	const maxDigits = 19
	if zeros < 0 || len(significant)+zeros > maxDigits {
		return 0, false
	}
	text := significant + strings.Repeat("0", zeros)
	if negative {
		text = "-" + text
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false // of 19 digits, but too large
	}
	return n, true
}
