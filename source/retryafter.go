package source

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what a Retry-After can ask for; it is longer than any
// quota's period.
const maxRetryAfter = 31 * 24 * time.Hour

// retryAfter returns how long an answer asks us to wait, in either form of RFC
// 9110, 10.2.3: seconds, or a date, which counts from the answer's own Date, or
// from now if it has none. It reports false if there is no such header or it is
// neither. The result is from 0 to maxRetryAfter.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, until.Sub(now)), maxRetryAfter), true
}
