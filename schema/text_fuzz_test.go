package schema

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzText holds what looks at eight bytes at a time to what looks at one.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"", "a", "12345678", "123456789abcdef0", "Grüße aus Köln, bitte um Rückruf", `say "no"`, "tab\there", "1234567\x1f", "1234567\x80",
		"abcdefgh\xc3", "ü\xff", "\xed\xa0\x80", "日本語のテキスト", "\U0010FFFF", "\xf4\x90\x80\x80", "1234567\\", "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f",
	} {
		f.Add(s)
	}
	f.Fuzz(checkText)
}

// Every byte at every place of three words, among ASCII and among others.
func TestTextEachByte(t *testing.T) {
	for _, around := range []string{"a", "ü"} {
		for length := range 24 {
			for at := range length {
				for c := range 256 {
					s := []byte(strings.Repeat(around, length))
					s[at] = byte(c)
					checkText(t, string(s))
				}
			}
		}
	}
}

func checkText(t *testing.T, s string) {
	if got, want := ValidText(s), utf8.ValidString(s); got != want {
		t.Fatalf("%q: valid is %v, want %v", s, got, want)
	}
	n, seen := plainPrefix(s)
	if want := plainBytes(s); n != want {
		t.Fatalf("%q: %d bytes are plain, want %d", s, n, want)
	}
	ascii := !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
	if prefix := s[:n]; seen&highs == 0 && strings.ContainsFunc(prefix, func(r rune) bool { return r >= utf8.RuneSelf }) {
		t.Fatalf("%q: a byte beyond ASCII was not seen", s)
	}
	got, gotASCII := appendStringASCII(nil, s)
	if gotASCII != ascii {
		t.Fatalf("%q: ASCII is %v, want %v", s, gotASCII, ascii)
	}
	if !utf8.ValidString(s) {
		return
	}
	if want, err := jsontext.AppendQuote(nil, s); err != nil || string(got) != string(want) {
		t.Fatalf("%q: %s, want %s (%v)", s, got, want, err)
	}
}
