package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// The first collection puts the usual pace in force, and the limit of before.
func TestCollectFrom(t *testing.T) {
	const limit = 1 << 40
	percentBefore, limitBefore := debug.SetGCPercent(100), debug.SetMemoryLimit(limit)
	t.Cleanup(func() {
		debug.SetGCPercent(percentBefore)
		debug.SetMemoryLimit(limitBefore)
	})
	inForce := func() (percent, limit uint64) {
		s := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64(), s[1].Value.Uint64()
	}
	collectFrom(limit/2, 60)
	if percent, bytes := inForce(); percent != math.MaxUint64 || bytes != limit/2 { // off
		t.Errorf("before the first collection: %d %%, %d bytes", percent, bytes)
	}
	for {
		runtime.GC()
		if percent, bytes := inForce(); percent == 60 && bytes == limit {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
