// Command leads-etl exports eBay Classified Leads to Parquet, NDJSON and Kafka.
//
// One small file holds one command: its flags, and the wiring of the parts that
// do the work. What all commands share is in root.go (the grammar), settings.go
// and configure.go (the configuration), exit.go (exit codes and how errors are
// shown), signals.go, logging.go, assemble.go (opening the parts) and console.go
// (the terminal). What must not be here: the work itself.
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
)

// gcPercent is how much garbage there may be for what is in use, in percent, unless
// GOGC says otherwise. What runs hold is small, and what they make of each page is
// large: a collection costs little (a fiftieth of the CPU time), and a replay of
// 200,000 leads into both files and a topic peaks at 166 to 175 MB with 65, while with
// 75 it passed the 200 MB that a run is to stay below.
const gcPercent = 65

// startBytes is how much memory Go may have before it collects garbage for the first
// time. A program that has just begun has so little in use that it would be collected
// several times before the first request: a quarter of the time until then.
const startBytes = 24 << 20

func main() {
	if os.Getenv("GOGC") == "" {
		collectFrom(startBytes, gcPercent)
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// collectFrom has garbage collected when the memory reaches so many bytes, and from
// then on by the percentage.
func collectFrom(bytes int64, percent int) {
	limit := debug.SetMemoryLimit(-1) // reads it: GOMEMLIMIT
	debug.SetMemoryLimit(min(bytes, limit))
	debug.SetGCPercent(-1)
	// What nobody has hold of is found gone by the first collection.
	runtime.AddCleanup(new(*byte), func(percent int) {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}, percent)
}
