package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"
)

// bench is one comparison.
type bench struct {
	options
	log    io.Writer
	binary string
	work   string // for outputs; emptied before each run

	corpus *corpus
	peers  *peers
	broker *broker
	sim    *simulated
	store  *store
	// want is what every output has to hold.
	want     facts
	versions map[string]string
	topics   int
}

// compare makes what is needed, goes through the rounds and writes the results.
func compare(ctx context.Context, o options) (err error) {
	b := &bench{options: o, log: os.Stderr, want: facts{}, versions: map[string]string{}}
	begun := time.Now()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for round := range b.rounds {
		if err := b.round(ctx, round, false); err != nil {
			return err
		}
	}
	if err := b.round(ctx, 0, true); err != nil {
		return err
	}
	results := b.results(ctx)
	if err := os.MkdirAll(b.outDir, 0o750); err != nil {
		return err
	}
	if err := results.Save(b.outDir); err != nil {
		return err
	}
	say(b.log, "done in %s; written to %s", time.Since(begun).Round(time.Second), b.outDir)
	fmt.Fprintln(os.Stdout, results.Markdown())
	return nil
}

// prepare builds the program, the corpus, and what the peers need.
func (b *bench) prepare(ctx context.Context) (err error) {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	b.binary, b.work = filepath.Join(b.dir, "leads-etl"), filepath.Join(b.dir, "work")
	say(b.log, "building leads-etl")
	// Without the commit in it: what was measured counts until the program changes.
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", b.binary, "github.com/leads-etl/leads-etl/cmd/leads-etl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building leads-etl: %w\n%s", err, out)
	}
	say(b.log, "preparing the peers")
	if b.peers, err = preparePeers(ctx, b.peersDir, b.dir); err != nil {
		return err
	}
	say(b.log, "the corpus of %d leads", b.leads)
	if b.corpus, err = makeCorpus(ctx, filepath.Join(b.dir, "corpus-"+strconv.Itoa(b.leads)), b.binary, b.leads, b.threads, true); err != nil {
		return err
	}
	if b.store, err = openStore(b); err != nil {
		return err
	}
	say(b.log, "starting Kafka")
	if b.broker, err = startBroker(ctx, b.corpus.dir); err != nil {
		return err
	}
	if err := b.warmUp(ctx); err != nil {
		return errors.Join(err, b.close())
	}
	return nil
}

// warmUp brings the pages into the system's cache and the broker, which compiles
// as it runs, to its speed; it keeps the records that the other producers send.
func (b *bench) warmUp(ctx context.Context) (err error) {
	if b.sim, err = simulate(ctx, b.binary, b.leads); err != nil {
		return err
	}
	if err := b.noteKafka(ctx); err != nil {
		return err
	}
	say(b.log, "warming up")
	if err := b.clear(); err != nil {
		return err
	}
	e := exporter{
		binary: b.binary, threads: b.threads, api: b.corpus.API, state: b.corpus.state(), topic: b.topic(),
		brokers: b.broker.addresses, parquet: b.path("parquet"),
	}
	cmd, err := e.command(ctx, "replay")
	if err != nil {
		return err
	}
	if _, _, err := measure(cmd); err != nil {
		return err
	}
	keep, err := self(ctx, "keep", "-brokers", b.broker.seeds(), "-topic", e.topic, "-records", b.broker.records, "-payloads", b.broker.payloads)
	if err != nil {
		return err
	}
	if out, err := keep.CombinedOutput(); err != nil {
		return fmt.Errorf("keeping records: %w\n%s", err, out)
	}
	return b.broker.remove(ctx, e.topic)
}

// round measures each contender, or those that are measured once, unless there is
// a sample already.
func (b *bench) round(ctx context.Context, round int, once bool) error {
	for _, c := range b.contenders() {
		if c.once != once {
			continue
		}
		if e, ok := b.store.find(c.id, round); ok {
			b.note(e.Version)
			if err := b.compareFacts(c.id, e.Facts); err != nil {
				return err
			}
			continue
		}
		if err := b.clear(); err != nil {
			return err
		}
		others, err := othersAtWork(ctx)
		if err != nil {
			return err
		}
		sample, f, err := c.run(ctx)
		if err != nil {
			return fmt.Errorf("round %d, %s: %w", round+1, c.id, err)
		}
		if err := b.compareFacts(c.id, f); err != nil {
			return err
		}
		e := entry{Contender: c.id, Round: round, Sample: sample, Facts: f, Others: others, Version: b.versions[report.PeerName(c.id)]}
		if err := b.store.add(e); err != nil {
			return err
		}
		if others > noticed {
			say(b.log, "others take %.0f %% of the machine: the figures of this run mean little", others)
		}
		say(b.log, "round %d/%d %-28s %8.2f s %8.2f s CPU %7.0f MB %9.0f leads/s", round+1, b.rounds, c.id,
			sample.Seconds, sample.CPU, sample.PeakMB, report.Rate(sample))
	}
	return b.clear()
}

// compareFacts fails if an output is not what the others are. What ten times as
// many leads give is compared by their number alone.
func (b *bench) compareFacts(id string, f facts) error {
	rows, counted := f["rows"].(float64)
	if strings.HasSuffix(id, ", ten times") {
		if counted && int(rows) != 10*b.leads {
			return fmt.Errorf("the comparison is void: %s gave %.0f rows of %d leads", id, rows, 10*b.leads)
		}
		return nil
	}
	if counted && int(rows) != b.leads {
		return fmt.Errorf("the comparison is void: %s gave %.0f rows of %d leads", id, rows, b.leads)
	}
	if problem := b.want.differ(f); problem != "" {
		return fmt.Errorf("the comparison is void: %s gave something else than those before: %s", id, problem)
	}
	return nil
}

// clear empties the folder for outputs.
func (b *bench) clear() error {
	if err := os.RemoveAll(b.work); err != nil {
		return err
	}
	return os.MkdirAll(b.work, 0o700)
}

func (b *bench) topic() string {
	b.topics++
	return fmt.Sprintf("bench-%d-%d", os.Getpid(), b.topics)
}

// results are what was measured, now or by an earlier run of the same.
func (b *bench) results(ctx context.Context) *report.Results {
	samples := b.store.samples(b.rounds)
	return &report.Results{
		Samples: samples, Rows: rowsOf(samples),
		Setting: report.Setting{
			Date: time.Now().UTC().Truncate(time.Second), Commit: commit(ctx), Go: runtime.Version(),
			OS: runtime.GOOS + "/" + runtime.GOARCH, CPU: processor(), Cores: runtime.NumCPU(), Threads: b.threads,
			Peers: b.versions, Leads: b.leads, LeadBytes: b.corpus.LeadBytes, Rounds: b.rounds, Others: b.store.others(),
		},
	}
}

func (b *bench) close() error {
	if b.sim != nil {
		b.sim.stop()
	}
	return errors.Join(b.broker.stop(), os.RemoveAll(b.work))
}
