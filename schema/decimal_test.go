package schema

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	for _, test := range []struct {
		text      string
		unscaled  int64
		canonical string
	}{
		{"0", 0, "0"},
		{"-0.00", 0, "0"},
		{"12.5", 125_000, "12.5"},
		{"012.50", 125_000, "12.5"},
		{"-7", -70_000, "-7"},
		{"1200.00", 12_000_000, "1200"},
		{"0.0001", 1, "0.0001"},
		{"-0.0100", -100, "-0.01"},
		{"3.1000000000000000000000", 31_000, "3.1"},
		{"000000000000000000000000012", 120_000, "12"},
		{"99999999999999.9999", 999_999_999_999_999_999, "99999999999999.9999"},
		{"-99999999999999.9999", -999_999_999_999_999_999, "-99999999999999.9999"},
	} {
		d, err := ParseDecimal(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if d.Text != test.text || d.Unscaled != test.unscaled {
			t.Errorf("%q: %+v, want %d", test.text, d, test.unscaled)
		}
		if got := d.Canonical(); got != test.canonical {
			t.Errorf("%q: canonical %q, want %q", test.text, got, test.canonical)
		}
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, text := range []string{
		"", "-", ".", "-.", "1.", ".5", "+1", "--1", "1-", " 1", "1 ", "1,5", "1.2.3", "1e2", "0x10", "NaN", "Infinity", "١", "1_000",
		"0.00001", "100000000000000", "-123456789012345.0", "12.34567",
	} {
		if d, err := ParseDecimal(text); err == nil {
			t.Errorf("%q was read as %+v", text, d)
		} else if len(text) > 3 && strings.Contains(err.Error(), text) {
			t.Errorf("%q: the error repeats the value", text)
		}
	}
}

// Canonical has no invariant to lean on: the fields are open to all.
func TestCanonicalOfExtremes(t *testing.T) {
	for unscaled, want := range map[int64]string{
		math.MinInt64: "-922337203685477.5808",
		math.MaxInt64: "922337203685477.5807",
		10:            "0.001",
	} {
		if got := (Decimal{Unscaled: unscaled}).Canonical(); got != want {
			t.Errorf("%d: %q, want %q", unscaled, got, want)
		}
	}
}

var plainDecimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// FuzzParseDecimal holds the parser against math/big: what it takes has
// exactly the value of the text, what it refuses does not fit.
func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0", "-0.00", "012.50", "99999999999999.9999", "1e2", "1.", ".5", "0.00001", "100000000000000", "-"} {
		f.Add(s)
	}
	scale := new(big.Rat).SetInt64(decimalUnit)
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(DecimalPrecision), nil)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal(s)
		if !plainDecimal.MatchString(s) {
			if err == nil {
				t.Fatalf("%q was read as %+v", s, d)
			}
			return
		}
		value, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatalf("math/big does not read %q", s)
		}
		value.Mul(value, scale)
		if fits := value.IsInt() && value.Num().CmpAbs(limit) < 0; fits != (err == nil) {
			t.Fatalf("%q: fits %v, error %v", s, fits, err)
		} else if !fits {
			return
		}
		if value.Num().Cmp(big.NewInt(d.Unscaled)) != 0 || d.Text != s {
			t.Fatalf("%q was read as %+v", s, d)
		}
		again, err := ParseDecimal(d.Canonical())
		if err != nil || again.Unscaled != d.Unscaled || again.Canonical() != d.Canonical() {
			t.Fatalf("%q: its canonical form %q is another amount", s, d.Canonical())
		}
		if len(d.Canonical()) > len(s) {
			t.Fatalf("%q: its canonical form %q is longer", s, d.Canonical())
		}
	})
}

func TestCanonicalIsOneForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimals().Draw(t, "a"), decimals().Draw(t, "b")
		if (a.Unscaled == b.Unscaled) != (a.Canonical() == b.Canonical()) {
			t.Fatalf("%+v and %+v", a, b)
		}
		padded, err := ParseDecimal(strings.Replace("0"+a.Canonical(), "0-", "-0", 1))
		if err != nil || padded.Canonical() != a.Canonical() {
			t.Fatalf("%+v: %v", padded, err)
		}
	})
}
