package source

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
)

// quotaFileName is the file in the state folder that remembers the day's calls.
const quotaFileName = "quota.json"

// tokensPerDay is how many tokens eBay gives an application a day (OAuth rate
// limits). They are counted so that no fault of ours can lock the user out.
const tokensPerDay = 1000

// quotaStep is how many calls are written down ahead of being made. A crash
// thus loses none from the count; it counts at most quotaStep-1 too many.
const quotaStep = 5

// usage is the content of the quota's file.
type usage struct {
	// Day is the Pacific day, YYYY-MM-DD.
	Day string `json:"day"`
	// Calls and Tokens are upper bounds of what was asked for on that day.
	Calls  int `json:"calls"`
	Tokens int `json:"tokens"`
}

// rollOver makes u the usage of now's day. A clock that was put back over
// midnight does not give the day's calls again.
func (u *usage) rollOver(now time.Time) {
	if today := pacificDay(now); u.Day < today || u.Day > pacificDay(now.Add(48*time.Hour)) {
		*u = usage{Day: today}
	}
}

// quota counts the calls and tokens of eBay's day, over restarts, and refuses
// those beyond the budget. It is safe for concurrent use.
type quota struct {
	budget int // calls a day
	now    func() time.Time
	file   stateFile
	logger *slog.Logger

	mu      sync.Mutex
	used    usage
	written usage // what the file says
	warned  bool  // that it cannot be written
}

// newQuota goes on with what the file says of today.
func newQuota(limits Limits, file stateFile, now func() time.Time, logger *slog.Logger) *quota {
	q := &quota{budget: limits.DailyQuota - limits.QuotaReserve, now: now, file: file, logger: logger}
	if _, err := file.load(&q.used); err != nil {
		logger.Warn("the count of today's calls is lost; counting from zero", "error", err)
		q.used = usage{}
	}
	q.used.Calls, q.used.Tokens = max(0, q.used.Calls), max(0, q.used.Tokens)
	q.written = q.used
	return q
}

var errBudget = errors.New("the day's budget of calls is spent")

// call takes one call from the day's budget, or returns a *fetch.QuotaError.
func (q *quota) call() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.used.rollOver(now)
	if q.used.Calls >= q.budget {
		return &fetch.QuotaError{Until: nextPacificDay(now), Err: fmt.Errorf("%w: %d (daily-quota less quota-reserve)", errBudget, q.budget)}
	}
	q.used.Calls++
	if q.used.Day != q.written.Day || q.used.Calls > q.written.Calls {
		q.write(quotaStep - 1)
	}
	return nil
}

// token takes one of the day's tokens, or returns a *fetch.QuotaError.
func (q *quota) token() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.used.rollOver(now)
	if q.used.Tokens >= tokensPerDay {
		return &fetch.QuotaError{Until: nextPacificDay(now), Err: fmt.Errorf("all %d tokens that eBay gives a day have been asked for", tokensPerDay)}
	}
	q.used.Tokens++
	q.write(quotaStep - 1)
	return nil
}

// state returns the calls of today, the budget, and when the next day begins.
func (q *quota) state() (used, limit int, reset time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.used.rollOver(now)
	return q.used.Calls, q.budget, nextPacificDay(now)
}

// flush writes the exact count.
func (q *quota) flush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.used != q.written {
		q.write(0)
	}
}

// write writes the count down with so many calls ahead. A count that cannot be
// kept is no reason to stop: eBay counts too. The caller holds mu.
func (q *quota) write(ahead int) {
	q.written = q.used
	q.written.Calls = min(q.used.Calls+ahead, max(q.budget, q.used.Calls))
	if err := q.file.save(q.written); err != nil && !q.warned {
		q.warned = true
		q.logger.Warn("today's calls cannot be written down; the next run counts from what it finds", "error", err)
	}
}

// Usage reads from the state folder how many calls were made today, without
// a Client; at most a handful too many while one is at work. limit and reset
// are as Client.Quota has them. A folder without a count means none.
func Usage(stateDir string, limits Limits, now time.Time) (used, limit int, reset time.Time, err error) {
	var u usage
	if _, err := newStateFile(stateDir, quotaFileName).load(&u); err != nil {
		return 0, 0, time.Time{}, fmt.Errorf("reading today's calls: %w", err)
	}
	u.rollOver(now)
	return u.Calls, limits.DailyQuota - limits.QuotaReserve, nextPacificDay(now), nil
}
