package schedule

import (
	"fmt"
	"strings"
	"time"
)

// Lines says in words what the plan is: a line for each band, and the sum.
func (p Plan) Lines() []string {
	if len(p.Bands) == 0 {
		return nil
	}
	var lines []string
	if p.Bands[0].Every > p.Interval {
		lines = append(lines, fmt.Sprintf("new leads: at every poll (%s)", words(p.Interval)))
	}
	for _, b := range p.Bands {
		every := "every " + words(b.Every)
		if b.Every == p.Interval {
			every = fmt.Sprintf("at every poll (%s)", words(p.Interval))
		}
		lines = append(lines, fmt.Sprintf("leads up to %s old: %s", words(b.Age), every))
	}
	if p.Stretched {
		lines = append(lines, "polls are fewer than asked for: there are not enough calls")
	}
	sum := fmt.Sprintf("some %d of %d calls a day; a change is seen after at most %s", p.CallsPerDay, p.Budget, words(p.Bands[len(p.Bands)-1].Every))
	if p.CallsPerDay > p.Budget {
		sum = fmt.Sprintf("some %d calls a day are needed and there are %d: polls will wait for calls, and changes be seen late", p.CallsPerDay, p.Budget)
	}
	return append(lines, sum)
}

// String is Lines in one.
func (p Plan) String() string { return strings.Join(p.Lines(), "; ") }

// words is a duration without units that are zero, and with days: "1h30m", "30d".
func words(d time.Duration) string {
	var text strings.Builder
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if n := d / unit.length; n > 0 {
			fmt.Fprintf(&text, "%d%s", n, unit.name)
			d %= unit.length
		}
	}
	if d > 0 || text.Len() == 0 {
		fmt.Fprintf(&text, "%gs", d.Seconds())
	}
	return text.String()
}
