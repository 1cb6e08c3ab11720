package source

import (
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// bounds are what is sent as startTime and endTime. Both are inclusive whole
// seconds, end lies after start, and both lie in the past.
type bounds struct{ start, end time.Time }

// safety is how far behind the server's clock a bound must lie to be sent
// without a doubt; the server's clock is known to about a second.
const safety = 2 * time.Second

// boundsOf returns what to ask for in order to get all of [From, To), given the
// server's time, and how long to wait before asking: the last second of the
// window must be over, or leads could still arrive in it.
//
// The natural form of [a, b) is a..b, which holds one second too many. Where b
// is too close to now, a..b-1 holds all of it just as well; where that is no
// range, because the window is one second wide, a-1..a does. Every other attempt
// for a single second takes that form too: the API fails with whole requests,
// and if the second behind ours is what fails, it must not take ours with it.
func boundsOf(w window.Window, serverNow time.Time, attempt int) (b bounds, wait time.Duration) {
	wait = max(0, w.To.Sub(serverNow))
	recent := w.To.Sub(serverNow) > -safety
	single := w.Length() <= window.Second
	switch {
	case single && (recent || attempt%2 == 1):
		return bounds{w.From.Add(-window.Second), w.From}, wait
	case recent:
		return bounds{w.From, w.To.Add(-window.Second)}, wait
	}
	return bounds{w.From, w.To}, wait
}
