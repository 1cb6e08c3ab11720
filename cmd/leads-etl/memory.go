package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// gcPercent is how much garbage there may be for what is in use, in percent, as far
	// as softBytes lets it. Measured with 200,000 leads: as few runs hold much, 150
	// instead of 65 takes 4 to 6 % off the CPU time of a batch into Parquet, whose peak
	// then is 120 MB and not 93, and 4 % off that of a replay into all sinks, where the
	// limit keeps the peak at 174 MB. With 200 it is no less.
	gcPercent = 150

	// startBytes is how much memory Go may have before it collects garbage for the
	// first time. A program that has just begun has so little in use that it would be
	// collected several times before the first request: a quarter of the time until
	// then.
	startBytes = 24 << 20

	// softBytes is how much memory Go is to do with, the program file not included: as
	// it is neared, garbage is collected more often. Without it, what a run holds at
	// most would decide, and a seller with ten times the leads a day fills row groups
	// and pages that others do not. Measured with 2,000,000 leads into all sinks: 176 MB
	// at most. With 128 MiB it is 160, for a tenth more CPU time; with 152, 184, for a
	// twentieth less. Without a limit it was over 200.
	softBytes = 144 << 20
	// fullBytes is what may be in use under that limit. If more is, the limit gives way,
	// for one that is hard to keep would have garbage collected all the time. It is
	// what is in use at most in nearly all of the run above.
	fullBytes = 128 << 20
	// givePercent is by how much of what there is more the room for garbage then grows,
	// up to that of gcPercent when memory is what there is too much of, and
	// spareBytes: stacks, and what the collector itself needs.
	givePercent = 200
	fullPercent = 65
	spareBytes  = 12 << 20
)

// collectGarbage sets when garbage is collected, unless GOGC is set. GOMEMLIMIT is
// obeyed, and then is the only limit.
func collectGarbage() {
	if os.Getenv("GOGC") != "" {
		return
	}
	own := debug.SetMemoryLimit(-1) // reads it
	first := min(startBytes, own)
	debug.SetMemoryLimit(first)
	debug.SetGCPercent(-1)
	afterCollection(func() {
		debug.SetGCPercent(gcPercent)
		if os.Getenv("GOMEMLIMIT") != "" {
			debug.SetMemoryLimit(own)
			return
		}
		limitMemory(first)
	})
}

// limitMemory sets the limit for what is in use now, in the place of the one that was
// set last, and again after each collection. One that others have set it leaves alone.
func limitMemory(last int64) {
	if debug.SetMemoryLimit(-1) != last {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	limit := memoryLimit(live[0].Value.Uint64())
	debug.SetMemoryLimit(limit)
	afterCollection(func() { limitMemory(limit) })
}

// memoryLimit is the limit while so many bytes are in use.
func memoryLimit(live uint64) int64 {
	if live <= fullBytes {
		return softBytes
	}
	room := softBytes - fullBytes + (int64(live)-fullBytes)*givePercent/100
	return int64(live) + min(room, int64(live)*fullPercent/100+spareBytes)
}

// afterCollection has do called once, soon after the next collection.
func afterCollection(do func()) {
	// What nobody has hold of is found gone by it.
	runtime.AddCleanup(new(*byte), func(do func()) { do() }, do)
}
