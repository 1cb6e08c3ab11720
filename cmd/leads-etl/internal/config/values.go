package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Day is the longest unit of ParseDuration: always 24 hours, since all time in
// this program is UTC.
const Day = 24 * time.Hour

// ParseDuration reads a length of time as Go writes it ("1h30m", "500ms"), with
// "d" for days of 24 hours as a further unit, which comes first ("30d", "1d12h").
// A number without a unit is refused.
func ParseDuration(s string) (time.Duration, error) {
	bad := func(why string) (time.Duration, error) {
		return 0, fmt.Errorf("%q is no duration%s; write it as 30d, 24h, 90s or 500ms", s, why)
	}
	text := strings.TrimSpace(s)
	unsigned, negative := strings.CutPrefix(text, "-")
	days, rest, hasDays := strings.Cut(unsigned, "d")
	if !hasDays {
		d, err := time.ParseDuration(text)
		if err != nil {
			if _, err := strconv.ParseFloat(text, 64); err == nil {
				return bad(": it has no unit")
			}
			return bad("")
		}
		return d, nil
	}
	n, err := strconv.ParseUint(days, 10, 31)
	if err != nil {
		return bad("")
	}
	if n > uint64(math.MaxInt64/Day) {
		return bad(": it is too long")
	}
	d := time.Duration(n) * Day
	if rest != "" {
		if rest[0] == '-' || rest[0] == '+' {
			return bad("")
		}
		part, err := time.ParseDuration(rest)
		if err != nil {
			return bad("")
		}
		if part > math.MaxInt64-d {
			return bad(": it is too long")
		}
		d += part
	}
	if negative {
		d = -d
	}
	return d, nil
}

// FormatDuration writes d so that ParseDuration reads the same back: "30d",
// "1h30m", "0s".
func FormatDuration(d time.Duration) string {
	if d != 0 && d%Day == 0 {
		return strconv.FormatInt(int64(d/Day), 10) + "d"
	}
	s := d.String()
	if d%time.Minute == 0 && d != 0 {
		s = strings.TrimSuffix(s, "0s")
		if d%time.Hour == 0 {
			s = strings.TrimSuffix(s, "0m")
		}
	}
	return s
}

// sizeUnits are the units of ParseSize, in lower case.
var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "kib": 1 << 10, "kb": 1000,
	"m": 1 << 20, "mib": 1 << 20, "mb": 1000 * 1000,
	"g": 1 << 30, "gib": 1 << 30, "gb": 1000 * 1000 * 1000,
	"t": 1 << 40, "tib": 1 << 40, "tb": 1000 * 1000 * 1000 * 1000,
}

// ParseSize reads a number of bytes: "512MiB", "1.5 GiB", "64k" (binary units),
// "10MB" (decimal units) or "1048576". Negative sizes are refused.
func ParseSize(s string) (int64, error) {
	bad := func(why string) (int64, error) {
		return 0, fmt.Errorf("%q is no size%s; write it as 512MiB, 64KiB, 10MB or a number of bytes", s, why)
	}
	text := strings.ToLower(strings.TrimSpace(s))
	digits := strings.TrimRight(text, "bkmgti")
	unit, known := sizeUnits[text[len(digits):]]
	if !known {
		return bad("")
	}
	digits = strings.TrimSpace(digits)
	if n, err := strconv.ParseUint(digits, 10, 63); err == nil {
		if int64(n) > math.MaxInt64/unit {
			return bad(": it is too large")
		}
		return int64(n) * unit, nil
	}
	if strings.Trim(digits, "0123456789.") != "" {
		return bad("")
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return bad("")
	}
	bytes := f * float64(unit)
	if bytes >= math.MaxInt64 {
		return bad(": it is too large")
	}
	if bytes != math.Trunc(bytes) {
		return bad(": it is no whole number of bytes")
	}
	return int64(bytes), nil
}

// FormatSize writes n so that ParseSize reads the same back, in the largest
// binary unit that divides it.
func FormatSize(n int64) string {
	for _, u := range []struct {
		name string
		size int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n != 0 && n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// ParseTime reads an instant: RFC 3339 with a zone ("2026-09-01T08:00:00+02:00"),
// or a date, which is midnight UTC. The result is UTC.
func ParseTime(s string) (time.Time, error) {
	text := strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return time.Time{}, fmt.Errorf("%q has no time zone; write %s", s, t.Format(time.RFC3339))
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write it as 2026-09-01 or 2026-09-01T15:04:05Z", s)
}

// FormatTime writes t so that ParseTime reads the same back: a date where it is
// midnight UTC.
func FormatTime(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(Day)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}

// Time is an instant as a setting; the zero value is not set.
type Time struct{ time.Time }

// UnmarshalText is ParseTime; empty text is the zero value.
func (t *Time) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		t.Time = time.Time{}
		return nil
	}
	var err error
	t.Time, err = ParseTime(string(text))
	return err
}

// MarshalText is FormatTime; the zero value is empty.
func (t Time) MarshalText() ([]byte, error) {
	if t.IsZero() {
		return nil, nil
	}
	return []byte(FormatTime(t.Time)), nil
}
