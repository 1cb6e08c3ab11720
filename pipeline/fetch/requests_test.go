package fetch_test

import (
	"context"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// TestRequestsOfARun guards how many calls a range takes, for calls are rationed:
// windows grow where there is little and shrink to some 2,000 leads where there is
// much. The bounds are a little above what was measured; who has a good reason moves
// them, and says so.
func TestRequestsOfARun(t *testing.T) {
	const days = 61
	for _, c := range []struct{ leadsADay, most int }{
		{0, 8},        // 6
		{50, 8},       // 6
		{3_300, 135},  // 121
		{16_400, 640}, // 601
	} {
		rate := float64(c.leadsADay) / (24 * time.Hour).Seconds()
		before := func(at time.Time) int { return int(at.Sub(epoch).Seconds() * rate) }
		source := answer(func(w window.Window) (int, error) { return before(w.To) - before(w.From), nil })
		whole := window.New(epoch, epoch.AddDate(0, 0, days))
		pages, gaps, err := run(context.Background(), t, source, fetch.Config{Window: 24 * time.Hour, Concurrency: 4}, whole)
		if err != nil || len(gaps) > 0 {
			t.Fatal(gaps, err)
		}
		t.Logf("%d leads a day: %d requests", c.leadsADay, len(pages))
		if len(pages) > c.most {
			t.Errorf("%d leads a day: %d requests, want at most %d", c.leadsADay, len(pages), c.most)
		}
	}
}
