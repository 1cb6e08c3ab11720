package source_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// world is a simulated API with a client for it.
type world struct {
	*simulator.Server
	client *source.Client
	log    lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func newWorld(t *testing.T, config simulator.Config, change ...func(*source.Config)) *world {
	t.Helper()
	config.Clean = true
	server, err := simulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	base, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	w := &world{Server: server}
	c := source.Config{
		Environment: source.Production, APIURL: base + simulator.LeadsPath, TokenURL: base + simulator.TokenPath,
		Account: "shop", Marketplace: server.Config().Marketplace, Grant: source.ClientCredentials,
		ClientID: server.Config().ClientID, ClientSecret: secret.New(server.Config().ClientSecret),
	}
	for _, f := range change {
		f(&c)
	}
	w.client, err = source.New(c, source.Limits{Timeout: 5 * time.Second, MaxAttempts: 8, DailyQuota: 100_000}, source.Options{
		StateDir: t.TempDir(),
		Logger:   slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Backoff:  time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

// export fetches the range as a caller would: some windows at the same time,
// split where they fail. It returns how often each lead of it was found.
func (w *world) export(ctx context.Context, r window.Window, width time.Duration, q journal.Query) (map[string]int, error) {
	var mu sync.Mutex
	found := make(map[string]int)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	var get func(window.Window) error
	get = func(part window.Window) error {
		page, err := w.client.Fetch(ctx, part, q)
		if failed, ok := errors.AsType[*fetch.WindowError](err); ok {
			left, right, ok := part.Split()
			if !ok {
				return failed
			}
			return errors.Join(get(left), get(right))
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		return eachLead(page, func(name string, submitted time.Time) {
			if part.Contains(submitted) {
				found[name]++
			}
		})
	}
	for from := r.From; from.Before(r.To); from = from.Add(width) {
		part := window.New(from, from.Add(width)).Intersect(r)
		group.Go(func() error { return get(part) })
	}
	return found, group.Wait()
}

// eachLead names the leads of a page by listing, time and text.
func eachLead(p *journal.Page, lead func(name string, submitted time.Time)) error {
	z, err := gzip.NewReader(bytes.NewReader(p.Body))
	if err != nil {
		return err
	}
	var answer struct {
		ClassifiedLeads []struct {
			ItemID    string
			Responses []struct {
				SubmittedTime         time.Time
				AdditionalInformation string
			}
		}
	}
	if err := json.NewDecoder(z).Decode(&answer); err != nil {
		return err
	}
	for _, item := range answer.ClassifiedLeads {
		for _, r := range item.Responses {
			lead(nameOf(item.ItemID, r.SubmittedTime, r.AdditionalInformation), r.SubmittedTime)
		}
	}
	return nil
}

func nameOf(item string, submitted time.Time, text string) string {
	return fmt.Sprintf("%s %s %s", item, submitted.UTC().Format(time.RFC3339Nano), text)
}

// truth is what export should find.
func (w *world) truth(r window.Window, item string) map[string]int {
	leads := make(map[string]int)
	for lead := range w.Truth(r) {
		if item == "" || lead.ItemID.Value == item {
			leads[nameOf(lead.ItemID.Value, lead.SubmittedTime.Value, lead.AdditionalInformation.Value)]++
		}
	}
	return leads
}

// check compares, and looks for requests that the reference forbids and for
// secrets in the log.
func (w *world) check(t *testing.T, got, want map[string]int) {
	t.Helper()
	missing, wrong := 0, 0
	for name, n := range want {
		if got[name] < n {
			missing++
		}
	}
	for name, n := range got {
		if n > want[name] {
			wrong++
		}
	}
	if missing > 0 || wrong > 0 || len(want) == 0 {
		t.Errorf("of %d leads %d are missing, %d are too many", len(want), missing, wrong)
	}
	if forbidden := w.Forbidden(); len(forbidden) > 0 {
		t.Errorf("%d forbidden requests, such as %s", len(forbidden), forbidden[0])
	}
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	for _, secret := range []string{w.Config().ClientSecret, w.Config().RefreshToken, "#f^0#t^"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// count compares the client's statistics with the server's books.
func (w *world) count(t *testing.T) {
	t.Helper()
	books, stats := w.Stats(), w.client.Stats()
	requests, tokens := 0, 0
	for endpoint, n := range books.Requests {
		if strings.Contains(endpoint, "classified_lead") {
			requests += n
		} else {
			tokens += n
		}
	}
	used, _, _ := w.client.Quota()
	if stats.Requests != int64(requests) || used != requests || stats.TokenRequests != int64(tokens) {
		t.Errorf("the client counts %d requests (%d in its quota) and %d for tokens, the server %d and %d",
			stats.Requests, used, stats.TokenRequests, requests, tokens)
	}
}

func TestExportThroughFaults(t *testing.T) {
	to := time.Now().Add(-time.Hour).UTC().Truncate(time.Hour)
	r := window.New(to.Add(-30*24*time.Hour), to)
	w := newWorld(t, simulator.Config{
		Leads: 3000, From: r.From, To: r.To, Burst: 300,
		Faults: simulator.Faults{
			Internal: 0.08, TooMany: 0.01, TooManyDate: 0.01, Unavailable: 0.02, HTML502: 0.04, Reset: 0.05, ResetBody: 0.02,
			Truncate: 0.05, Garbage: 0.02, NotJSON: 0.02, Short: 0.05, Bomb: 0.01, BombBytes: 64 << 20, Warnings: 0.1, Revoke: 0.02,
			Token: 0.2, TokenEndless: 0.05, TokenLife: 2 * time.Second, MaxLeads: 400,
		},
	})
	got, err := w.export(t.Context(), r, 12*time.Hour, journal.Query{})
	if err != nil {
		t.Fatal(err)
	}
	w.check(t, got, w.truth(r, ""))
	w.count(t)
	t.Logf("%+v", w.client.Stats())
}

func TestExportOfItemsByRefreshToken(t *testing.T) {
	to := time.Now().Add(-time.Hour).UTC().Truncate(time.Hour)
	r := window.New(to.Add(-30*24*time.Hour), to)
	w := newWorld(t, simulator.Config{
		Leads: 500, Listings: 3, From: r.From, To: r.To, Faults: simulator.Faults{Internal: 0.05, Reset: 0.05},
	}, func(c *source.Config) {
		c.Grant, c.RefreshToken = source.RefreshToken, secret.New("simulator-refresh-token")
	})
	for _, item := range w.ItemIDs() {
		got, err := w.export(t.Context(), r, 10*24*time.Hour, journal.Query{Item: item, Messages: true})
		if err != nil {
			t.Fatal(err)
		}
		w.check(t, got, w.truth(r, item))
	}
	w.count(t)
}

// A range that ends now, under clocks that disagree: no bound in the future,
// and no lead of the last second lost.
func TestExportUpToNow(t *testing.T) {
	for _, skew := range []time.Duration{-20 * time.Second, 0, time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			t.Parallel()
			now := time.Now().Add(skew).UTC().Truncate(time.Second)
			r := window.New(now.Add(-time.Hour), now.Add(2*time.Second))
			w := newWorld(t, simulator.Config{Leads: 2000, From: r.From, To: r.To, Skew: skew})
			got, err := w.export(t.Context(), r, 10*time.Minute, journal.Query{})
			if err != nil {
				t.Fatal(err)
			}
			w.check(t, got, w.truth(r, ""))
		})
	}
}

func TestOnlyTheFailingSecondIsLost(t *testing.T) {
	to := time.Now().Add(-time.Hour).UTC().Truncate(time.Hour)
	r := window.New(to.Add(-time.Minute), to)
	w := newWorld(t, simulator.Config{Leads: 300, From: r.From, To: r.To})
	bad := r.From.Add(30 * time.Second)
	w.FailSecond(bad)
	for from := r.From; from.Before(r.To); from = from.Add(time.Second) {
		second := window.New(from, from.Add(time.Second))
		_, err := w.client.Fetch(t.Context(), second, journal.Query{})
		failed, ok := errors.AsType[*fetch.WindowError](err)
		if (err != nil) != from.Equal(bad) || ok && failed.Window != second {
			t.Errorf("%s: %v", second, err)
		}
	}
	w.Heal(bad)
	got, err := w.export(t.Context(), r, time.Minute, journal.Query{})
	if err != nil {
		t.Fatal(err)
	}
	w.check(t, got, w.truth(r, ""))
}

func TestSimulatedRefusals(t *testing.T) {
	recent := window.New(time.Now().Add(-time.Hour), time.Now().Add(-time.Minute))
	for name, test := range map[string]struct {
		faults simulator.Faults
		change func(*source.Config)
		query  journal.Query
	}{
		"wrong secret": {change: func(c *source.Config) { c.ClientSecret = secret.New("not the secret") }},
		"wrong refresh": {change: func(c *source.Config) {
			c.Grant, c.RefreshToken = source.RefreshToken, secret.New("not the token")
		}},
		"wrong item":   {query: journal.Query{Item: "999999999999"}},
		"wrong market": {change: func(c *source.Config) { c.Marketplace = "EBAY_NOWHERE" }},
		"redirect":     {faults: simulator.Faults{Redirect: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			change := test.change
			if change == nil {
				change = func(*source.Config) {}
			}
			w := newWorld(t, simulator.Config{Leads: 10, Faults: test.faults}, change)
			_, err := w.client.Fetch(t.Context(), recent, test.query)
			refused, ok := errors.AsType[*fetch.RefusedError](err)
			if !ok || refused.Hint == "" && name != "wrong market" {
				t.Errorf("got %T: %v", err, err)
			}
			if stats := w.client.Stats(); stats.Requests+stats.TokenRequests > 2 || stats.Retries > 0 {
				t.Errorf("stats %+v", stats)
			}
		})
	}
}

func TestOutageAndRecovery(t *testing.T) {
	w := newWorld(t, simulator.Config{Leads: 10})
	w.SetOutage(true)
	err := w.client.Check(t.Context())
	if _, ok := errors.AsType[*fetch.UnavailableError](err); !ok {
		t.Errorf("got %T: %v", err, err)
	}
	w.SetOutage(false)
	if err := w.client.Check(t.Context()); err != nil {
		t.Error(err)
	}
	w.RevokeTokens()
	if err := w.client.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if forbidden := w.Forbidden(); len(forbidden) > 0 {
		t.Errorf("forbidden: %v", forbidden)
	}
	w.count(t)
}
