package pipeline

import (
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// StreamConfig is the [stream] section.
type StreamConfig struct {
	Interval     time.Duration `name:"interval" default:"1m" env:"INTERVAL" placeholder:"DURATION" help:"From the beginning of one poll to that of the next."`
	Settle       time.Duration `name:"settle" default:"2m" env:"SETTLE" placeholder:"DURATION" help:"How old a moment must be to be read: eBay shows some leads late."`
	Lookback     time.Duration `name:"lookback" default:"30d" env:"LOOKBACK" placeholder:"DURATION" help:"How far back leads are read again, to find what has changed."`
	DrainTimeout time.Duration `name:"drain-timeout" default:"30s" env:"DRAIN_TIMEOUT" placeholder:"DURATION" help:"How long the sinks are given, after a signal, for what is landed."`
}

// Bounds of the section.
const (
	longestInterval = 24 * time.Hour
	longestSettle   = 24 * time.Hour
	longestLookback = 2 * 366 * 24 * time.Hour
	longestDrain    = time.Hour
)

// Validate reports every value that makes no sense.
func (c *StreamConfig) Validate(report func(key, problem string)) {
	between := func(key string, d, least, most time.Duration) {
		if d < least || d > most {
			report(key, fmt.Sprintf("%s is not between %s and %s", d, least, most))
		}
	}
	between("interval", c.Interval, window.Second, longestInterval)
	between("settle", c.Settle, 0, longestSettle)
	between("lookback", c.Lookback, window.Second, longestLookback)
	between("drain-timeout", c.DrainTimeout, window.Second, longestDrain)
}
