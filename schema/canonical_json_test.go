package schema

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

func TestCanonicalNumber(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "-0e9": "0", "0E-99999999999999999999": "0",
		"1": "1", "1.0": "1", "1e0": "1", "10e-1": "1", "0.1e+1": "1", "1e-00": "1",
		"-0.50": "-0.5", "12.34": "12.34", "1234e-2": "12.34",
		"10": "1E+1", "1200": "1.2E+3", "1.2e3": "1.2E+3", "-1050.0": "-1.05E+3",
		"0.000001": "0.000001", "0.0000012": "0.0000012", "0.0000001": "1E-7", "0.00000012": "1.2E-7",
		"123456789012345678901234567890": "1.2345678901234567890123456789E+29",
		"9007199254740993":               "9007199254740993",
		"1e999999999":                    "1E+999999999",
		"10e9223372036854775807":         "1E+9223372036854775808",
		"1e9223372036854775807":          "1E+9223372036854775807",
		"-1.5e-99999999999999999999":     "-1.5E-99999999999999999999",
		"0.1e+100000000000000000000":     "1E+99999999999999999999",
		"1e-000000000000000000000000001": "0.1",
		"10e999999999999999999":          "1E+1000000000000000000",
		"10e9999999999999999999":         "1E+10000000000000000000",
		"0.01e1000000000000000001":       "1E+999999999999999999",
		"0.01e-9999999999999999999":      "1E-10000000000000000001",
		"100e-1000000000000000001":       "1E-999999999999999999",
		"12.5e1000000000000000000":       "1.25E+1000000000000000001",
		"1.0e+000000000000000000000":     "1",
	} {
		if got := string(appendCanonicalNumber([]byte("x"), text)); got != "x"+want {
			t.Errorf("%s: %s, want x%s", text, got, want)
		}
	}
}

// Exponents of any length cost no more than their text.
func TestCanonicalNumberOfLongExponent(t *testing.T) {
	long := strings.Repeat("7", 4_000_000)
	for text, want := range map[string]string{
		"1e" + long:                         "1E+" + long,
		"0.01e-" + long:                     "1E-" + long[:len(long)-1] + "9",
		"10E+" + strings.Repeat("9", 1_000): "1E+1" + strings.Repeat("0", 1_000),
	} {
		if got := string(appendCanonicalNumber(nil, text)); got != want {
			t.Errorf("%.20s… of %d bytes: %.20s… of %d bytes", text, len(text), got, len(got))
		}
	}
}

// However it is written, a number has one form, and another number another.
func TestCanonicalNumberIsOneForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := jsonNumbers().Draw(t, "number")
		one, other := numberText(t, n), numberText(t, n)
		a, b := string(appendCanonicalNumber(nil, one)), string(appendCanonicalNumber(nil, other))
		if a != b {
			t.Fatalf("%s is %s, %s is %s", one, a, other, b)
		}
		if !jsontext.Value(a).IsValid() {
			t.Fatalf("%s is not JSON", a)
		}
		if len(a) > len(n.digits)+20 {
			t.Fatalf("%s is too long for %s", a, one)
		}
		m := jsonNumbers().Draw(t, "another")
		if c := string(appendCanonicalNumber(nil, numberText(t, m))); (a == c) != (n == m) {
			t.Fatalf("%v is %s, %v is %s", n, a, m, c)
		}
	})
}

// Where exponents pass from integers to text, the value stays the same.
func TestCanonicalNumberOfHugeExponents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[1-9]{1,3}0{0,3}(\.0{0,3}[1-9]0?)?[eE][+-]?(0{0,2}|10{15,19}|9{15,21}|[1-9][0-9]{15,21})[0-9]`).Draw(t, "number")
		if got := string(appendCanonicalNumber(nil, text)); numberMeaning(got) != numberMeaning(text) || canonicalOf(got) != got {
			t.Fatalf("%s is %s", text, got)
		}
	})
}

func TestCanonicalIntAsNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Int64(), rapid.Map(rapid.Int64Range(-9, 9), func(n int64) int64 { return n * 1_000_000 })).Draw(t, "n")
		want := string(appendCanonicalNumber(nil, strconv.FormatInt(n, 10)))
		if got := string(appendCanonicalInt(nil, n)); got != want {
			t.Fatalf("%d: %s, want %s", n, got, want)
		}
	})
}

func TestCanonicalJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                            `{}`,
		" [ ] ":                         `[]`,
		`{"b":1,"a":[2,{"d":3,"c":4}]}`: `{"a":[2,{"c":4,"d":3}],"b":1}`,
		`{"a":1,"b":2,"a":3}`:           `{"a":3,"b":2}`,
		`{"a":1,"a":1.0,"a":10e-1}`:     `{"a":1}`,
		`{"\u0061":{"x":1},"a":{"y":{"q":1,"p":2}}}`:                                    `{"a":{"y":{"p":2,"q":1}}}`,
		`{"～":1,"😀":2,"é":3,"z":4,"":5}`:                                                `{"":5,"z":4,"é":3,"～":1,"😀":2}`,
		`["\ud83d\ude00\/\u0041\u001F\u007f\b"]`:                                        `["😀/A\u001f` + "\x7f" + `\b"]`,
		`["\ud800","\uDFFF\ud800","\ud83d\u0041","\ud83d\ud83d\ude00","\ud83d\\u0041"]`: `["\ud800","\udfff\ud800","\ud83dA","\ud83d😀","\ud83d\\u0041"]`,
		`{"\ud800":1,"\ud7ff":2,"\ue000":3}`:                                            "{\"\ud7ff\":2,\"\\ud800\":1,\"\ue000\":3}",
		`[true,false,null]`:                                                             `[true,false,null]`,
		`"\\u0041"`:                                                                     `"\\u0041"`,
	} {
		if got := canonicalOf(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// What is no JSON is taken as a string.
func TestCanonicalJSONOfOtherText(t *testing.T) {
	for _, text := range []string{
		"", "{", "}", "[1,]", `{"a":1,}`, `{"a"}`, `{a:1}`, `{"a":1 "b":2}`, "[1 2]", "01", "1.", ".1", "-", "+1", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "truex", "nullnull",
		`"`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, `"\ud83d\u"`, "\"\n\"", "'a'", "{}{}", "{},", "\x00", "[\x00]", "\ufeff{}", "\xff", "\"\xff\"", `{"a":1}` + "\x00",
	} {
		if got, want := canonicalOf(text), string(appendString(nil, text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if isJSONObject(text) {
			t.Errorf("%q is taken for an object", text)
		}
	}
}

func TestCanonicalJSONDepth(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat(`{"a":[`, depth/2) + strings.Repeat("]}", depth/2) }
	if text := nested(10_000); canonicalOf(text) != text {
		t.Error("what decoders accept is not accepted")
	}
	if text := nested(10 * maxDepth); canonicalOf(text) != string(appendString(nil, text)) {
		t.Error("the depth has no bound")
	}
}

// FuzzCanonicalJSON holds the reader against jsontext: they accept the same
// texts, and what the canonical form says is what the text says.
func FuzzCanonicalJSON(f *testing.F) {
	for _, s := range []string{
		`{"b":[1.0,1e2,-0.0,0.5e-999999999999],"a":{"z":"\ud83d\ude00\/\ud800","y":null},"b":12345678901234567890.10}`,
		`{"a":1,"\u0061":2}`, `[[],{},"",0,true,false,null]`, `"\"\\\b\f\n\r\t\u0000"`, `{"～":1,"😀":2}`, " [ 1 , 2 ] ", "-", "1e", "[1,]", `"\ud800\u0041"`,
	} {
		f.Add(s)
	}
	lenient := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	f.Fuzz(func(t *testing.T, text string) {
		canonical := canonicalOf(text)
		if valid := utf8.ValidString(text) && jsontext.Value(text).IsValid(lenient...); !valid {
			if canonical != string(appendString(nil, text)) {
				t.Fatalf("%q is not JSON, but has the form %q", text, canonical)
			}
			return
		}
		if !jsontext.Value(canonical).IsValid(lenient[1]) {
			t.Fatalf("%q has the form %q, which is not JSON", text, canonical)
		}
		if again := canonicalOf(canonical); again != canonical {
			t.Fatalf("%q has the form %q, which has the form %q", text, canonical, again)
		}
		if a, b := decodedMeaning(t, text), decodedMeaning(t, canonical); a != b {
			t.Fatalf("%q has the form %q, which means something else:\n%s\n%s", text, canonical, a, b)
		}
	})
}

// meaning writes down what a generated value means, by rules of its own.
func meaning(v jsonValue) string {
	switch v := v.(type) {
	case []jsonValue:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = meaning(v[i])
		}
		return fmt.Sprintf("list%q", parts)
	case []jsonMember:
		parts := make([]string, len(v))
		for i, m := range v {
			parts[i] = fmt.Sprintf("%q=%s", m.name, meaning(m.value))
		}
		slices.Sort(parts)
		return fmt.Sprintf("object%q", parts)
	default:
		return fmt.Sprintf("%#v", v)
	}
}

// decodedMeaning writes down what JSON text means, as jsontext reads it. A
// surrogate without its partner is U+FFFD there.
func decodedMeaning(t *testing.T, text string) string {
	d := jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var read func() string
	read = func() string {
		token, err := d.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		switch token.Kind() {
		case '{':
			members := map[string]string{}
			for d.PeekKind() != '}' {
				name, err := d.ReadToken()
				if err != nil {
					t.Fatal(err)
				}
				key := name.String()
				if value := read(); strings.Contains(key, "\ufffd") {
					members[key] = "?" // may stand for several names
				} else {
					members[key] = value
				}
			}
			if _, err := d.ReadToken(); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("object%q", members) // fmt sorts by key
		case '[':
			var list []string
			for d.PeekKind() != ']' {
				list = append(list, read())
			}
			if _, err := d.ReadToken(); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("list%q", list)
		case '0':
			return numberMeaning(token.String())
		default:
			return fmt.Sprintf("%c%q", token.Kind(), token.String())
		}
	}
	result := read()
	if _, err := d.ReadToken(); err != io.EOF {
		t.Fatalf("more follows: %v", err)
	}
	return result
}

// numberMeaning is the number as an integer without zeros at its end and a power
// of ten, by means of math/big.
func numberMeaning(number string) string {
	mantissa, exponent := number, new(big.Int)
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		mantissa = number[:i]
		exponent.SetString(number[i+1:], 10)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		panic("not a number: " + number)
	}
	if digits.Sign() == 0 {
		return "0"
	}
	exponent.Sub(exponent, big.NewInt(int64(len(fraction))))
	ten, rest := big.NewInt(10), new(big.Int)
	for {
		less, rest := new(big.Int).QuoRem(digits, ten, rest)
		if rest.Sign() != 0 {
			return fmt.Sprintf("%d times ten to the %d", digits, exponent)
		}
		digits = less
		exponent.Add(exponent, big.NewInt(1))
	}
}

// mutateJSON changes one small thing of a value.
func mutateJSON(t *rapid.T, v jsonValue) jsonValue {
	switch v := v.(type) {
	case []jsonValue:
		if len(v) > 0 {
			v = slices.Clone(v)
			switch i := rapid.IntRange(0, len(v)-1).Draw(t, "element"); rapid.IntRange(0, 2).Draw(t, "mutation") {
			case 0:
				v[i] = mutateJSON(t, v[i])
			case 1:
				v[0], v[i] = v[i], v[0]
			default:
				return slices.Delete(v, i, i+1)
			}
		}
		return v
	case []jsonMember:
		if len(v) > 0 {
			v = slices.Clone(v)
			i := rapid.IntRange(0, len(v)-1).Draw(t, "member")
			v[i].value = mutateJSON(t, v[i].value)
		}
		return v
	case string:
		return v + "x"
	case bool:
		return fmt.Sprint(v)
	case jsonNumber:
		v.power += rapid.IntRange(-1, 1).Draw(t, "power")
		if v.digits == "" {
			return "0"
		}
		return v
	default:
		return "null"
	}
}

func TestScratchIsNotKeptForGiants(t *testing.T) {
	giant := &Row{Extra: Some(`{"a":"` + string(bytes.Repeat([]byte("x"), 4*scratchLimit)) + `"}`)}
	ContentHash(giant)
	for range 100 {
		s := borrowScratch()
		if cap(s.out) > scratchLimit || cap(s.names) > scratchLimit || cap(s.aside) > scratchLimit {
			t.Fatal("a giant row's buffer was kept")
		}
		defer s.giveBack()
	}
}
