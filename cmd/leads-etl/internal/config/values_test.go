package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	good := map[string]time.Duration{
		"30d": 30 * Day, "1d12h": 36 * time.Hour, "90s": 90 * time.Second, "500ms": 500 * time.Millisecond,
		"0s": 0, "0d": 0, "-2d": -2 * Day, " 7d ": 7 * Day, "1d1ns": Day + 1, "106751d": 106751 * Day,
	}
	for text, want := range good {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	bad := map[string]string{
		"30": "has no unit", "": "is no duration", "d": "is no duration", "1.5d": "is no duration", "1d-2h": "is no duration",
		"1h1d": "is no duration", "106752d": "too long", "106751d24h": "too long", "99999999999d": "is no duration", "month": "is no duration",
	}
	for text, want := range bad {
		if got, err := ParseDuration(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseDuration(%q) = %v, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	good := map[string]int64{
		"0": 0, "1048576": 1 << 20, "512MiB": 512 << 20, "1.5 GiB": 3 << 29, "64k": 64 << 10, "10MB": 10_000_000,
		"1TB": 1e12, "7B": 7, "2m": 2 << 20, "9223372036854775807": math.MaxInt64,
	}
	for text, want := range good {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5", "0x10", "1e3", "12MiBs", "9223372036854775808", "9000000TiB", "Inf", "NaN", "1.2.3k", "."} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %v; want an error", text, got)
		}
	}
}

func TestParseTime(t *testing.T) {
	midnight := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	good := map[string]time.Time{
		"2026-09-01":                midnight,
		"2026-09-01T00:00:00Z":      midnight,
		"2026-09-01T02:00:00+02:00": midnight,
		"2026-09-01 00:00:00Z":      midnight,
		"2026-09-01T00:00:00.5Z":    midnight.Add(time.Second / 2),
	}
	for text, want := range good {
		if got, err := ParseTime(text); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("ParseTime(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	bad := map[string]string{
		"2026-09-01T10:00:00": "write 2026-09-01T10:00:00Z", "01.09.2026": "is no time", "2026-13-01": "is no time", "": "is no time", "today": "is no time",
	}
	for text, want := range bad {
		if got, err := ParseTime(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseTime(%q) = %v, %v; want an error with %q", text, got, err, want)
		}
	}
}

// What is written by Format… reads back as the same.
func TestFormatsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Min(math.MinInt64+1).Draw(t, "duration"))
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Fatalf("%d: %q reads back as %v, %v", d, FormatDuration(d), got, err)
		}
		whole := time.Duration(rapid.Int64Range(-100_000, 100_000).Draw(t, "hours")) * time.Hour
		if got, err := ParseDuration(FormatDuration(whole)); err != nil || got != whole {
			t.Fatalf("%d: %q reads back as %v, %v", whole, FormatDuration(whole), got, err)
		}
		n := rapid.Int64Min(0).Draw(t, "size") << rapid.IntRange(0, 40).Draw(t, "shift") & math.MaxInt64
		if got, err := ParseSize(FormatSize(n)); err != nil || got != n {
			t.Fatalf("%d: %q reads back as %v, %v", n, FormatSize(n), got, err)
		}
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		for _, at := range []time.Time{at, at.Truncate(time.Second), at.Truncate(Day)} {
			if got, err := ParseTime(FormatTime(at)); err != nil || !got.Equal(at) {
				t.Fatalf("%v: %q reads back as %v, %v", at, FormatTime(at), got, err)
			}
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"30d", "1d12h", "-2d", "90s", "1h30m", "30", "", "106751d24h", "1d-2h", "00d0s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil || d == math.MinInt64 {
			return
		}
		if again, err := ParseDuration(FormatDuration(d)); err != nil || again != d {
			t.Errorf("%q is %v, written as %q, read back as %v, %v", s, d, FormatDuration(d), again, err)
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"512MiB", "1.5 GiB", "64k", "10MB", "1048576", "-1", "", "9223372036854775808", "1e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err != nil {
			return
		}
		if n < 0 {
			t.Fatalf("%q is %d", s, n)
		}
		if again, err := ParseSize(FormatSize(n)); err != nil || again != n {
			t.Errorf("%q is %d, written as %q, read back as %d, %v", s, n, FormatSize(n), again, err)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2026-09-01", "2026-09-01T10:00:00Z", "2026-09-01T10:00:00+02:00", "2026-09-01T10:00:00", "0000-01-01", "9999-12-31T23:59:59.999999999-23:59"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseTime(s)
		if err != nil || at.Year() < 0 || at.Year() > 9999 { // an offset can lead out of what RFC 3339 can write
			return
		}
		if again, err := ParseTime(FormatTime(at)); err != nil || !again.Equal(at) {
			t.Errorf("%q is %v, written as %q, read back as %v, %v", s, at, FormatTime(at), again, err)
		}
	})
}
