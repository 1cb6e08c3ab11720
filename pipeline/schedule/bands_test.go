package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/schedule"
)

const day = 24 * time.Hour

// windowsOf is how many calls it takes if windows are of one size, for so many
// queries.
func windowsOf(size time.Duration, queries int) func(from, to time.Duration) int {
	return func(from, to time.Duration) int {
		return max(1, queries*int((to-from+size-1)/size))
	}
}

func drawDemand(t *rapid.T) schedule.Demand {
	seconds := func(low, high int, label string) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, label)) * time.Second
	}
	return schedule.Demand{
		Interval: rapid.OneOf(rapid.Just(time.Minute), rapid.Just(time.Second), rapid.Custom(func(t *rapid.T) time.Duration { return seconds(1, 86400, "interval") })).Draw(t, "some interval"),
		Lookback: rapid.OneOf(rapid.Just(30*day), rapid.Custom(func(t *rapid.T) time.Duration { return seconds(1, 2*366*86400, "lookback") })).Draw(t, "some lookback"),
		Calls:    rapid.OneOf(rapid.IntRange(0, 200), rapid.IntRange(0, 20_000), rapid.IntRange(0, 3_000_000)).Draw(t, "calls"),
		Windows:  windowsOf(seconds(30, 40*86400, "size"), rapid.IntRange(1, 20).Draw(t, "queries")),
	}
}

// everyAt is the period of leads of an age.
func everyAt(t *rapid.T, p schedule.Plan, age time.Duration) time.Duration {
	for _, b := range p.Bands {
		if age <= b.Age {
			return b.Every
		}
	}
	t.Fatalf("no band for leads %s old: %v", age, p.Bands)
	return 0
}

func TestAPlanIsWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDemand(t)
		p := schedule.Bands(d)
		if p.Interval < d.Interval || p.Stretched != (p.Interval > d.Interval) {
			t.Fatalf("interval %s, asked for %s, stretched %v", p.Interval, d.Interval, p.Stretched)
		}
		age, every := time.Duration(0), p.Interval
		for i, b := range p.Bands {
			if b.Age <= age {
				t.Fatalf("band %d ends at %s, after %s", i, b.Age, age)
			}
			if b.Every%every != 0 || i > 0 && b.Every == every {
				t.Fatalf("band %d is read every %s, after %s", i, b.Every, every)
			}
			age, every = b.Age, b.Every
		}
		if age != d.Lookback {
			t.Fatalf("the bands end at %s, not at %s: %v", age, d.Lookback, p.Bands)
		}
		if p.Budget != d.Calls {
			t.Fatalf("budget %d, not %d", p.Budget, d.Calls)
		}
	})
}

// A plan is above the budget only where no plan is below: nothing is left that
// could be read less often.
func TestAPlanKeepsTheBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDemand(t)
		p := schedule.Bands(d)
		if p.CallsPerDay <= d.Calls {
			return
		}
		d.Calls = 0
		if least := schedule.Bands(d); least.CallsPerDay != p.CallsPerDay {
			t.Fatalf("%v, though there is %v", p, least)
		}
		if p.Interval < 8*time.Hour {
			t.Fatalf("polls could be fewer: %v", p)
		}
	})
}

func TestMoreCallsNeverMakeAPeriodLonger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDemand(t)
		few := schedule.Bands(d)
		d.Calls += rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 10_000)).Draw(t, "more")
		many := schedule.Bands(d)
		if many.Interval > few.Interval {
			t.Fatalf("with more calls, polls are every %s, not every %s", many.Interval, few.Interval)
		}
		for _, p := range []schedule.Plan{few, many} {
			for _, b := range p.Bands {
				if many, few := everyAt(t, many, b.Age), everyAt(t, few, b.Age); many > few {
					t.Fatalf("with more calls, leads %s old are read every %s, not every %s", b.Age, many, few)
				}
			}
		}
	})
}

// A plan is the best of its budget's in the order that it goes by: with no more
// calls than it takes, it is the same.
func TestAPlanTakesNoMoreThanItsCalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDemand(t)
		p := schedule.Bands(d)
		d.Calls = min(d.Calls, p.CallsPerDay)
		again := schedule.Bands(d)
		if again.Interval != p.Interval || again.CallsPerDay != p.CallsPerDay || len(again.Bands) != len(p.Bands) {
			t.Fatalf("%v with %d calls, %v with %d", p, p.Budget, again, again.Budget)
		}
	})
}

func TestAmpleCallsReadEverythingAtEachPoll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawDemand(t)
		d.Calls = int(day/d.Interval+1) * d.Windows(0, max(d.Lookback, d.Interval))
		p := schedule.Bands(d)
		if len(p.Bands) != 1 || p.Bands[0] != (schedule.Band{Age: d.Lookback, Every: d.Interval}) || p.Stretched {
			t.Fatalf("with %d calls: %v", d.Calls, p)
		}
	})
}

func TestPlansInWords(t *testing.T) {
	for name, c := range map[string]struct {
		demand schedule.Demand
		want   string
	}{
		"one window holds the lookback": {
			schedule.Demand{Interval: time.Minute, Lookback: 30 * day, Calls: 4000, Windows: windowsOf(32*day, 1)},
			"leads up to 30d old: at every poll (1m); some 1440 of 4000 calls a day; a change is seen after at most 1m",
		},
		"many leads": {
			schedule.Demand{Interval: time.Minute, Lookback: 30 * day, Calls: 4000, Windows: windowsOf(6*time.Hour, 1)},
			"leads up to 6h old: at every poll (1m); leads up to 1d old: every 5m; leads up to 7d old: every 30m; leads up to 30d old: every 6h; " +
				"some 3824 of 4000 calls a day; a change is seen after at most 6h",
		},
		"a second query takes the calls that bands could have": {
			schedule.Demand{Interval: time.Minute, Lookback: 30 * day, Calls: 4000, Windows: windowsOf(4*day, 2)},
			"leads up to 1d old: at every poll (1m); leads up to 7d old: every 15m; leads up to 30d old: every 30m; " +
				"some 3648 of 4000 calls a day; a change is seen after at most 30m",
		},
		"polls are fewer": {
			schedule.Demand{Interval: time.Second, Lookback: 30 * day, Calls: 4000, Windows: windowsOf(4*day, 1)},
			"leads up to 1d old: at every poll (30s); leads up to 7d old: every 5m; leads up to 30d old: every 30m; polls are fewer than asked for: there are not enough calls; " +
				"some 3456 of 4000 calls a day; a change is seen after at most 30m",
		},
		"polls are a little fewer": {
			schedule.Demand{Interval: time.Minute, Lookback: 30 * day, Calls: 1500, Windows: windowsOf(time.Hour, 1)},
			"new leads: at every poll (1m15s); leads up to 1h old: every 30m; leads up to 6h old: every 6h; leads up to 1d old: every 12h; " +
				"leads up to 7d old: every 4d; leads up to 30d old: every 16d; polls are fewer than asked for: there are not enough calls; " +
				"some 1279 of 1500 calls a day; a change is seen after at most 16d",
		},
		"ten queries": {
			schedule.Demand{Interval: time.Minute, Lookback: 30 * day, Calls: 4000, Windows: windowsOf(4*day, 10)},
			"leads up to 1d old: at every poll (5m); leads up to 7d old: every 1h; leads up to 30d old: every 6h; polls are fewer than asked for: there are not enough calls; " +
				"some 3360 of 4000 calls a day; a change is seen after at most 6h",
		},
		"too many leads for any plan": {
			schedule.Demand{Interval: time.Minute, Lookback: 30 * day, Calls: 50, Windows: windowsOf(time.Hour, 1)},
			"leads up to 1d old: at every poll (1d); leads up to 7d old: every 4d; leads up to 30d old: every 16d; polls are fewer than asked for: there are not enough calls; " +
				"some 95 calls a day are needed and there are 50: polls will wait for calls, and changes be seen late",
		},
		"nothing to read again": {
			schedule.Demand{Interval: 90 * time.Second, Lookback: time.Second, Calls: 4000, Windows: windowsOf(time.Hour, 1)},
			"leads up to 1s old: at every poll (1m30s); some 960 of 4000 calls a day; a change is seen after at most 1m30s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := schedule.Bands(c.demand).String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	if got := (schedule.Plan{}).String(); got != "" {
		t.Errorf("the plan of nothing is %q", got)
	}
}
