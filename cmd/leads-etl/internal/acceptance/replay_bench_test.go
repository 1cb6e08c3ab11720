package acceptance

import (
	"context"
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	confidential "github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/ndjson"
	"github.com/leads-etl/leads-etl/sinks/parquet"
	"github.com/leads-etl/leads-etl/source"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// BenchmarkReplay measures replays of what is landed, within this process, so that
// a profile shows where the time goes; the sink "none" takes rows and does
// nothing with them, which leaves what all sinks share.
//
//	BENCH_LEADS=200000 go test -run '^$' -bench Replay -benchtime 3x -cpuprofile cpu.out ./cmd/leads-etl/internal/acceptance
func BenchmarkReplay(b *testing.B) {
	leads := benchLeads()
	j := landed(b, leads)
	for _, bm := range []struct {
		name  string
		sinks []string
	}{
		{"none", []string{"none"}},
		{"parquet", []string{"parquet"}},
		{"ndjson", []string{"ndjson"}},
		{"parquet+ndjson", []string{"parquet", "ndjson"}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			begun := cpuTime(b)
			for b.Loop() {
				s := stagesOf(b, j)
				for _, name := range bm.sinks {
					s.Sinks = append(s.Sinks, openerOf(j, name, filepath.Join(b.TempDir(), name)))
				}
				if _, err := pipeline.Replay(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
			n := float64(leads) * float64(b.N)
			b.ReportMetric(float64((cpuTime(b)-begun).Microseconds())/n, "cpu-µs/lead")
			b.ReportMetric(n/b.Elapsed().Seconds(), "leads/s")
		})
	}
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// landed is a journal that holds a batch of so many leads.
func landed(b *testing.B, leads int) *journal.Journal {
	b.Helper()
	sim, err := simulator.New(simulator.Config{Seed: 3, Leads: leads, From: september, To: november, ClientSecret: secret})
	if err != nil {
		b.Fatal(err)
	}
	api, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	client, err := source.New(source.Config{
		Environment: source.Production, APIURL: api + simulator.LeadsPath, TokenURL: api + simulator.TokenPath,
		Account: account, Marketplace: marketplace, Grant: source.ClientCredentials, ClientID: "simulator", ClientSecret: confidential.New(secret),
	}, source.Limits{Timeout: time.Minute, MaxAttempts: 6, DailyQuota: 5000}, source.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	j, err := journal.Open(b.TempDir(), journal.Options{
		Identity: journal.Identity{Account: account, Marketplace: marketplace, API: api}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { j.Close() })
	request, err := pipeline.Between(september, november, november, pipeline.Queries(nil, "", true))
	if err != nil {
		b.Fatal(err)
	}
	s := stagesOf(b, j)
	s.Source = client
	batch, err := pipeline.NewBatch(b.Context(), s, request)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := batch.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	return j
}

func stagesOf(b *testing.B, j *journal.Journal) pipeline.Stages {
	b.Helper()
	logger := slog.New(slog.DiscardHandler)
	return pipeline.Stages{
		Journal: j, Logger: logger, Fetch: fetch.Config{Window: 24 * time.Hour, Concurrency: 4},
		Reader: deliver.NewReader(j, flatten.Flattener{Account: account, Marketplace: marketplace}, deliver.NewDeadLetters(b.TempDir()), logger),
	}
}

func openerOf(j *journal.Journal, name, dir string) deliver.Opener {
	binding := deliver.Binding{JournalID: j.ID(), Account: account, Marketplace: marketplace}
	logger := slog.New(slog.DiscardHandler)
	return deliver.Opener{Name: name, Open: func(ctx context.Context) (deliver.Sink, error) {
		switch name {
		case "parquet":
			return parquet.Open(ctx, parquet.DefaultConfig(dir), binding, logger)
		case "ndjson":
			return ndjson.Open(ctx, ndjson.DefaultConfig(dir), binding, logger)
		default:
			return noSink{}, nil
		}
	}}
}

// noSink takes rows as a table and keeps nothing.
type noSink struct{}

func (noSink) Name() string                 { return "none" }
func (noSink) Semantics() deliver.Semantics { return deliver.Replace }
func (noSink) Position(context.Context, deliver.Partition) (deliver.Position, error) {
	return deliver.Position{}, nil
}
func (noSink) Begin(context.Context, deliver.Partition) (deliver.Transaction, error) {
	return noTransaction{}, nil
}
func (noSink) Close() error { return nil }

type noTransaction struct{}

func (noTransaction) Write(context.Context, []schema.Row) error { return nil }
func (noTransaction) Commit(context.Context, deliver.Position) (deliver.Receipt, error) {
	return deliver.Receipt{}, nil
}
func (noTransaction) Rollback() error { return nil }
