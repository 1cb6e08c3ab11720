package schema

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

func TestFormatTime(t *testing.T) {
	for _, test := range []struct {
		t    time.Time
		want string
	}{
		{time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC), "2026-09-01T10:00:00.000Z"},
		{time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC), "2026-12-31T23:59:59.999Z"},
		{time.Date(2026, 9, 1, 1, 30, 0, 7e6, time.FixedZone("", 2*3600)), "2026-08-31T23:30:00.007Z"},
		{time.Time{}, "0001-01-01T00:00:00.000Z"},
		{time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), "0000-01-01T00:00:00.000Z"},
		{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), "9999-12-31T00:00:00.000Z"},
		{time.Date(12026, 9, 1, 0, 0, 0, 0, time.UTC), "12026-09-01T00:00:00.000Z"},
		{time.Date(-5, 9, 1, 0, 0, 0, 0, time.UTC), "-0005-09-01T00:00:00.000Z"},
	} {
		if got := FormatTime(test.t); got != test.want {
			t.Errorf("FormatTime(%v) = %q, want %q", test.t, got, test.want)
		}
	}
}

// The hand-made formats are those of package time.
func TestTimesAsPackageTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := instants().Draw(t, "time").Add(time.Duration(rapid.IntRange(0, 999_999).Draw(t, "ns")))
		if got, want := FormatTime(at), at.Format(milliLayout); got != want {
			t.Fatalf("milliseconds: %q, want %q", got, want)
		}
		if got, want := string(appendSeconds(nil, at)), at.Format(secondLayout); got != want {
			t.Fatalf("seconds: %q, want %q", got, want)
		}
	})
}

// Every byte, at every place of the eight that are looked at together, and
// beyond them.
func TestAppendStringEachByte(t *testing.T) {
	for c := range rune(0x180) {
		for pad := range 18 {
			s := strings.Repeat("a", pad) + string(c) + strings.Repeat("ü", 17-pad)
			want, err := jsontext.AppendQuote(nil, s)
			if err != nil {
				t.Fatal(err)
			}
			if got := appendString(nil, s); string(got) != string(want) {
				t.Fatalf("%q: %s, want %s", s, got, want)
			}
		}
	}
}

func TestAppendStringAsRFC8785(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := texts().Draw(t, "text")
		want, err := jsontext.AppendQuote([]byte("x"), s)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendString([]byte("x"), s); string(got) != string(want) {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

func ExampleFormatTime() {
	berlin := time.FixedZone("CEST", 2*60*60)
	fmt.Println(FormatTime(time.Date(2026, 9, 1, 12, 0, 0, 123_456_789, berlin)))
	// Output: 2026-09-01T10:00:00.123Z
}
