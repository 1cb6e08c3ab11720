package twin

import "time"

// parseTime reads a time as the API may write it: RFC 3339 with Z or an offset,
// with or without a fraction; also with an offset without its colon (+0000),
// and without any zone, which is GMT as the reference says. It reports false
// for anything else, for days and hours that do not exist (a leap second among
// them), and for times that are not in the years 1 to 9999 of UTC.
//
// The time is UTC, cut to milliseconds; exact says whether nothing was cut.
func parseTime(s string) (t time.Time, exact, ok bool) {
	// 2026-09-01T10:00:00, then fraction, then zone.
	const layout = "0000-00-00T00:00:00"
	if len(s) < len(layout) {
		return time.Time{}, false, false
	}
	for i, want := range []byte(layout) {
		switch got := s[i]; {
		case want == '0' && isDigit(got), want == got, want == 'T' && got == 't':
		default:
			return time.Time{}, false, false
		}
	}
	year, month, day := number(s[0:4]), number(s[5:7]), number(s[8:10])
	hour, minute, second := number(s[11:13]), number(s[14:16]), number(s[17:19])
	millis, exact, rest, ok := parseFraction(s[len(layout):])
	if !ok {
		return time.Time{}, false, false
	}
	offset, ok := parseZone(rest)
	if !ok || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false, false
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, millis*int(time.Millisecond), time.UTC)
	if t.Day() != day {
		return time.Time{}, false, false // time.Date moves 30 February to March, and day 0 back
	}
	t = t.Add(-offset)
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false, false
	}
	return t, exact, true
}

// parseFraction reads ".123456" or nothing, and returns what follows it.
func parseFraction(s string) (millis int, exact bool, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, true, s, true
	}
	exact = true
	n := 1
	for weight := 100; n < len(s) && isDigit(s[n]); n, weight = n+1, weight/10 {
		digit := int(s[n] - '0')
		millis += digit * weight
		if weight == 0 && digit != 0 {
			exact = false
		}
	}
	return millis, exact, s[n:], n > 1
}

// parseZone reads "Z", "+02:00", "+0200" or nothing.
func parseZone(s string) (offset time.Duration, ok bool) {
	switch {
	case s == "" || s == "Z" || s == "z":
		return 0, true
	case len(s) == len("+00:00") && s[3] == ':':
		s = s[:3] + s[4:]
	}
	if len(s) != len("+0000") || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	for i := 1; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	hours, minutes := number(s[1:3]), number(s[3:5])
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// number is the value of digits that have been checked.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
