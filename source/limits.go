package source

import (
	"fmt"
	"time"
)

// Limits is this package's part of the [fetch] section.
type Limits struct {
	Timeout      time.Duration `name:"timeout" default:"1m" env:"TIMEOUT" placeholder:"DURATION" help:"Longest that one request may take, its answer included."`
	MaxAttempts  int           `name:"max-attempts" default:"6" env:"MAX_ATTEMPTS" placeholder:"N" help:"How often a request is tried before it is given up."`
	DailyQuota   int           `name:"daily-quota" default:"5000" env:"DAILY_QUOTA" placeholder:"N" help:"Calls that eBay allows your application per Pacific day."`
	QuotaReserve int           `name:"quota-reserve" default:"0" env:"QUOTA_RESERVE" placeholder:"N" help:"Calls of these that are left for other programs."`
}

const (
	shortestTimeout = 100 * time.Millisecond
	longestTimeout  = time.Hour
	mostAttempts    = 100
)

// Validate reports every value that makes no sense.
func (l *Limits) Validate(report func(key, problem string)) {
	if l.Timeout < shortestTimeout || l.Timeout > longestTimeout {
		report("timeout", fmt.Sprintf("%s is not between %s and %s", l.Timeout, shortestTimeout, longestTimeout))
	}
	if l.MaxAttempts < 1 || l.MaxAttempts > mostAttempts {
		report("max-attempts", fmt.Sprintf("%d is not between 1 and %d", l.MaxAttempts, mostAttempts))
	}
	if l.DailyQuota < 1 {
		report("daily-quota", fmt.Sprintf("%d is not a number of calls", l.DailyQuota))
	}
	if l.QuotaReserve < 0 || l.DailyQuota >= 1 && l.QuotaReserve >= l.DailyQuota {
		report("quota-reserve", fmt.Sprintf("%d is not between 0 and daily-quota, which is %d", l.QuotaReserve, l.DailyQuota))
	}
}
