package source

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := at("2026-09-01T10:00:00Z")
	for _, test := range []struct {
		value, date string
		want        time.Duration
		ok          bool
	}{
		{"", "", 0, false},
		{"0", "", 0, true},
		{"120", "", 2 * time.Minute, true},
		{" 7 ", "", 7 * time.Second, true},
		{"007", "", 7 * time.Second, true},
		{"99999999999999999999", "", maxRetryAfter, true},
		{"9999999999", "", maxRetryAfter, true},
		{"-1", "", 0, false},
		{"1.5", "", 0, false},
		{"+5", "", 0, false},
		{"soon", "", 0, false},
		{"٣", "", 0, false},
		{"Tue, 01 Sep 2026 10:00:30 GMT", "", 30 * time.Second, true},
		{"Tuesday, 01-Sep-26 10:00:30 GMT", "", 30 * time.Second, true},
		{"Tue Sep  1 10:00:30 2026", "", 30 * time.Second, true},
		{"Tue, 01 Sep 2026 09:00:00 GMT", "", 0, true},
		{"Fri, 31 Dec 9999 23:59:59 GMT", "", maxRetryAfter, true},
		{"Tue, 01 Sep 2026 10:00:30 GMT", "Tue, 01 Sep 2026 10:00:20 GMT", 10 * time.Second, true},
		{"Tue, 01 Sep 2026 10:00:30 GMT", "nonsense", 30 * time.Second, true},
	} {
		h := http.Header{}
		h.Set("Retry-After", test.value)
		h.Set("Date", test.date)
		if got, ok := retryAfter(h, now); got != test.want || ok != test.ok {
			t.Errorf("%q by %q: %s, %v, want %s, %v", test.value, test.date, got, ok, test.want, test.ok)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{"", "0", "120", "-1", "1e9", "99999999999999999999", "Tue, 01 Sep 2026 10:00:30 GMT", "Tue Sep  1 10:00:30 2026", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		f.Add(value, "")
		f.Add(value, "Mon, 01 Jan 0001 00:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		wait, ok := retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}, at("2026-09-01T10:00:00Z"))
		if wait < 0 || wait > maxRetryAfter || !ok && wait != 0 {
			t.Errorf("%s, %v", wait, ok)
		}
	})
}
