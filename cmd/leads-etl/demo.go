package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/sinks/kafka/embedded"
	"github.com/leads-etl/leads-etl/source/simulator"
)

type demoCommand struct {
	Dir     string   `name:"dir" default:"leads-demo" placeholder:"DIR" help:"Folder for the files; an earlier demo's is replaced."`
	Brokers []string `name:"brokers" placeholder:"HOST:PORT" help:"Kafka to write to, in the place of a broker inside this process."`
	Leads   int      `name:"leads" default:"2000" placeholder:"N" help:"How many leads to invent."`
	Seed    uint64   `name:"seed" default:"1" placeholder:"N" help:"Seed of the leads and of the faults."`
}

func (c *demoCommand) Help() string {
	return `Examples:

    leads-etl demo
    leads-etl demo --dir /tmp/demo --leads 100000
    leads-etl demo --brokers localhost:9092

A stand-in for the API invents leads, answers too late, too little and not at all; everything else is the real thing: the whole export, into Parquet and NDJSON files and a Kafka topic.`
}

// What the demo's world is like: a week of leads, and an API that fails in every
// way but for good.
const (
	demoDays    = 7
	demoAccount = "demo"
	demoTopic   = "ebay-leads-demo"
	demoFaults  = "350000=0.08,html502=0.06,short=0.06,truncate=0.06,reset=0.06,token=0.3,max-leads=250"
	// demoBackoff is short, for an API on this machine.
	demoBackoff = 100 * time.Millisecond
)

func (c *demoCommand) Run(ctx context.Context, p *process) (err error) {
	server, url, stop, err := c.simulate()
	if err != nil {
		return err
	}
	defer stop()
	if err := clearDemo(c.Dir); err != nil {
		return err
	}
	brokers := c.Brokers
	if len(brokers) == 0 {
		broker, err := embedded.Start()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, broker.Close()) }()
		brokers = broker.Addresses()
	}
	s, err := c.settings(server, url, brokers)
	if err != nil {
		return err
	}
	cfg := server.Config()
	fmt.Fprintf(p.out, "A simulated API with %s of %d days, which fails in seven ways, is exported into %s:\n\n",
		progress.Plural(cfg.Leads, "lead"), demoDays, c.Dir)
	summary, err := c.export(ctx, p, s, &rangeConfig{From: config.Time{Time: cfg.From}, To: config.Time{Time: cfg.To}})
	if summary == nil {
		return err
	}
	if err := joinWrite(err, summary.write(p, false, err)); err != nil {
		return err
	}
	return c.show(ctx, p, s)
}

// simulate starts the stand-in for the API, with the leads of the last full days.
func (c *demoCommand) simulate() (server *simulator.Server, url string, stop func(), err error) {
	faults, err := simulator.ParseFaults(demoFaults)
	if err != nil {
		return nil, "", nil, err
	}
	today := time.Now().UTC().Truncate(config.Day)
	server, err = simulator.New(simulator.Config{
		Leads: c.Leads, Seed: c.Seed, Faults: faults, From: today.Add(-demoDays * config.Day), To: today,
	})
	if err != nil {
		return nil, "", nil, &usageError{err: err, command: "demo"}
	}
	url, stop, err = server.Start("127.0.0.1:0")
	return server, url, stop, err
}

// settings are the defaults, but for what makes it a demo: neither file nor
// environment count.
func (c *demoCommand) settings(server *simulator.Server, url string, brokers []string) (*settings, error) {
	var target struct {
		settings `embed:""`
	}
	parser, err := kong.New(&target, config.Mappers())
	if err != nil {
		return nil, fmt.Errorf("building the demo's settings: %w", err)
	}
	config.New(parser.Model, envPrefix) // takes the environment away from kong
	if _, err := parser.Parse(nil); err != nil {
		return nil, fmt.Errorf("building the demo's settings: %w", err)
	}
	s, cfg := &target.settings, server.Config()
	s.EBay.APIURL, s.EBay.TokenURL = url+simulator.LeadsPath, url+simulator.TokenPath
	s.EBay.Account, s.EBay.Marketplace = demoAccount, cfg.Marketplace
	s.EBay.ClientID, s.EBay.ClientSecret = cfg.ClientID, secret.New(cfg.ClientSecret)
	s.State.Dir = filepath.Join(c.Dir, "state")
	s.Parquet.Dir = filepath.Join(c.Dir, "parquet")
	s.NDJSON.Dir, s.NDJSON.Compression = filepath.Join(c.Dir, "ndjson"), "none" // for jq
	s.Kafka.Brokers, s.Kafka.Topic = brokers, demoTopic
	var problems config.Problems
	s.validate(func(section, key, text string) {
		problems = append(problems, config.Problem{Key: "[" + section + "] " + key, Text: text})
	})
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

// export runs the batch. What goes wrong on the way is meant to, so it is logged
// with --verbose only.
func (c *demoCommand) export(ctx context.Context, p *process, s *settings, r *rangeConfig) (*summary, error) {
	if !p.log.Enabled(ctx, slog.LevelDebug) {
		silent := *p.console
		silent.log = slog.New(slog.DiscardHandler)
		p = &process{console: &silent, build: p.build}
	}
	request, err := r.request(time.Now(), s.EBay.Queries(), false)
	if err != nil {
		return nil, err
	}
	a, err := s.assemble(ctx, p)
	if err != nil {
		return nil, err
	}
	a.deliverTo(s, s.sinks(batchOutputs))
	if err := a.connect(s, p, demoBackoff); err != nil {
		return nil, a.close(err)
	}
	summary, err := a.run(ctx, p, request)
	return summary, a.close(err)
}

// demoMark is a file that says that a folder is a demo's, and may be replaced.
const demoMark = "THIS-IS-A-DEMO"

// clearDemo makes the folder, without what an earlier demo left there.
func clearDemo(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking at the demo's folder: %w", err)
	}
	mark := filepath.Join(dir, demoMark)
	if len(entries) > 0 {
		if _, err := os.Stat(mark); err != nil {
			return &usageError{err: fmt.Errorf("%s is not a folder that a demo made: name another with --dir", dir), command: "demo"}
		}
		for _, part := range []string{"parquet", "ndjson", "state"} {
			if err := os.RemoveAll(filepath.Join(dir, part)); err != nil {
				return fmt.Errorf("removing an earlier demo: %w", err)
			}
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	if err := os.WriteFile(mark, []byte("Everything here is invented, and replaced by the next 'leads-etl demo'.\n"), 0o600); err != nil {
		return fmt.Errorf("making the demo's folder: %w", err)
	}
	return nil
}
