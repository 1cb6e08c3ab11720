package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
)

// contender is one who is measured, at one kind of work. Its id is a name, a
// slash, and the work.
type contender struct {
	id string
	// once says that it is measured once, and not in each round.
	once bool
	run  func(ctx context.Context) (report.Sample, facts, error)
}

// dltHours is the length of dlt's windows: as many leads as leads-etl comes to ask
// for at a time, some 2,000 of a million.
func dltHours(leads int) float64 {
	const good = 2000
	return rangeTo.Sub(rangeFrom).Hours() * good / float64(leads)
}

// contenders are all, in the order of a round: ours and its peers take turns.
func (b *bench) contenders() []contender {
	all := []contender{
		{id: "leads-etl/both", run: b.replay(true, true, false)},
		{id: "DuckDB/both", run: b.duckdb(true, true)},
		{id: "leads-etl/parquet", run: b.replay(true, false, false)},
		{id: "DuckDB/parquet", run: b.duckdb(true, false)},
		{id: "leads-etl/ndjson", run: b.replay(false, true, false)},
		{id: "DuckDB/ndjson", run: b.duckdb(false, true)},
		{id: "leads-etl/http", run: b.overHTTP},
		{id: "dlt/http", run: b.dlt},
		{id: "leads-etl/kafka", run: b.replay(false, false, true)},
		{id: "kafka-go/kafka", run: b.producer(b.broker.plain)},
		{id: "ProducerPerformance/kafka", run: b.producer(b.broker.java)},
		{id: "leads-etl/land", run: b.land()},
		{id: "leads-etl/land, no journal", run: b.land("-discard")},
		{id: "leads-etl/all", run: b.replay(true, true, true)},
		{id: "leads-etl/start", run: b.firstRequest},
	}
	if b.tenfold {
		all = append(all, contender{id: "leads-etl/all, ten times", once: true, run: b.replayTenfold})
	}
	if b.idle {
		all = append(all, contender{id: "leads-etl/idle", once: true, run: b.idleStream})
	}
	return all
}

// path is where an output goes; the folder is emptied before each run.
func (b *bench) path(name string) string { return filepath.Join(b.work, name) }

// replay delivers what is landed into fresh outputs.
func (b *bench) replay(parquet, ndjson, kafka bool) func(context.Context) (report.Sample, facts, error) {
	return func(ctx context.Context) (report.Sample, facts, error) {
		return b.replayOf(ctx, b.corpus, parquet, ndjson, kafka)
	}
}

func (b *bench) replayOf(ctx context.Context, c *corpus, parquet, ndjson, kafka bool) (report.Sample, facts, error) {
	e := exporter{binary: b.binary, threads: b.threads, api: c.API, state: c.state(), brokers: b.broker.addresses}
	var outputs []output
	if parquet {
		e.parquet = b.path("parquet")
		outputs = append(outputs, output{"parquet", filepath.Join(e.parquet, "**", "*.parquet")})
	}
	if ndjson {
		e.ndjson = b.path("ndjson")
		outputs = append(outputs, output{"ndjson", filepath.Join(e.ndjson, "**", "*.ndjson.zst")})
	}
	if kafka {
		e.topic = b.topic()
		outputs = append(outputs, output{"kafka", e.topic})
	}
	cmd, err := e.command(ctx, "replay")
	if err != nil {
		return report.Sample{}, nil, err
	}
	return b.measured(ctx, cmd, outputs...)
}

func (b *bench) replayTenfold(ctx context.Context) (report.Sample, facts, error) {
	c, err := makeCorpus(ctx, filepath.Join(b.dir, fmt.Sprintf("corpus-%d", 10*b.leads)), b.binary, 10*b.leads, b.threads, false)
	if err != nil {
		return report.Sample{}, nil, err
	}
	return b.replayOf(ctx, c, true, true, true)
}

func (b *bench) duckdb(parquet, ndjson bool) func(context.Context) (report.Sample, facts, error) {
	return func(ctx context.Context) (report.Sample, facts, error) {
		args := []string{"--pages", b.corpus.pages(), "--threads", strconv.Itoa(b.threads)}
		var outputs []output
		if parquet {
			path := b.path("leads.parquet")
			args, outputs = append(args, "--parquet", path), append(outputs, output{"parquet", path})
		}
		if ndjson {
			path := b.path("leads.ndjson.zst")
			args, outputs = append(args, "--ndjson", path), append(outputs, output{"ndjson", path})
		}
		return b.measured(ctx, b.peers.command(ctx, "duckdb_peer.py", args...), outputs...)
	}
}

// overHTTP is a whole batch, from the API to files.
func (b *bench) overHTTP(ctx context.Context) (report.Sample, facts, error) {
	e := exporter{binary: b.binary, threads: b.threads, api: b.sim.url, state: b.path("state"), parquet: b.path("parquet")}
	cmd, err := e.command(ctx, batch()...)
	if err != nil {
		return report.Sample{}, nil, err
	}
	return b.measured(ctx, cmd, output{"parquet", filepath.Join(e.parquet, "**", "*.parquet")})
}

func (b *bench) dlt(ctx context.Context) (report.Sample, facts, error) {
	const form = "2006-01-02T15:04:05Z"
	e := exporter{api: b.sim.url}
	cmd := b.peers.command(ctx, "dlt_peer.py", "--api", e.leadsURL(), "--token-url", e.tokenURL(),
		"--from", rangeFrom.Format(form), "--to", rangeTo.Format(form), "--hours", fmt.Sprintf("%.4f", dltHours(b.leads)),
		"--out", b.path("dlt"), "--work", b.path("dlt-work"))
	return b.measured(ctx, cmd, output{"parquet", filepath.Join(b.path("dlt"), "leads", "leads", "*.parquet")})
}

// producer measures a program that sends records to a topic.
func (b *bench) producer(command func(context.Context, string, int) (*exec.Cmd, error)) func(context.Context) (report.Sample, facts, error) {
	return func(ctx context.Context) (report.Sample, facts, error) {
		topic := b.topic()
		if err := b.broker.create(ctx, topic); err != nil {
			return report.Sample{}, nil, err
		}
		cmd, err := command(ctx, topic, b.leads)
		if err != nil {
			return report.Sample{}, nil, err
		}
		return b.measured(ctx, cmd, output{"kafka", topic})
	}
}

func (b *bench) land(args ...string) func(context.Context) (report.Sample, facts, error) {
	return func(ctx context.Context) (report.Sample, facts, error) {
		cmd, err := self(ctx, append([]string{"land", "-api", b.sim.url, "-state", b.path("state")}, args...)...)
		if err != nil {
			return report.Sample{}, nil, err
		}
		cmd.Env = append(cmd.Environ(), secretEnv+"="+clientSecret, fmt.Sprintf("GOMAXPROCS=%d", b.threads))
		s, out, err := measure(cmd)
		if err != nil {
			return s, nil, err
		}
		var l landed
		if err := json.Unmarshal(lastLine(out), &l); err != nil {
			return s, nil, err
		}
		s.Leads = int(l.Leads)
		s.More = map[string]float64{"pages": float64(l.Pages)}
		return s, nil, nil
	}
}

// performance is the last line of Kafka's tool.
var performance = regexp.MustCompile(`(\d+) records sent, ([\d.]+) records/sec`)

// measured runs a contender, reads its outputs, and removes its topics.
func (b *bench) measured(ctx context.Context, cmd *exec.Cmd, outputs ...output) (report.Sample, facts, error) {
	s, out, err := measure(cmd)
	if err != nil {
		return s, nil, err
	}
	var o own
	if json.Unmarshal(lastLine(out), &o) == nil && o.Version != "" {
		b.note(o.Version)
	}
	if m := performance.FindSubmatch(lastLine(out)); m != nil {
		n, _ := strconv.ParseFloat(string(m[1]), 64) // they match
		rate, _ := strconv.ParseFloat(string(m[2]), 64)
		s.Seconds = n / rate
	}
	all := facts{}
	for _, o := range outputs {
		f, err := o.read(ctx, b)
		if err != nil {
			return s, nil, err
		}
		if problem := all.differ(f); problem != "" {
			return s, nil, fmt.Errorf("%s: its own outputs differ: %s", cmd, problem)
		}
	}
	rows, _ := all["rows"].(float64)
	s.Leads = int(rows)
	return s, all, nil
}

// note keeps the version of a peer, which is told as name and number; ours has
// none to tell.
func (b *bench) note(version string) {
	if version == "" {
		return
	}
	name, _, _ := bytes.Cut([]byte(version), []byte(" "))
	b.versions[string(name)] = version
}

// noteKafka keeps the versions of what does not tell its own.
func (b *bench) noteKafka(ctx context.Context) error {
	cmd, err := kafkatest.Tool(ctx, "org.apache.kafka.tools.TopicCommand", "--version")
	if err != nil {
		return err
	}
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("asking for Kafka's version: %w", err)
	}
	b.note("Kafka " + string(bytes.Fields(append(out, '?'))[0]))
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/segmentio/kafka-go" {
				b.note("kafka-go " + dep.Version)
			}
		}
	}
	return nil
}
