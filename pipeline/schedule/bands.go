package schedule

import (
	"slices"
	"time"
)

// Demand is what a plan is made of.
type Demand struct {
	// Interval is from one poll to the next, and Lookback the age up to which
	// leads are read again. Both are positive.
	Interval, Lookback time.Duration
	// Calls is how many calls a day may be spent on polling and reading again.
	Calls int
	// Windows says how many calls it takes to read the leads between two ages:
	// at least 1, and never less for a range that holds another one.
	Windows func(from, to time.Duration) int
}

// ages are where bands may end.
var ages = []time.Duration{15 * time.Minute, time.Hour, 6 * time.Hour, day, 7 * day, 30 * day, 90 * day, 365 * day}

// periods are how often bands may be read, as near as multiples of the interval
// allow. Each divides the next.
var periods = []time.Duration{
	2 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, day,
	2 * day, 4 * day, 8 * day, 16 * day, 32 * day, 64 * day, 128 * day, 256 * day,
}

const (
	// longestInterval ends the search for one that fits.
	longestInterval = day
	// pollsShare is the share of the calls that may go into polling for new
	// leads before polls become fewer: something is to be left for changes.
	pollsShare = 0.9
)

// Bands makes the plan. It begins with everything at each poll and gives up
// frequency, step by step, until the budget is met: first of the old, whose
// changes matter least, then of the young, so that periods are about in
// proportion to ages; and of the polls themselves only when hardly anything else
// is left.
//
// The steps do not depend on the budget, only how many of them are taken. So
// more calls never make any period longer.
func Bands(d Demand) Plan {
	s := sparing{demand: d, ladder: ladderFrom(d.Interval), interval: d.Interval, bands: fullest(d)}
	for s.calls() > d.Calls && s.step() {
	}
	return Plan{
		Interval: s.interval, Bands: joined(s.bands), CallsPerDay: s.calls(), Budget: d.Calls,
		Stretched: s.interval > d.Interval,
	}
}

// sparing is a plan on its way from one that reads everything at each poll to
// one that fits.
type sparing struct {
	demand   Demand
	ladder   []time.Duration // what periods can be; the first is the interval as asked for
	interval time.Duration
	bands    []Band // not joined
}

func (s *sparing) calls() int { return callsPerDay(s.interval, s.bands, s.demand.Windows) }

// step makes one period longer. It reports false when that makes no sense any
// more.
func (s *sparing) step() bool {
	polls := callsPerDay(s.interval, nil, s.demand.Windows)
	if float64(polls) > pollsShare*float64(s.calls()) && s.stretch() {
		return true
	}
	return s.thin() || s.stretch()
}

// next is the first period of the ladder that is longer than p; ok is false if
// it is beyond the limit.
func (s *sparing) next(p, limit time.Duration) (longer time.Duration, ok bool) {
	i, at := slices.BinarySearch(s.ladder, p)
	if at {
		i++
	}
	if i == len(s.ladder) || s.ladder[i] > limit {
		return 0, false
	}
	return s.ladder[i], true
}

// stretch makes the interval longer, and no band's period shorter than it. The
// interval still divides the periods to come.
func (s *sparing) stretch() bool {
	next, ok := s.next(s.interval, longestInterval)
	if !ok {
		return false
	}
	parts := int64(next/s.interval) - 1
	for parts > 1 && int64(next/time.Second)%parts != 0 {
		parts--
	}
	s.interval = next / time.Duration(max(1, parts))
	for i := range s.bands {
		s.bands[i].Every = max(s.bands[i].Every, s.interval)
	}
	return true
}

// thin gives the band that is read most often for its age the next longer
// period. It reports false if all have the longest that makes sense: a lead is
// to be read again about once while it is in the band. The older of two bands of
// one period is read more often for its age, so periods never fall with age.
func (s *sparing) thin() bool {
	best, period := -1, time.Duration(0)
	for i, b := range s.bands {
		longer, ok := s.next(b.Every, b.Age)
		if ok && (best < 0 || b.share() <= s.bands[best].share()) {
			best, period = i, longer
		}
	}
	if best < 0 {
		return false
	}
	s.bands[best].Every = period
	return true
}

// share is the period as a part of the age.
func (b Band) share() float64 { return float64(b.Every) / float64(b.Age) }

// fullest returns the bands that can be told apart, all of them read at each
// poll. A range of ages that costs nothing beside the younger one is part of it.
func fullest(d Demand) []Band {
	var bands []Band
	calls := 0
	for _, age := range append(agesBelow(d.Lookback), d.Lookback) {
		takes := d.Windows(0, max(age, d.Interval))
		if n := len(bands); n > 0 && takes <= calls {
			bands[n-1].Age = age
			continue
		}
		bands, calls = append(bands, Band{Age: age, Every: d.Interval}), takes
	}
	return bands
}

func agesBelow(lookback time.Duration) []time.Duration {
	n, _ := slices.BinarySearch(ages, lookback)
	return slices.Clone(ages[:n])
}

// ladderFrom returns the periods that there can be, each a multiple of the one
// before.
func ladderFrom(interval time.Duration) []time.Duration {
	ladder := []time.Duration{interval}
	for _, p := range periods {
		last := ladder[len(ladder)-1]
		if p := p.Round(last); p > last {
			ladder = append(ladder, p)
		}
	}
	return ladder
}

// joined joins neighbours of one period.
func joined(bands []Band) []Band {
	var list []Band
	for _, b := range bands {
		if n := len(list); n > 0 && list[n-1].Every == b.Every {
			list[n-1].Age = b.Age
			continue
		}
		list = append(list, b)
	}
	return list
}
