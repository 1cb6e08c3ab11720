package source_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// One window of one day, from a simulated API.
func Example() {
	day := window.New(time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC), time.Date(2025, 1, 11, 0, 0, 0, 0, time.UTC))
	api, err := simulator.New(simulator.Config{Leads: 250, From: day.From, To: day.To, Clean: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	base, stop, err := api.Start("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	client, err := source.New(source.Config{
		Environment:  source.Production,
		APIURL:       base + simulator.LeadsPath,
		TokenURL:     base + simulator.TokenPath,
		Account:      "shop",
		Marketplace:  "EBAY_DE",
		Grant:        source.ClientCredentials,
		ClientID:     "simulator",
		ClientSecret: secret.New("simulator-secret"),
	}, source.Limits{
		Timeout:     time.Minute,
		MaxAttempts: 6,
		DailyQuota:  5000,
	}, source.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	page, err := client.Fetch(context.Background(), day, journal.Query{})
	switch failed, split := errors.AsType[*fetch.WindowError](err); {
	case split:
		fmt.Println("two smaller windows may pass:", failed)
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Printf("%d leads of %d announced\n", page.Leads, *page.TotalLeads)
		fmt.Println(page.Request)
	}
	used, limit, _ := client.Quota()
	fmt.Printf("%d of %d calls used\n", used, limit)
	// Output:
	// 250 leads of 250 announced
	// GET /sell/leads/v1/classified_lead?endTime=2025-01-11T00%3A00%3A00Z&includeMessages=false&startTime=2025-01-10T00%3A00%3A00Z
	// 1 of 5000 calls used
}
