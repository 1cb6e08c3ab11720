package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/schedule"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

var epoch = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

func at(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }

// drawWindow draws a window within so many seconds, which may be empty.
func drawWindow(t *rapid.T, limit int, label string) window.Window {
	from := rapid.IntRange(0, limit).Draw(t, label+" from")
	return window.New(at(from), at(rapid.IntRange(from, limit).Draw(t, label+" to")))
}

// Readings are held against the last reading of each second.
func TestReadingsAgainstSeconds(t *testing.T) {
	const limit = 40
	rapid.Check(t, func(t *rapid.T) {
		var r schedule.Readings
		var seconds [limit]time.Time
		for range rapid.IntRange(0, 15).Draw(t, "steps") {
			if rapid.IntRange(0, 9).Draw(t, "forget") == 0 {
				before := rapid.IntRange(0, limit).Draw(t, "before")
				r.Forget(at(before))
				clear(seconds[:before])
				continue
			}
			w, read := drawWindow(t, limit, "read"), at(1000+rapid.IntRange(0, 5).Draw(t, "at"))
			r.Add(w, read)
			for s := range limit {
				if w.Contains(at(s)) && read.After(seconds[s]) {
					seconds[s] = read
				}
			}
		}
		ask := drawWindow(t, limit, "ask")
		var want time.Time
		whole := !ask.Empty()
		for s := range limit {
			if ask.Contains(at(s)) {
				whole = whole && !seconds[s].IsZero()
				if want.IsZero() || seconds[s].Before(want) {
					want = seconds[s]
				}
			}
		}
		if !whole {
			want = time.Time{}
		}
		if got, ok := r.Oldest(ask); ok != whole || !got.Equal(want) {
			t.Fatalf("Oldest(%s) = %s, %v; want %s, %v", ask, got, ok, want, whole)
		}
		for s := range limit {
			got, ok := r.Oldest(window.New(at(s), at(s+1)))
			if ok == seconds[s].IsZero() || !got.Equal(seconds[s]) {
				t.Fatalf("second %d was read at %s, %v; want %s", s, got, ok, seconds[s])
			}
		}
	})
}

func TestDueBeginsWithTheFirstMomentThatIsDue(t *testing.T) {
	const limit = 40
	plan := schedule.Plan{Interval: 2 * time.Second, Bands: []schedule.Band{
		{Age: 10 * time.Second, Every: 2 * time.Second}, {Age: 30 * time.Second, Every: 6 * time.Second},
	}}
	rapid.Check(t, func(t *rapid.T) {
		var r schedule.Readings
		var seconds [limit]time.Time
		now, newest := at(1010), at(limit)
		for range rapid.IntRange(0, 10).Draw(t, "readings") {
			w, read := drawWindow(t, limit, "read"), at(1000+rapid.IntRange(0, 10).Draw(t, "at"))
			r.Add(w, read)
			for s := range limit {
				if w.Contains(at(s)) && read.After(seconds[s]) {
					seconds[s] = read
				}
			}
		}
		from := limit
		for s := limit - 1; s >= 0; s-- {
			age, every := limit-s, 6
			if age <= 10 {
				every = 2
			}
			if age <= 30 && now.Sub(seconds[s]) >= time.Duration(every)*time.Second-plan.Interval/2 {
				from = s
			}
		}
		want := window.New(at(from), newest)
		if got := plan.Due(&r, now, newest); got != want && !(got.Empty() && want.Empty()) {
			t.Fatalf("due is %s, want %s", got, want)
		}
	})
	if got := (schedule.Plan{}).Due(new(schedule.Readings), at(0), at(0)); !got.Empty() {
		t.Errorf("the plan of nothing reads %s", got)
	}
}
