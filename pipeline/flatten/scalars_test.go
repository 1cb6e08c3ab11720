package flatten

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	tests := []struct {
		in    string
		want  string // RFC 3339; empty if it does not parse
		exact bool
	}{
		{"2026-09-01T10:00:00Z", "2026-09-01T10:00:00Z", true},
		{"2026-09-01t10:00:00z", "2026-09-01T10:00:00Z", true},
		{"2026-09-01T10:00:00", "2026-09-01T10:00:00Z", true},
		{"2026-09-01T10:00:00.5", "2026-09-01T10:00:00.5Z", true},
		{"2026-09-01T10:00:00.123Z", "2026-09-01T10:00:00.123Z", true},
		{"2026-09-01T10:00:00.123000Z", "2026-09-01T10:00:00.123Z", true},
		{"2026-09-01T10:00:00.1239Z", "2026-09-01T10:00:00.123Z", false},
		{"2026-09-01T10:00:00.00000000000000000001Z", "2026-09-01T10:00:00Z", false},
		{"2026-09-01T10:00:00+02:00", "2026-09-01T08:00:00Z", true},
		{"2026-09-01T10:00:00+0000", "2026-09-01T10:00:00Z", true},
		{"2026-09-01T10:00:00.25-0930", "2026-09-01T19:30:00.25Z", true},
		{"2026-09-01T10:00:00-00:00", "2026-09-01T10:00:00Z", true},
		{"2024-02-29T23:59:59+00:01", "2024-02-29T23:58:59Z", true},
		{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", true},
		{"0000-12-31T23:59:59-00:01", "0001-01-01T00:00:59Z", true},
		{"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z", true},

		{"", "", false},
		{"2026-09-01", "", false},
		{"2026-09-01T10:00Z", "", false},
		{"2026-09-01 10:00:00", "", false},
		{"2026-09-01T10:00:00,5Z", "", false},
		{"2026-09-01T10:00:00.Z", "", false},
		{"2026-09-01T10:00:00.", "", false},
		{"2026-09-01T10:00:00 Z", "", false},
		{"2026-09-01T10:00:00+2:00", "", false},
		{"2026-09-01T10:00:00+02", "", false},
		{"2026-09-01T10:00:00+24:00", "", false},
		{"2026-09-01T10:00:00+02:60", "", false},
		{"2026-09-01T10:00:00+0a:00", "", false},
		{"2026-09-01T10:00:00 02:00", "", false},
		{"2026-09-01T10:00:00ZZ", "", false},
		{"2026-09-01T24:00:00Z", "", false},
		{"2026-09-01T10:60:00Z", "", false},
		{"2026-09-01T23:59:60Z", "", false},
		{"2026-02-29T10:00:00Z", "", false},
		{"2026-09-31T10:00:00Z", "", false},
		{"2026-13-01T10:00:00Z", "", false},
		{"2026-00-01T10:00:00Z", "", false},
		{"2026-09-00T10:00:00Z", "", false},
		{"+2026-09-01T10:00:00Z", "", false},
		{"12026-09-01T10:00:00Z", "", false},
		{"0000-12-31T23:59:59Z", "", false},
		{"0001-01-01T00:00:00+00:01", "", false},
		{"9999-12-31T23:59:59-00:01", "", false},
		{"1788256800", "", false},
		{"Tue, 01 Sep 2026 10:00:00 GMT", "", false},
	}
	for _, tt := range tests {
		got, exact, ok := parseTime(tt.in)
		if ok != (tt.want != "") {
			t.Errorf("parseTime(%q) = %v, %v", tt.in, got, ok)
			continue
		}
		if ok && (got.Format(time.RFC3339Nano) != tt.want || exact != tt.exact || got.Location() != time.UTC) {
			t.Errorf("parseTime(%q) = %s, exact %v, want %s, %v", tt.in, got.Format(time.RFC3339Nano), exact, tt.want, tt.exact)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2026-09-01T10:00:00.123456+0200")
	f.Add("2026-02-30T10:00:00Z")
	f.Add("0001-01-01t00:00:00-23:59")
	f.Fuzz(func(t *testing.T, s string) {
		got, exact, ok := parseTime(s)
		want, wantOK := slowTime(s)
		if ok != wantOK {
			t.Fatalf("parseTime(%q) reports %v, want %v", s, ok, wantOK)
		}
		if ok && !got.Equal(want.Truncate(time.Millisecond)) {
			t.Fatalf("parseTime(%q) = %v, want %v cut", s, got, want)
		}
		if ok && exact && !got.Equal(want) {
			t.Fatalf("parseTime(%q) = %v claims to be exact, want %v", s, got, want)
		}
	})
}

var timeShape = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):?[0-5]\d)?$`)

// slowTime reads times by package time, which knows nanoseconds, and takes some
// more than parseTime does if it is let.
func slowTime(s string) (time.Time, bool) {
	if !timeShape.MatchString(s) {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"} {
		t, err := time.Parse(layout, strings.ToUpper(s))
		if err != nil {
			continue
		}
		t = t.UTC()
		return t, t.Year() >= 1 && t.Year() <= 9999
	}
	return time.Time{}, false
}

func TestParseInteger(t *testing.T) {
	tests := []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"-0", 0, true},
		{"-0.0", 0, true},
		{"0e999999999999999999999", 0, true},
		{"12", 12, true},
		{"12.0", 12, true},
		{"1.2e1", 12, true},
		{"1.2E+1", 12, true},
		{"1200e-2", 12, true},
		{"-12.000", -12, true},
		{"0.0012e4", 12, true},
		{"9223372036854775807", 9223372036854775807, true},
		{"9223372036854775807.00", 9223372036854775807, true},
		{"-9223372036854775808", -9223372036854775808, true},
		{"-9.223372036854775808e18", -9223372036854775808, true},
		{"1e18", 1000000000000000000, true},
		{"9223372036854775808", 0, false},
		{"-9223372036854775809.0", 0, false},
		{"1e19", 0, false},
		{"1.5", 0, false},
		{"12e-1", 0, false},
		{"1e-1", 0, false},
		{"1e999999999999999999999", 0, false},
		{"1e-999999999999999999999", 0, false},
		{"1e2147483648", 0, false},
	}
	for _, tt := range tests {
		if got, ok := parseInteger(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("parseInteger(%s) = %d, %v, want %d, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func FuzzParseInteger(f *testing.F) {
	f.Add(int64(12), uint16(3), int16(-3))
	f.Add(int64(-9223372036854775808), uint16(19), int16(19))
	f.Fuzz(func(t *testing.T, digits int64, point uint16, exponent int16) {
		// A number with that many digits behind the point.
		text := new(big.Int).Abs(big.NewInt(digits)).String()
		fraction := int(point % 64)
		if missing := fraction + 1 - len(text); missing > 0 {
			text = strings.Repeat("0", missing) + text
		}
		literal := text[:len(text)-fraction]
		if fraction > 0 {
			literal += "." + text[len(text)-fraction:]
		}
		literal += "e" + big.NewInt(int64(exponent)).String()
		if digits < 0 {
			literal = "-" + literal
		}
		want, ok := slowInteger(literal)
		if got, gotOK := parseInteger(literal); got != want || gotOK != ok {
			t.Fatalf("parseInteger(%s) = %d, %v, want %d, %v", literal, got, gotOK, want, ok)
		}
	})
}

func slowInteger(literal string) (int64, bool) {
	r, ok := new(big.Rat).SetString(literal)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}
