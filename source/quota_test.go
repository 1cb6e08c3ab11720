package source

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
)

func TestPacificDays(t *testing.T) {
	for _, test := range []struct {
		name, now, day, next string
	}{
		{"winter", "2026-01-15T12:00:00Z", "2026-01-15", "2026-01-16T08:00:00Z"},
		{"winter, before midnight", "2026-01-16T07:59:59Z", "2026-01-15", "2026-01-16T08:00:00Z"},
		{"winter, midnight", "2026-01-16T08:00:00Z", "2026-01-16", "2026-01-17T08:00:00Z"},
		{"summer", "2026-07-15T06:59:59Z", "2026-07-14", "2026-07-15T07:00:00Z"},
		{"the day of 23 hours begins", "2026-03-08T08:00:00Z", "2026-03-08", "2026-03-09T07:00:00Z"},
		{"the day of 23 hours ends", "2026-03-09T06:59:59Z", "2026-03-08", "2026-03-09T07:00:00Z"},
		{"the day of 25 hours begins", "2026-11-01T07:00:00Z", "2026-11-01", "2026-11-02T08:00:00Z"},
		{"the day of 25 hours ends", "2026-11-02T07:59:59Z", "2026-11-01", "2026-11-02T08:00:00Z"},
		{"the year ends", "2027-01-01T07:59:59Z", "2026-12-31", "2027-01-01T08:00:00Z"},
	} {
		if day := pacificDay(at(test.now)); day != test.day {
			t.Errorf("%s: day %s, want %s", test.name, day, test.day)
		}
		if next := nextPacificDay(at(test.now)); !next.Equal(at(test.next)) || next.Location() != time.UTC {
			t.Errorf("%s: next day begins %s, want %s", test.name, next, test.next)
		}
	}
}

// quotaAt is a quota with a clock that the test sets.
func quotaAt(dir string, limits Limits, now *time.Time) *quota {
	return newQuota(limits, newStateFile(dir, quotaFileName), func() time.Time { return *now }, slog.New(slog.DiscardHandler))
}

func TestBudgetOfADay(t *testing.T) {
	now := at("2026-11-01T07:00:00Z") // a day of 25 hours
	limits := Limits{DailyQuota: 12, QuotaReserve: 2}
	q := quotaAt(t.TempDir(), limits, &now)
	take := func(want int) {
		t.Helper()
		for n := range want {
			if err := q.call(); err != nil {
				t.Fatalf("call %d: %v", n+1, err)
			}
		}
		err := q.call()
		spent, ok := errors.AsType[*fetch.QuotaError](err)
		if !ok || !spent.Until.Equal(nextPacificDay(now)) {
			t.Fatalf("got %v", err)
		}
	}
	take(10)
	now = now.Add(25*time.Hour - time.Second)
	take(0)
	if used, limit, reset := q.state(); used != 10 || limit != 10 || !reset.Equal(at("2026-11-02T08:00:00Z")) {
		t.Errorf("state %d of %d until %s", used, limit, reset)
	}
	now = now.Add(time.Second)
	take(10)
	now = now.Add(-time.Hour) // the clock is put back over midnight
	take(0)
}

func TestCountSurvivesACrash(t *testing.T) {
	dir := t.TempDir()
	now := at("2026-06-01T12:00:00Z")
	limits := Limits{DailyQuota: 100}
	made := 0
	for run := range 10 {
		q := quotaAt(dir, limits, &now) // the one before was killed
		for range 3 + run%4 {
			if err := q.call(); err != nil {
				t.Fatal(err)
			}
			made++
		}
		used, _, _, err := Usage(dir, limits, now)
		if err != nil || used < made || used > made+(run+1)*(quotaStep-1) {
			t.Fatalf("run %d: the file says %d, there were %d; error %v", run, used, made, err)
		}
	}
}

func TestCountIsExactAfterTheEnd(t *testing.T) {
	dir := t.TempDir()
	now := at("2026-06-01T12:00:00Z")
	limits := Limits{DailyQuota: 7}
	for want := 1; want <= 7; want++ {
		q := quotaAt(dir, limits, &now)
		if err := q.call(); err != nil {
			t.Fatalf("call %d: %v", want, err)
		}
		q.flush()
		if used, limit, reset, err := Usage(dir, limits, now); used != want || limit != 7 || !reset.Equal(nextPacificDay(now)) || err != nil {
			t.Fatalf("used %d of %d, want %d; error %v", used, limit, want, err)
		}
	}
	if err := quotaAt(dir, limits, &now).call(); err == nil {
		t.Error("the eighth of seven calls was allowed")
	}
	info, err := os.Stat(filepath.Join(dir, quotaFileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if used, _, _, err := Usage(dir, limits, now.Add(24*time.Hour)); used != 0 || err != nil {
		t.Errorf("the next day begins with %d calls, error %v", used, err)
	}
}

func TestOddCounts(t *testing.T) {
	now := at("2026-06-01T12:00:00Z")
	for name, content := range map[string]string{
		"damaged":         `{"day":`,
		"negative":        `{"day":"2026-06-01","calls":-5,"tokens":-5}`,
		"of the far away": `{"day":"2999-01-01","calls":100}`,
		"of another form": `{"day":"zzz","calls":100}`,
		"of yesterday":    `{"day":"2026-05-31","calls":100}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, quotaFileName), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			q := quotaAt(dir, Limits{DailyQuota: 1}, &now)
			if err := q.call(); err != nil {
				t.Error(err)
			}
			if used, _, _ := q.state(); used != 1 {
				t.Errorf("used %d", used)
			}
		})
	}
	if _, _, _, err := Usage(t.TempDir(), Limits{DailyQuota: 1}, now); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, quotaFileName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := Usage(dir, Limits{DailyQuota: 1}, now); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
}

func TestTokensOfADay(t *testing.T) {
	now := at("2026-06-01T12:00:00Z")
	dir := t.TempDir()
	for n := range tokensPerDay {
		// Each by another process: none flushes what it counted.
		if err := quotaAt(dir, Limits{DailyQuota: 1}, &now).token(); err != nil {
			t.Fatalf("token %d: %v", n+1, err)
		}
	}
	err := quotaAt(dir, Limits{DailyQuota: 1}, &now).token()
	if spent, ok := errors.AsType[*fetch.QuotaError](err); !ok || !spent.Until.Equal(at("2026-06-02T07:00:00Z")) {
		t.Errorf("got %v", err)
	}
}

func TestSpentQuotaEndsFetching(t *testing.T) {
	dir := t.TempDir()
	a := &api{leads: takes(always)}
	few := func(s *setup) { s.limits.DailyQuota, s.limits.QuotaReserve = 5, 2 }
	c := a.start(t, inDir(dir), few)
	for range 2 {
		if _, err := c.Fetch(t.Context(), day, all); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	c = a.client(t, inDir(dir), few)
	if _, err := c.Fetch(t.Context(), day, all); err != nil {
		t.Fatal(err)
	}
	_, err := c.Fetch(t.Context(), day, all)
	if _, ok := errors.AsType[*fetch.QuotaError](err); !ok || !errors.Is(err, errBudget) || a.calls.Load() != 3 {
		t.Errorf("got %T: %v after %d calls", err, err, a.calls.Load())
	}
	if used, limit, _ := c.Quota(); used != 3 || limit != 3 {
		t.Errorf("%d of %d used", used, limit)
	}
}
