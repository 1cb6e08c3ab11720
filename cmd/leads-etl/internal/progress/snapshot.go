package progress

import (
	"math"
	"time"
)

// Snapshot is how far the work is at one moment.
type Snapshot struct {
	// Done of Total is behind, in any unit; Total is 0 while the end is unknown.
	Done, Total float64
	// Leads, Pages, Retries and Gaps so far.
	Leads, Pages, Retries, Gaps int64
	// Phase says what is being done, in one word or a few.
	Phase string
	// Facts are shown in the place of the numbers, if there are any: work that goes
	// on for good has others. The most important come first.
	Facts []string
}

// fraction is the part that is done, from 0 to 1; -1 if the end is unknown.
func (s Snapshot) fraction() float64 {
	if s.Total <= 0 {
		return -1
	}
	return min(1, max(0, s.Done/s.Total))
}

// memory is how far back the rates look: what is older than three times that
// hardly counts.
const memory = 10 * time.Second

// meter turns snapshots into rates that follow changes without jumping.
type meter struct {
	last    time.Time
	from    Snapshot
	leads   average
	advance average
}

// average is an exponentially weighted mean of a rate per second, free of the
// bias towards zero that a mean has that starts there.
type average struct{ value, weight float64 }

func (a *average) add(rate float64, elapsed time.Duration) {
	keep := math.Exp(-elapsed.Seconds() / memory.Seconds())
	a.value = keep*a.value + (1-keep)*rate
	a.weight = keep*a.weight + (1 - keep)
}

func (a *average) rate() float64 {
	if a.weight == 0 {
		return 0
	}
	return a.value / a.weight
}

// observe takes a snapshot in.
func (m *meter) observe(now time.Time, s Snapshot) {
	if !m.last.IsZero() {
		elapsed := now.Sub(m.last)
		if elapsed <= 0 {
			return
		}
		m.leads.add(float64(s.Leads-m.from.Leads)/elapsed.Seconds(), elapsed)
		m.advance.add((s.Done-m.from.Done)/elapsed.Seconds(), elapsed)
	}
	m.last, m.from = now, s
}

// left is how long the rest will take at the present rate; ok is false while
// that cannot be told.
func (m *meter) left() (d time.Duration, ok bool) {
	rate, rest := m.advance.rate(), m.from.Total-m.from.Done
	if rate <= 0 || m.from.Total <= 0 || rest < 0 {
		return 0, false
	}
	seconds := rest / rate
	if seconds > (100 * time.Hour).Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second), true
}
