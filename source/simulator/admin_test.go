package simulator

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alecthomas/kong"
)

func (c *client) admin(method, path string, into any) int {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+adminPath+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if into != nil && resp.StatusCode == 200 {
		if err := json.Unmarshal(body, into); err != nil {
			c.t.Fatalf("%s: %v", body, err)
		}
	}
	return resp.StatusCode
}

// TestAdminTruth has the truth come through the admin surface without loss.
func TestAdminTruth(t *testing.T) {
	s, c := start(t, Config{Leads: 500, Rates: Rates{Misfits: 0.5, BadTexts: 0.2, UnknownFields: 0.5, Undated: 0.1, Dead: 0.1}})
	id := s.ItemIDs()[0]
	if err := s.EndListing(id); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]Lead{
		"":           slices.Collect(s.Truth(s.Range())),
		"?all=true":  slices.Collect(s.AllTruth(s.Range())),
		"?version=0": slices.Collect(s.TruthAt(0, s.Range())),
		"?from=2030-01-01T00:00:00Z&to=2031-01-01T00:00:00Z": nil,
	} {
		resp, err := c.http.Get(c.url + adminPath + "truth" + query)
		if err != nil {
			t.Fatal(err)
		}
		var got []Lead
		for lines := json.NewDecoder(bufio.NewReader(resp.Body)); ; {
			var l Lead
			if err := lines.Decode(&l); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			got = append(got, l)
		}
		resp.Body.Close()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("truth%s: %d leads are not the %d of Truth", query, len(got), len(want))
		}
	}
}

// TestAdmin uses every other path of the admin surface.
func TestAdmin(t *testing.T) {
	s, c := start(t, Config{Leads: 100, Listings: 4})
	var world struct {
		Version uint64
		Item    string
		First   int
		Leads   int
		Faults  string
	}
	post := func(path string) {
		t.Helper()
		if status := c.admin(http.MethodPost, path, &world); status != 200 {
			t.Errorf("POST %s: status %d", path, status)
		}
	}
	for i, path := range []string{"respond?lead=1&lead=2", "message?lead=1", "rename?lead=1", "add-leads?n=5", "end-listing?item=" + itemID(1), "relist?item=" + itemID(1), "churn-step"} {
		post(path)
		if world.Version < uint64(i+1) {
			t.Errorf("POST %s: version %d", path, world.Version)
		}
	}
	if world.Item != itemID(4) || world.First != 100 || world.Leads < 105 {
		t.Errorf("world: %+v", world)
	}
	post("change?lead=3")
	post("faults?set=" + url.QueryEscape("350000=1,max-leads=7"))
	if world.Faults != "350000=1,max-leads=7" || s.faults().MaxLeads != 7 {
		t.Errorf("faults: %q", world.Faults)
	}
	post("faults?set=")
	second := epoch.Add(day).Format(time.RFC3339)
	post("fail-second?time=" + second)
	if got := c.window(0, 2*day); got.status != 500 {
		t.Errorf("failing second: status %d", got.status)
	}
	post("heal?time=" + second)
	post("fail-second?time=" + second)
	post("heal")
	if got := c.window(0, 2*day); got.status != 200 {
		t.Errorf("healed: status %d", got.status)
	}
	post("outage?on=true")
	if got := c.window(0, 2*day); got.status != 0 {
		t.Errorf("outage: status %d", got.status)
	}
	post("outage?on=false")
	post("skew?by=-90s")
	if got := s.Now(); !got.Equal(epoch.AddDate(0, 3, 0).Add(-90 * time.Second)) {
		t.Errorf("skewed clock: %v", got)
	}
	post("client-restarted")
	post("revoke-tokens")
	if got := c.window(0, 2*day); got.status != 401 {
		t.Errorf("revoked: status %d", got.status)
	}
	c.get("/classified_lead?limit=1")
	var stats Stats
	var forbidden []string
	var exchanges []Exchange
	c.admin(http.MethodGet, "stats", &stats)
	c.admin(http.MethodGet, "forbidden", &forbidden)
	c.admin(http.MethodGet, "exchanges", &exchanges)
	if !reflect.DeepEqual(stats, s.Stats()) || stats.Requests["GET /classified_lead"] != 5 || stats.Tokens != 1 {
		t.Errorf("stats: %+v", stats)
	}
	if !slices.Equal(forbidden, s.Forbidden()) || len(forbidden) != 1 || !strings.Contains(forbidden[0], `"limit"`) {
		t.Errorf("forbidden: %q", forbidden)
	}
	if len(exchanges) != 5 || exchanges[0].Outcome != "second" || !exchanges[0].From.Equal(epoch) {
		t.Errorf("exchanges: %+v", exchanges)
	}
	post("reset-stats")
	if st := s.Stats(); st.Forbidden != 0 || len(st.Requests) != 0 || len(s.Exchanges()) != 0 {
		t.Errorf("stats after reset: %+v", st)
	}
	c.admin(http.MethodGet, "forbidden", &forbidden)
	if forbidden == nil || len(forbidden) != 0 {
		t.Errorf("forbidden after reset: %q", forbidden)
	}
	for _, path := range []string{
		"respond?lead=1000", "respond?lead=x", "end-listing?item=x", "relist?item=x", "add-leads?n=x", "add-leads?n=1&from=x", "add-leads?n=1&to=x",
		"fail-second", "heal?time=x", "outage?on=x", "faults?set=x", "skew?by=x",
	} {
		if status := c.admin(http.MethodPost, path, nil); status != 400 {
			t.Errorf("POST %s: status %d", path, status)
		}
	}
	for _, path := range []string{"truth?from=x", "truth?to=x", "truth?version=x"} {
		if status := c.admin(http.MethodGet, path, nil); status != 400 {
			t.Errorf("GET %s: status %d", path, status)
		}
	}
}

// TestStart serves on a port of its own, and stops twice without harm.
func TestStart(t *testing.T) {
	s, err := New(Config{Leads: 10, Churn: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	base, stop, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if _, _, err := s.Start(strings.TrimPrefix(base, "http://")); err == nil {
		t.Error("two servers on one port")
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(base + adminPath + "world")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for s.Version() == 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	stop()
	if resp, err := (&http.Client{Transport: transport}).Get(base + adminPath + "world"); err == nil {
		resp.Body.Close()
		t.Error("it still serves")
	}
}

// TestChurn makes its steps in time.
func TestChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Leads: 100})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute+time.Second)
		defer cancel()
		s.Churn(ctx, time.Second)
		if v := s.Version(); v < 600 {
			t.Errorf("%d versions after 600 steps", v)
		}
	})
}

// TestRedirect tells of a client that follows a redirect to another host.
func TestRedirect(t *testing.T) {
	s, c := start(t, Config{Faults: Faults{Redirect: 1}})
	location, err := url.Parse(c.get("/classified_lead").header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodGet, c.url+location.Path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	c.do(r)
	if f := s.Forbidden(); len(f) != 1 || !strings.Contains(f[0], "with the token") {
		t.Errorf("forbidden: %q", f)
	}
}

// TestConfig has the flags' defaults be those of the zero config, and every
// problem be reported by its key.
func TestConfig(t *testing.T) {
	var flags Config
	parser, err := kong.New(&flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 34, 56, 0, time.UTC)
	flags.Now = func() time.Time { return now }
	zero := Config{Addr: "127.0.0.1:8765", Seed: 1, Leads: 20_000, Bursts: 1, Now: flags.Now}
	a, b := flags.withDefaults(), zero.withDefaults()
	a.Now, b.Now = nil, nil
	if !reflect.DeepEqual(a, b) {
		t.Errorf("flags give\n%+v, the zero config\n%+v", a, b)
	}
	if want := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC); !a.To.Equal(want) || !a.From.Equal(want.AddDate(0, 0, -60)) {
		t.Errorf("range from %v to %v", a.From, a.To)
	}
	if _, err := parser.Parse([]string{"--faults=350000=0.08,short=0.05", "--rate-twins=0.5", "--clean", "--from=2026-09-01T00:00:00Z"}); err != nil {
		t.Fatal(err)
	}
	if flags.Faults != (Faults{Internal: 0.08, Short: 0.05}) || flags.Rates.Twins != 0.5 || !flags.Clean || !flags.From.Equal(epoch) {
		t.Errorf("flags: %+v", flags)
	}

	bad := Config{
		Leads: -1, Listings: -1, Burst: 7, Bursts: -1, AvgBytes: 3, Marketplace: "DE", From: epoch, To: epoch, Churn: -1, CacheBytes: -1, DailyQuota: -1,
		Rates: Rates{Twins: 2}, Faults: Faults{Reset: 0.7, Short: 0.7},
	}
	var keys []string
	bad.Validate(func(key, problem string) {
		keys = append(keys, key)
		if problem == "" {
			t.Errorf("%s: no problem", key)
		}
	})
	want := []string{"leads", "listings", "burst", "bursts", "daily-quota", "avg-bytes", "to", "marketplace", "rate-twins", "churn", "cache-bytes", "faults"}
	if !slices.Equal(keys, want) {
		t.Errorf("problems of %q, want %q", keys, want)
	}
	if _, err := New(bad); err == nil || !strings.Contains(err.Error(), "marketplace") || !strings.Contains(err.Error(), "leads") {
		t.Errorf("New: %v", err)
	}
	if _, err := New(Config{From: now.AddDate(0, 0, 1), To: now.AddDate(200, 0, 0)}); err == nil {
		t.Error("a range of 200 years")
	}
	s, err := New(Config{Leads: 10, Burst: 10, From: epoch, To: epoch.Add(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(slices.Collect(s.Truth(s.Range()))); n != 10 {
		t.Errorf("%d leads in a world of one second", n)
	}
}
