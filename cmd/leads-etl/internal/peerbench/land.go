package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// land is a child: the fetch stage alone, as a batch runs it, with the journal
// or, with -discard, without it: every answer is then taken for one that is known
// and not landed.
func land(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("land", flag.ContinueOnError)
	api := flags.String("api", "", "URL of the simulator")
	state := flags.String("state", "", "folder for the journal")
	discard := flags.Bool("discard", false, "land nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	logger := slog.New(slog.DiscardHandler)
	j, err := journal.Open(*state, journal.Options{
		Identity: journal.Identity{Account: account, Marketplace: marketplace, API: *api}, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	client, err := source.New(source.Config{
		Environment: source.Production, APIURL: *api + simulator.LeadsPath, TokenURL: *api + simulator.TokenPath,
		Account: account, Marketplace: marketplace, Grant: source.ClientCredentials,
		ClientID: clientID, ClientSecret: secret.New(os.Getenv(secretEnv)), IncludeMessages: true,
	}, source.Limits{Timeout: time.Minute, MaxAttempts: 6, DailyQuota: 10_000_000}, source.Options{StateDir: *state, Logger: logger})
	if err != nil {
		return err
	}
	defer client.Close()
	config := fetch.Config{Window: 24 * time.Hour, Concurrency: 4}
	fetcher := fetch.New(client, j, config, logger)
	if *discard {
		known := func(context.Context, *journal.Page) (bool, error) { return true, nil }
		fetcher = fetch.NewPoller(client, j, known, config, logger)
	}
	err = fetcher.Run(ctx, []*fetch.Job{{
		Batch: "bench", Query: journal.Query{Messages: true}, Missing: []window.Window{window.New(rangeFrom, rangeTo)},
	}})
	if err != nil {
		return err
	}
	stats := fetcher.Stats()
	if stats.Gaps > 0 || *discard != (stats.Pages == 0) {
		return fmt.Errorf("%d pages landed, %d discarded, %d gaps: that is not what was to be measured", stats.Pages, stats.Unchanged, stats.Gaps)
	}
	return json.NewEncoder(os.Stdout).Encode(landed{Leads: stats.Leads, Pages: stats.Pages + stats.Unchanged})
}

// landed is the child's answer. A lead in the second where two windows touch is
// received twice.
type landed struct {
	Leads int64 `json:"leads"`
	Pages int64 `json:"pages"`
}
