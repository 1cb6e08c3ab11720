package schedule

import (
	"math"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

const day = 24 * time.Hour

// Band is a range of ages that is read again with one period.
type Band struct {
	// Age is how old the band's leads are at most. It begins where the band
	// before it ends, the first at no age.
	Age time.Duration
	// Every is the period: a multiple of the plan's interval and of the periods
	// of the bands before.
	Every time.Duration
}

// Plan says how often leads of which age are read. The zero value reads nothing
// again.
type Plan struct {
	// Interval is from one poll to the next: as asked for, or longer where even
	// the newest leads cannot be polled so often within the budget.
	Interval time.Duration
	// Bands are ordered by age, cover the lookback, and have periods that grow.
	Bands []Band
	// CallsPerDay is what it takes, rounded up, if no call has to be repeated.
	// It is above Budget only where reading each day's leads once, and the
	// lookback hardly ever, takes more than that.
	CallsPerDay int
	// Budget is Demand.Calls.
	Budget int
	// Stretched says that Interval is longer than what was asked for.
	Stretched bool
}

// Due returns what a poll at now is to read when leads up to newest can be had:
// from the oldest moment whose reading is due up to newest, or nothing. What was
// never read is due; of the rest, what was last read a period of its band ago,
// or nearly: half an interval early is better than half of one late. Ages count
// from newest.
func (p Plan) Due(r *Readings, now, newest time.Time) window.Window {
	for i := len(p.Bands) - 1; i >= 0; i-- {
		band := window.New(newest.Add(-p.Bands[i].Age), newest)
		if i > 0 {
			band.To = window.New(band.From, newest.Add(-p.Bands[i-1].Age)).To
		}
		if from, due := r.stale(band, now.Add(p.Interval/2-p.Bands[i].Every)); due {
			return window.New(from, newest)
		}
	}
	return window.Window{}
}

// callsPerDay is what the bands cost. A poll at which several bands are due reads
// them as one range, from the oldest; so each band adds, once in its period, what
// it takes more than the range that is younger. Whatever is due, a poll reads
// what has come since the last one.
func callsPerDay(interval time.Duration, bands []Band, windows func(from, to time.Duration) int) int {
	calls := func(age time.Duration) float64 { return float64(max(1, windows(0, max(age, interval)))) }
	younger := calls(0)
	sum := younger * float64(day) / float64(interval)
	for _, b := range bands {
		sum += (calls(b.Age) - younger) * float64(day) / float64(b.Every)
		younger = calls(b.Age)
	}
	const rounding = 1e-6 // of the sum, not of calls
	return int(math.Ceil(min(sum, math.MaxInt32) - rounding))
}
