package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// The first collection puts the usual pace in force, and the limit.
func TestCollectGarbage(t *testing.T) {
	const own = 1 << 40
	for _, c := range []struct {
		name, gogc, gomemlimit string
		percent, limit         uint64
	}{
		{name: "nothing set", percent: gcPercent, limit: softBytes},
		{name: "a limit set", gomemlimit: "1TiB", percent: gcPercent, limit: own},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("GOGC", c.gogc)
			t.Setenv("GOMEMLIMIT", c.gomemlimit)
			restoreCollecting(t, 100, own)
			collectGarbage()
			if percent, limit := collecting(); percent != math.MaxUint64 || limit != startBytes { // off
				t.Errorf("before the first collection: %d %%, %d bytes", percent, limit)
			}
			for {
				runtime.GC()
				if percent, limit := collecting(); percent == c.percent && limit == c.limit {
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
}

func TestCollectGarbageAsToldByGOGC(t *testing.T) {
	t.Setenv("GOGC", "77")
	restoreCollecting(t, 77, 1<<40)
	collectGarbage()
	runtime.GC()
	if percent, limit := collecting(); percent != 77 || limit != 1<<40 {
		t.Errorf("%d %%, %d bytes: it was changed", percent, limit)
	}
}

// The limit gives way to what is in use, and comes back when it is not any more.
func TestMemoryLimit(t *testing.T) {
	for live, want := range map[uint64]int64{
		0:             softBytes,
		fullBytes:     softBytes,
		fullBytes + 1: softBytes + 3,
		136 << 20:     168 << 20,
		400 << 20:     660<<20 + spareBytes,
	} {
		if got := memoryLimit(live); got != want {
			t.Errorf("with %d bytes in use: %d, want %d", live, got, want)
		}
	}
}

// collecting returns what is in force.
func collecting() (percent, limit uint64) {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64(), s[1].Value.Uint64()
}

// restoreCollecting puts this in force until the test has ended.
func restoreCollecting(t *testing.T, percent int, limit int64) {
	percentBefore, limitBefore := debug.SetGCPercent(percent), debug.SetMemoryLimit(limit)
	t.Cleanup(func() {
		debug.SetGCPercent(percentBefore)
		debug.SetMemoryLimit(limitBefore)
	})
}
