package schedule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/schedule"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// In a week of polls that come a little early or late, each band is read in
// time, with no more calls than the plan says.
func TestAWeekOfPolls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := time.Duration(rapid.IntRange(1, 90).Draw(t, "interval")) * time.Minute
		size := time.Duration(rapid.IntRange(30, 10*24*60).Draw(t, "size")) * time.Minute
		d := schedule.Demand{
			Interval: interval,
			Lookback: time.Duration(rapid.IntRange(1, 60*24).Draw(t, "lookback")) * time.Hour,
			Calls:    rapid.IntRange(100, 20_000).Draw(t, "calls"),
			Windows:  windowsOf(size, 1),
		}
		p := schedule.Bands(d)
		const settle = 2 * time.Minute
		var r schedule.Readings
		start := epoch.Add(settle)
		r.Add(window.New(epoch.Add(-d.Lookback), epoch), start)
		late := p.Interval / 5
		jitter := rapid.Int64Range(-int64(late), int64(late))
		calls, polls := 0, 0
		for now := start.Add(p.Interval); now.Before(start.Add(7 * day)); now = now.Add(p.Interval) {
			polls++
			actual := now
			// Jitter at one poll in some is as hard as at each, and quicker to draw.
			if polls%7 == 0 {
				actual = now.Add(time.Duration(jitter.Draw(t, "jitter")))
			}
			newest := actual.Add(-settle).Truncate(time.Second)
			due := p.Due(&r, actual, newest)
			if due.Empty() || !due.To.Equal(newest) {
				t.Fatalf("at %s, %s is due", actual, due)
			}
			calls += d.Windows(0, due.Length())
			r.Add(due, actual)
			younger := newest
			for _, b := range p.Bands {
				band := window.New(newest.Add(-b.Age), younger)
				younger = band.From
				last, ok := r.Oldest(band)
				if !band.Empty() && (!ok || actual.Sub(last) >= b.Every) {
					t.Fatalf("at %s, leads up to %s old (every %s) were last read at %s, %v", actual, b.Age, b.Every, last, ok)
				}
			}
			r.Forget(newest.Add(-d.Lookback))
		}
		// What is read at a poll is a whole number of readings: the last may have begun a new round.
		if most := 7*p.CallsPerDay + d.Windows(0, d.Lookback+p.Interval) + 7; calls > most {
			t.Fatalf("%d calls in %d polls, planned were %d: %v", calls, polls, 7*p.CallsPerDay, p)
		}
	})
}
