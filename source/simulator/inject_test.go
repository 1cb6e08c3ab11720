package simulator

import (
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestFaults looks at what the client sees of each fault.
func TestFaults(t *testing.T) {
	for text, check := range map[string]func(s *Server, got reply) bool{
		"350000=1": func(_ *Server, r reply) bool {
			return r.status == 500 && r.Errors[0].ErrorID == 350000 && r.Errors[0].Category == "APPLICATION"
		},
		"350000=1:200": func(_ *Server, r reply) bool { return r.status == 200 && r.Errors[0].ErrorID == 350000 },
		"350000=1:409": func(_ *Server, r reply) bool { return r.status == 409 && r.Errors[0].ErrorID == 350000 },
		"429=1:7s": func(_ *Server, r reply) bool {
			return r.status == 429 && r.header.Get("Retry-After") == "7" && r.Errors[0].ErrorID == 2001
		},
		"429-date=1": func(s *Server, r reply) bool {
			date, err := http.ParseTime(r.header.Get("Retry-After"))
			return r.status == 429 && err == nil && !date.Before(s.Now()) && date.Sub(s.Now()) <= 2*time.Second
		},
		"503=1": func(_ *Server, r reply) bool { return r.status == 503 && len(r.raw) == 0 },
		"html502=1": func(_ *Server, r reply) bool {
			return r.status == 502 && strings.Contains(string(r.raw), "<html>") && r.err != nil
		},
		"reset=1":      func(_ *Server, r reply) bool { return r.status == 0 && r.err != nil },
		"reset-body=1": func(_ *Server, r reply) bool { return r.err != nil && r.leads() == 0 },
		"truncate=1":   func(_ *Server, r reply) bool { return r.status == 200 && r.err != nil },
		"garbage=1": func(_ *Server, r reply) bool {
			return r.status == 200 && r.err != nil && r.header.Get("Content-Encoding") == "gzip"
		},
		"not-json=1": func(_ *Server, r reply) bool {
			return r.status == 200 && r.err != nil && strings.HasPrefix(string(r.raw), "<html>")
		},
		"short=1": func(_ *Server, r reply) bool {
			return r.status == 200 && r.err == nil && r.leads() < r.TotalLeads && r.TotalLeads == 300 && r.TotalItems == 10
		},
		"redirect=1": func(_ *Server, r reply) bool {
			return r.status == 302 && strings.HasPrefix(r.header.Get("Location"), "http://localhost:")
		},
		"warnings=1": func(_ *Server, r reply) bool {
			return r.status == 200 && r.leads() == 300 && len(r.Warnings) == 1 && len(r.Errors) == 0
		},
		"revoke=1":        func(_ *Server, r reply) bool { return r.status == 401 && r.Errors[0].ErrorID == 1001 },
		"max-leads=299":   func(_ *Server, r reply) bool { return r.status == 500 && r.Errors[0].ErrorID == 350000 },
		"max-leads=300":   func(_ *Server, r reply) bool { return r.status == 200 && r.leads() == 300 },
		"bomb=1:50000000": func(_ *Server, r reply) bool { return r.status == 200 && len(r.raw) >= 50_000_000 },
	} {
		t.Run(text, func(t *testing.T) {
			s, c := start(t, Config{Leads: 300, Listings: 10, Clean: true, Seed: 11})
			f, err := ParseFaults(text)
			if err != nil {
				t.Fatal(err)
			}
			s.SetFaults(f)
			if got := c.get("/classified_lead"); !check(s, got) {
				t.Errorf("status %d, header %v, error %v, %d leads of %d, body %.200q", got.status, got.header, got.err, got.leads(), got.TotalLeads, got.raw)
			}
			if forbidden := s.Forbidden(); len(forbidden) > 0 {
				t.Errorf("forbidden: %q", forbidden)
			}
		})
	}
}

// TestShortOfNothing announces a lead that is not there where none is.
func TestShortOfNothing(t *testing.T) {
	_, c := start(t, Config{Clean: true, Faults: Faults{Short: 1}})
	if got := c.get("/classified_lead"); got.TotalLeads != 1 || got.leads() != 0 {
		t.Errorf("%d of %d leads", got.leads(), got.TotalLeads)
	}
}

// TestFaultRates has faults come as often as they are to, and in the same
// sequence again.
func TestFaultRates(t *testing.T) {
	f, err := ParseFaults("350000=0.08,429=0.04:0s,503=0.03,truncate=0.05,short=0.05,html502=0.04,garbage=0.02,warnings=0.02,reset=0.05,token=0.2")
	if err != nil {
		t.Fatal(err)
	}
	const n = 1500
	run := func() (*Server, []string) {
		s, c := start(t, Config{Leads: 5, Clean: true, Faults: f})
		for range n {
			c.get("/classified_lead")
		}
		var outcomes []string
		for _, e := range s.Exchanges() {
			outcomes = append(outcomes, e.Outcome)
		}
		return s, outcomes
	}
	s, outcomes := run()
	stats := s.Stats()
	for _, k := range f.keys() {
		if !k.exclusive {
			continue
		}
		want := *k.rate * n
		if got := float64(stats.Outcomes["leads "+k.key]); math.Abs(got-want) > 5*math.Sqrt(want+1) {
			t.Errorf("%s came %v times in %d, want about %v", k.key, got, n, want)
		}
	}
	if _, again := run(); !slices.Equal(outcomes, again) {
		t.Error("the faults came in another sequence")
	}
}

// TestFailSecond has one second fail for every window that holds it, until it is
// healed, and the other form of asking for a neighbour pass.
func TestFailSecond(t *testing.T) {
	s, c := start(t, Config{Leads: 100})
	s.FailSecond(epoch.Add(day))
	for name, test := range map[string]struct {
		from, to time.Duration
		status   int
	}{
		"wide":            {0, 2 * day, 500},
		"ends with it":    {day - time.Second, day, 500},
		"begins with it":  {day, day + time.Second, 500},
		"ends before it":  {day - 2*time.Second, day - time.Second, 200},
		"begins after it": {day + time.Second, day + 2*time.Second, 200},
	} {
		if got := c.window(test.from, test.to); got.status != test.status {
			t.Errorf("%s: status %d, want %d", name, got.status, test.status)
		}
	}
	s.FailSecond(epoch.Add(2 * day))
	s.Heal(epoch.Add(day))
	if got := c.window(day, day+time.Second); got.status != 200 {
		t.Errorf("healed: status %d", got.status)
	}
	if got := c.window(0, 3*day); got.status != 500 {
		t.Errorf("the other second: status %d", got.status)
	}
	s.HealAll()
	if got := c.window(0, 3*day); got.status != 200 {
		t.Errorf("all healed: status %d", got.status)
	}
}

// TestOutage has nothing answer, and all again afterwards.
func TestOutage(t *testing.T) {
	s, c := start(t, Config{Leads: 10})
	s.SetOutage(true)
	if got := c.get("/classified_lead"); got.status != 0 {
		t.Errorf("leads: status %d", got.status)
	}
	if status, _ := c.askToken("grant_type=client_credentials&scope="+ScopeLeads, "simulator", "simulator-secret"); status != 0 {
		t.Errorf("token: status %d", status)
	}
	s.SetOutage(false)
	if got := c.get("/classified_lead"); got.status != 200 {
		t.Errorf("afterwards: status %d", got.status)
	}
}

// TestSlow delays the answer by just the time it is to.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{Leads: 1, Faults: Faults{Slow: 1, SlowBy: 3 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		r, w := newRecorded(LeadsPath + "/classified_lead")
		s.Handler().ServeHTTP(w, r)
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestQuota answers 429 when the day's calls are used up, tells so beforehand,
// and begins anew at midnight Pacific time.
func TestQuota(t *testing.T) {
	now := time.Date(2026, 11, 23, 7, 59, 0, 0, time.UTC) // a minute before midnight Pacific
	s, c := start(t, Config{Leads: 10, DailyQuota: 3, Now: func() time.Time { return now }})
	limits := func() (remaining int, reset string) {
		r := c.request("")
		r.URL.Path = AnalyticsPath
		r.URL.RawQuery = "api_context=sell&api_name=leads"
		got := c.do(r)
		if got.status != 200 {
			t.Fatalf("rate limit: status %d: %s", got.status, got.raw)
		}
		_, rest, _ := strings.Cut(string(got.raw), `"remaining":`)
		number, rest, _ := strings.Cut(rest, ",")
		remaining, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("rate limit: %s", got.raw)
		}
		_, rest, _ = strings.Cut(rest, `"reset":"`)
		reset, _, _ = strings.Cut(rest, `"`)
		return remaining, reset
	}
	for want := 3; want > 0; want-- {
		if remaining, reset := limits(); remaining != want || reset != "2026-11-23T08:00:00.000Z" {
			t.Errorf("remaining %d until %s, want %d", remaining, reset, want)
		}
		if got := c.get("/classified_lead"); got.status != 200 {
			t.Errorf("status %d with %d calls left", got.status, want)
		}
	}
	if got := c.get("/classified_lead"); got.status != 429 || got.Errors[0].ErrorID != 2001 {
		t.Errorf("status %d after the last call: %s", got.status, got.raw)
	}
	if remaining, _ := limits(); remaining != 0 {
		t.Errorf("remaining %d at the end", remaining)
	}
	now = now.Add(time.Minute)
	if remaining, reset := limits(); remaining != 3 || reset != "2026-11-24T08:00:00.000Z" {
		t.Errorf("remaining %d until %s on the next day", remaining, reset)
	}
	if got := c.get("/classified_lead"); got.status != 200 {
		t.Errorf("status %d on the next day", got.status)
	}
	if st := s.Stats(); st.Calls != 4 || st.Outcomes["leads quota"] != 1 {
		t.Errorf("stats: %+v", st)
	}
}

// TestCache has a cached answer be the same bytes, and a changed world not be
// taken from it.
func TestCache(t *testing.T) {
	s, c := start(t, Config{Leads: 300, CacheBytes: 1 << 20})
	first, again := c.window(0, 60*day), c.window(0, 60*day)
	if first.err != nil || string(first.raw) != string(again.raw) || len(first.raw) < 1000 {
		t.Errorf("%d bytes, then %d", len(first.raw), len(again.raw))
	}
	if err := s.Respond(0); err != nil {
		t.Fatal(err)
	}
	if got := c.window(0, 60*day); string(got.raw) == string(first.raw) {
		t.Error("a change is not seen")
	}
	s.FailSecond(epoch)
	if got := c.window(0, 60*day); got.status != 500 {
		t.Errorf("a failing second is served from the cache: status %d", got.status)
	}
	small := newCache(100)
	small.put("a", ready{body: make([]byte, 60)})
	small.put("b", ready{body: make([]byte, 60)})
	small.put("c", ready{body: make([]byte, 101)})
	if _, ok := small.get("a"); ok || small.size > 100 {
		t.Errorf("the cache holds %d bytes of 100", small.size)
	}
}

// TestEndlessToken sends until the client has enough.
func TestEndlessToken(t *testing.T) {
	s, c := start(t, Config{})
	s.SetFaults(Faults{TokenEndless: 1})
	r, err := http.NewRequest(http.MethodPost, c.url+TokenPath, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.CopyN(io.Discard, resp.Body, 10<<20); err != nil {
		t.Errorf("ended after %d bytes: %v", n, err)
	}
}
