package main

import (
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/schedule"
)

func TestScheduleFinding(t *testing.T) {
	c := pipeline.StreamConfig{Interval: time.Minute, Settle: 90 * time.Second, Lookback: 30 * config.Day}
	plan := schedule.Plan{
		Interval: time.Minute, CallsPerDay: 1600, Budget: 4000,
		Bands: []schedule.Band{{Age: time.Hour, Every: time.Minute}, {Age: 30 * config.Day, Every: 6 * time.Hour}},
	}
	f := scheduleFinding(plan, &c, 5000)
	if want := "some 1600 of 4000 calls a day; a change is seen after at most 6h"; f.Detail != want || !f.OK || len(f.Hints) > 0 || f.err != nil {
		t.Errorf("got %+v, want %s", f, want)
	}
	if want := []string{
		"leads up to 1h old: at every poll (1m)", "leads up to 30d old: every 6h", "a new lead is seen after at most 2m30s",
		"of 5,000 calls a day, 1,000 are left for what is tried again and for history",
	}; !slices.Equal(f.Lines, want) {
		t.Errorf("got %q", f.Lines)
	}

	plan.Interval, plan.Stretched, plan.CallsPerDay, plan.Budget = time.Hour, true, 50, 32
	f = scheduleFinding(plan, &c, 40)
	if f.OK || exitCode(f.err) != exitIncomplete || len(f.Hints) != 1 || f.Hints[0] != "for [stream] interval = 1m it takes more of [fetch] daily-quota, less quota-reserve" {
		t.Errorf("got %+v", f)
	}
}
