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
	"runtime/debug"
)

// gcPercent is how much garbage there may be for what is in use, in percent, unless
// GOGC says otherwise. What runs hold is small, and what they make of each page is
// large: a replay of 200,000 leads into Parquet and NDJSON peaks at 117, 130 and
// 141 MiB for 50, 75 and Go's own 100, and takes 10.5, 9.2 and 8.8 s of CPU. With a
// topic besides, 100 comes near the 200 MB that a run is to stay below.
const gcPercent = 65

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
