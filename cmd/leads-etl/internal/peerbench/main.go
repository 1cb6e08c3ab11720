// Peerbench runs leads-etl and what a user could take instead side by side: the
// same pages, the same machine, in turns, for several rounds. It writes figures,
// table and chart (package report) into testdata/bench, where the peers' programs
// are. `make bench` runs it; CONTRIBUTING.md says how to read it.
//
//	go run ./cmd/leads-etl/internal/peerbench -leads 1000000 -rounds 5
//
// Go, Python 3 (with venv), Java and Maven are needed. Everything measured runs in
// a process of its own, so that CPU time and memory are its own. A run that was
// broken off goes on where it was: corpus and samples are kept in -dir, until the
// program, a peer or the number of leads is another.
//
// The parts: corpus.go makes what all of them read; contenders.go says who is
// measured, rows.go what is made of it; measure.go runs and measures; bench.go
// goes through the rounds. produce.go and land.go are programs that it starts
// itself again as. What must not be here: anything that leads-etl needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"
)

// children are the programs that peerbench starts itself again as, by their name.
var children = map[string]func(ctx context.Context, args []string) error{
	"produce": produce,
	"keep":    keepRecords,
	"count":   countRecords,
	"land":    land,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if child, ok := children[args[0]]; ok {
			return child(ctx, args[1:])
		}
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.draw {
		results, err := report.Load(filepath.Join(o.outDir, report.ResultsFile))
		if err != nil {
			return err
		}
		return results.Save(o.outDir)
	}
	return compare(ctx, o)
}

// options are what the user chose.
type options struct {
	leads, rounds, threads int
	// tenfold adds a run over ten times as many leads, idle one of a stream.
	tenfold, idle bool
	// fresh forgets what was measured before.
	fresh bool
	// draw only writes table and chart anew.
	draw bool
	// dir keeps corpus and samples, outDir gets the results; peersDir is where the
	// peers' programs are.
	dir, outDir, peersDir string
}

func parse(args []string) (options, error) {
	var o options
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	peers := filepath.Join("testdata", "bench")
	flags := flag.NewFlagSet("peerbench", flag.ContinueOnError)
	flags.IntVar(&o.leads, "leads", 1_000_000, "leads to export")
	flags.IntVar(&o.rounds, "rounds", 5, "how often each contender is measured")
	flags.IntVar(&o.threads, "threads", runtime.NumCPU(), "threads of each contender (GOMAXPROCS of ours)")
	flags.BoolVar(&o.tenfold, "tenfold", false, "also export ten times as many leads, once (at a million: 40 GB of disk)")
	flags.BoolVar(&o.idle, "idle", false, "also measure an idle stream that knows as many leads")
	flags.BoolVar(&o.fresh, "fresh", false, "measure everything anew; the corpus stays")
	flags.BoolVar(&o.draw, "draw", false, "only write table and chart anew from the results in -out")
	flags.StringVar(&o.dir, "dir", filepath.Join(cache, "leads-etl-bench"), "folder for the corpus, outputs and samples")
	flags.StringVar(&o.outDir, "out", peers, "folder for results, table and chart")
	flags.StringVar(&o.peersDir, "peers", peers, "folder of the peers' programs")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.leads < 1000 || o.rounds < 1 || o.threads < 1 {
		return o, fmt.Errorf("-leads %d -rounds %d -threads %d: at least 1000, 1 and 1 make a comparison", o.leads, o.rounds, o.threads)
	}
	if _, err := os.Stat(filepath.Join(o.peersDir, "requirements.txt")); err != nil {
		return o, fmt.Errorf("the peers' programs: %w; run this from the top folder of the repository, or say -peers", err)
	}
	for _, dir := range []*string{&o.dir, &o.outDir, &o.peersDir} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return o, err
		}
	}
	return o, nil
}
