package schedule_test

import (
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/schedule"
)

// A seller of 400 leads a day has 5,000 calls, of which 1,000 are kept for what
// fails and for history. An answer of some 1,600 leads is a good one, so windows
// are four days wide, and the lookback of 30 days takes 8 of them: at each poll
// of the day that would be 1,440 × 8 = 11,520 calls.
//
// One window at each poll are 1,440 calls. The 7 windows that it takes more to
// read all 30 days, every 5 minutes, are 288 × 7 = 2,016. Together: 3,456.
func ExampleBands() {
	const leadsADay, leadsAnAnswer = 400, 1600
	window := 24 * time.Hour * leadsAnAnswer / leadsADay
	plan := schedule.Bands(schedule.Demand{
		Interval: time.Minute,
		Lookback: 30 * 24 * time.Hour,
		Calls:    5000 - 1000,
		Windows:  func(from, to time.Duration) int { return int((to - from + window - 1) / window) },
	})
	for _, line := range plan.Lines() {
		fmt.Println(line)
	}
	// Output:
	// leads up to 1d old: at every poll (1m)
	// leads up to 30d old: every 5m
	// some 3456 of 4000 calls a day; a change is seen after at most 5m
}
