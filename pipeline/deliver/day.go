package deliver

import (
	"iter"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// day is a UTC day, counted from 1970-01-01.
type day int32

const dayLength = 24 * time.Hour

func dayOf(t time.Time) day {
	// Truncate counts from the year 1, which was at midnight as well, and rounds
	// down before 1970, where dividing seconds would round up.
	return day(t.UTC().Truncate(dayLength).Unix() / int64(dayLength/time.Second))
}

func (d day) start() time.Time {
	return time.Unix(int64(d)*int64(dayLength/time.Second), 0).UTC()
}

func (d day) window() window.Window {
	return window.Window{From: d.start(), To: d.start().Add(dayLength)}
}

func (d day) partition() Partition {
	return Partition{Date: d.start().Format(time.DateOnly)}
}

// Touches reports whether rows of the partition may have been submitted in w.
func Touches(w window.Window, p Partition) bool {
	start, err := time.Parse(time.DateOnly, p.Date)
	return err == nil && w.Overlaps(window.Window{From: start, To: start.Add(dayLength)})
}

// daysOf yields the days that w touches, in order.
func daysOf(w window.Window) iter.Seq[day] {
	return func(yield func(day) bool) {
		if w.Empty() {
			return
		}
		for d := dayOf(w.From); d.start().Before(w.To); d++ {
			if !yield(d) {
				return
			}
		}
	}
}
