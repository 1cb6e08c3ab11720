package fetch

import (
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Config is this package's part of the [fetch] section.
type Config struct {
	Window      time.Duration `name:"window" default:"24h" env:"WINDOW" placeholder:"DURATION" help:"Width of the first windows; from there it is learned."`
	Concurrency int           `name:"concurrency" default:"4" env:"CONCURRENCY" placeholder:"N" help:"Requests at the same time."`
}

// maxConcurrency keeps a typing error from turning into a storm of requests.
const maxConcurrency = 64

// Validate reports every value that makes no sense.
func (c *Config) Validate(report func(key, problem string)) {
	if c.Window < window.Second || c.Window > window.Longest {
		report("window", fmt.Sprintf("%s is not between %s and %s", c.Window, window.Second, window.Longest))
	}
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		report("concurrency", fmt.Sprintf("%d is not between 1 and %d", c.Concurrency, maxConcurrency))
	}
}
