// Command leads-etl exports eBay Classified Leads to Parquet, NDJSON and Kafka.
//
// One small file holds one command: its flags, and the wiring of the parts that
// do the work. What all commands share is in root.go (the grammar), settings.go
// and configure.go (the configuration), exit.go (exit codes and how errors are
// shown), signals.go, memory.go (when garbage is collected), logging.go, assemble.go
// (opening the parts) and console.go (the terminal). What must not be here: the work
// itself.
package main

import (
	"context"
	"os"
)

func main() {
	collectGarbage()
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
