package source

import (
	"time"
	_ "time/tzdata" // eBay's day must not depend on what the machine has installed
)

// pacific is the zone in which eBay's quotas have their days (API call limits).
var pacific = func() *time.Location {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		panic("source: the embedded time zones lack America/Los_Angeles: " + err.Error())
	}
	return zone
}()

// dayForm sorts as its days do.
const dayForm = time.DateOnly

// pacificDay names the day of eBay's quotas that t lies in.
func pacificDay(t time.Time) string { return t.In(pacific).Format(dayForm) }

// nextPacificDay returns when the day after t's begins, UTC. Days have 23, 24 or
// 25 hours; midnight exists in each.
func nextPacificDay(t time.Time) time.Time {
	year, month, day := t.In(pacific).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, pacific).UTC()
}

// QuotaDay names the day of eBay's quotas that t lies in: "2026-09-01".
func QuotaDay(t time.Time) string { return pacificDay(t) }
