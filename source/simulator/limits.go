package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
	_ "time/tzdata" // the day of the quotas is Pacific time, whatever the machine has
)

// usualQuota is what the analytics API tells where none is enforced.
const usualQuota = 5000

// pacific is read when it is needed: the simulator is a part of a program that does
// other things.
var pacific = sync.OnceValue(func() *time.Location {
	l, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic(err) // it is built in
	}
	return l
})

// quotaDay is the beginning of the day that a call counts for: midnight Pacific
// time.
func quotaDay(now time.Time) time.Time {
	year, month, day := now.In(pacific()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, pacific())
}

// limits count the calls of the day, and remember what a 429 asked for.
type limits struct {
	mu    sync.Mutex
	day   time.Time
	calls int

	// A 429 was answered at refused, no call is allowed before until, and the
	// requests refused themselves not before the time in early. These are times
	// of the real clock: a client waits by its own, whatever ours says.
	refused, until time.Time
	early          map[string]time.Time
}

// call counts a call. It reports false if the day's are used up.
func (l *limits) call(now time.Time, quota int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if day := quotaDay(now); !day.Equal(l.day) {
		l.day, l.calls = day, 0
	}
	if quota > 0 && l.calls >= quota {
		return false
	}
	l.calls++
	return true
}

func (l *limits) today(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !quotaDay(now).Equal(l.day) {
		return 0
	}
	return l.calls
}

// retryAfter notes a 429 that allows calls again at the given time.
func (l *limits) retryAfter(request string, now, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.until) {
		l.refused, l.until = now, until
	}
	l.early[request] = until
}

// tooEarly says whether a call comes before a Retry-After is over: forbidden if
// the client must have known, early if it may not.
func (l *limits) tooEarly(request string, now time.Time) (early, forbidden bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until, ok := l.early[request]; ok {
		delete(l.early, request)
		if now.Before(until) {
			return true, true
		}
	}
	if now.Before(l.until) {
		return true, now.Sub(l.refused) > grace
	}
	return false, false
}

// forget lets what was told before be no reproach.
func (l *limits) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.early)
	l.until = time.Time{}
}

// analyticsEndpoint answers with the limits of the day, as the Developer
// Analytics API does.
func (s *Server) analyticsEndpoint(w http.ResponseWriter, r *http.Request) {
	s.books.request(r.Method + " /rate_limit")
	if s.outage(w) {
		return
	}
	if r.Method != http.MethodGet {
		s.books.forbid(r.Method+" "+r.URL.Path, "only GET is allowed")
		writeErrors(w, r, errNotFound)
		return
	}
	t, refusal, violations := s.authorize(r, false)
	s.books.forbid("GET "+r.URL.Path, violations...)
	if refusal != nil {
		s.unauthorized(t, r)
		s.books.outcome(fmt.Sprintf("rate_limit %d", refusal.ErrorID))
		writeErrors(w, r, *refusal)
		return
	}
	q := r.URL.Query()
	if c := q.Get("api_context"); c != "" && c != "sell" {
		s.books.outcome("rate_limit none")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	now := s.Now()
	limit := s.cfg.DailyQuota
	if limit == 0 {
		limit = usualQuota
	}
	used := s.limits.today(now)
	reset := quotaDay(now).AddDate(0, 0, 1)
	s.books.outcome("rate_limit ok")
	body, err := json.Marshal(map[string]any{
		"rateLimits": []any{map[string]any{
			"apiContext": "sell", "apiName": "leads", "apiVersion": "v1",
			"resources": []any{map[string]any{
				"name": "sell.leads",
				"rates": []any{map[string]any{
					"count": used, "limit": limit, "remaining": max(0, limit-used),
					"reset": reset.UTC().Format("2006-01-02T15:04:05.000Z"), "timeWindow": 86400,
				}},
			}},
		}},
	})
	if err != nil {
		panic(err) // strings and numbers only
	}
	writeJSON(w, r, http.StatusOK, body)
}
