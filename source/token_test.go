package source

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/secret"
)

// takes answers 401 to every token but those that are good.
func takes(good func(token string) bool) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		if !good(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			fail(w, 401, ebayError(1001, "REQUEST", "Invalid access token"))
			return
		}
		writeZip(w, page(1))
	}
}

func always(string) bool { return true }
func never(string) bool  { return false }

func inDir(dir string) func(*setup) { return func(s *setup) { s.options.StateDir = dir } }

func TestRefreshTokenGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{leads: takes(always)}
		var sent []string
		a.token = func(w http.ResponseWriter, r *http.Request, n int) {
			if r.PostForm.Get("grant_type") != "refresh_token" || r.PostForm.Get("scope") != scope || len(r.PostForm) != 3 {
				t.Errorf("form %v", r.PostForm)
			}
			sent = append(sent, r.PostForm.Get("refresh_token"))
			w.Header().Set("Content-Type", "application/json")
			more := ""
			if n == 1 {
				more = `,"refresh_token":"given-instead"`
			}
			fmt.Fprintf(w, `{"access_token":"user-token-%d","expires_in":7200,"token_type":"User Access Token"%s}`, n, more)
		}
		config := func(s *setup) { s.config.Grant, s.config.RefreshToken = RefreshToken, secret.New(testRefresh) }
		dir := t.TempDir()
		if err := a.startInBubble(t, config, inDir(dir)).Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if err := a.client(t, config, inDir(dir)).Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		other := func(s *setup) { s.config.RefreshToken = secret.New("another seller's") }
		if err := a.client(t, config, other, inDir(dir)).Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := []string{testRefresh, "given-instead", "another seller's"}; !slices.Equal(sent, want) {
			t.Errorf("refresh tokens sent: %q, want %q", sent, want)
		}
	})
}

func TestManyWorkersAskForOneToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{leads: takes(always)}
		a.token = func(w http.ResponseWriter, r *http.Request, n int) {
			time.Sleep(3 * time.Second)
			giveToken(w, n, 7200)
		}
		c := a.startInBubble(t)
		var workers sync.WaitGroup
		for range 100 {
			workers.Go(func() {
				if _, err := c.Fetch(t.Context(), day, all); err != nil {
					t.Error(err)
				}
			})
		}
		workers.Wait()
		if a.tokens.Load() != 1 || a.calls.Load() != 100 || c.Stats().TokenRequests != 1 {
			t.Errorf("%d token requests, %d calls", a.tokens.Load(), a.calls.Load())
		}
	})
}

func TestManyWorkersShareAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{leads: takes(always), token: func(w http.ResponseWriter, r *http.Request, n int) { w.WriteHeader(503) }}
		c := a.startInBubble(t)
		var workers sync.WaitGroup
		for range 100 {
			workers.Go(func() {
				_, err := c.Fetch(t.Context(), day, all)
				if _, ok := errors.AsType[*fetch.UnavailableError](err); !ok {
					t.Errorf("got %T: %v", err, err)
				}
			})
		}
		workers.Wait()
		if a.tokens.Load() != 6 || a.calls.Load() != 0 {
			t.Errorf("%d token requests, %d calls", a.tokens.Load(), a.calls.Load())
		}
	})
}

func TestAWaitingWorkerTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{leads: takes(always)}
		a.token = func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				<-r.Context().Done()
				return
			}
			giveToken(w, n, 7200)
		}
		c := a.startInBubble(t)
		ctx, cancel := contextWith(t)
		var workers sync.WaitGroup
		workers.Go(func() {
			if _, err := c.Fetch(ctx, day, all); err == nil {
				t.Error("the first worker was cancelled, and has a page")
			}
		})
		synctest.Wait()
		workers.Go(func() {
			if _, err := c.Fetch(t.Context(), day, all); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		workers.Wait()
	})
}

func TestTokensAreRenewedBeforeTheyEnd(t *testing.T) {
	for _, life := range []time.Duration{20 * time.Second, 2 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var end time.Time
			a := &api{leads: takes(func(string) bool { return time.Now().Before(end) })}
			a.token = func(w http.ResponseWriter, r *http.Request, n int) {
				end = time.Now().Add(life)
				giveToken(w, n, int(life/time.Second))
			}
			c := a.startInBubble(t)
			for begin := time.Now(); time.Since(begin) < 10*life; time.Sleep(life / 20) {
				if _, err := c.Fetch(t.Context(), day, all); err != nil {
					t.Fatal(err)
				}
			}
			// Each serves for nine tenths of its life at least.
			if n := a.tokens.Load(); n < 10 || n > 12 || c.Stats().Outcomes[OutcomeUnauthorized] != 0 {
				t.Errorf("%d tokens for ten lives, %+v", n, c.Stats())
			}
		})
	}
}

func TestTokenIsKeptBetweenRuns(t *testing.T) {
	a := &api{leads: takes(always)}
	dir := filepath.Join(t.TempDir(), "state")
	ok := func(c *Client, tokens int64) {
		t.Helper()
		if err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := a.tokens.Load(); n != tokens {
			t.Fatalf("%d token requests, want %d", n, tokens)
		}
	}
	ok(a.start(t, inDir(dir)), 1)
	path := filepath.Join(dir, tokenFileName)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("token file: %v, %v", info.Mode(), err)
	}
	ok(a.client(t, inDir(dir)), 1)
	ok(a.client(t, inDir(dir), func(s *setup) { s.config.ClientSecret = secret.New("rotated-secret") }), 1)
	ok(a.client(t, inDir(dir), func(s *setup) { s.config.ClientID = "another" }), 2)
	ok(a.client(t, inDir(dir), func(s *setup) { s.config.TokenURL += "?"[:0]; s.config.ClientID = "another" }), 2)
	ok(a.client(t, inDir(dir)), 3)
	ok(a.client(t), 4)

	for _, damage := range []string{"", "{", `{"binding":7}`, "\x00\x00", strings.Repeat("[", 1<<10)} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		before := a.tokens.Load()
		ok(a.client(t, inDir(dir)), before+1)
		if !strings.Contains(a.logged(), "the kept token is of no use") {
			t.Errorf("no warning about %q", damage)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestStateThatCannotBeWrittenIsNoError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a := &api{leads: takes(always)}
	c := a.start(t, inDir(filepath.Join(file, "state")))
	for range 20 {
		if _, err := c.Fetch(t.Context(), day, all); err != nil {
			t.Fatal(err)
		}
	}
	for _, message := range []string{"the token cannot be kept", "calls cannot be written down"} {
		if n := strings.Count(a.logged(), message); n != 1 {
			t.Errorf("%q logged %d times", message, n)
		}
	}
}

func TestCrashedWriteIsSweptUp(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".token.json.tmp", ".quota.json.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a := &api{leads: takes(always)}
	a.start(t, inDir(dir))
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestRejectedTokenIsReplacedOnce(t *testing.T) {
	a := &api{leads: takes(func(token string) bool { return token == tokenNumber(2) })}
	c := a.start(t)
	if _, err := c.Fetch(t.Context(), day, all); err != nil {
		t.Fatal(err)
	}
	stats := c.Stats()
	if stats.Requests != 2 || stats.Retries != 0 || stats.TokenRequests != 2 || stats.Outcomes[OutcomeUnauthorized] != 1 {
		t.Errorf("stats %+v", stats)
	}
}

func TestRejectedTokenOfManyWorkersIsReplacedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := tokenNumber(1)
		a := &api{leads: takes(func(token string) bool {
			time.Sleep(time.Second)
			return token == good
		})}
		c := a.startInBubble(t)
		if err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		good = tokenNumber(2)
		var workers sync.WaitGroup
		for range 50 {
			workers.Go(func() {
				if _, err := c.Fetch(t.Context(), day, all); err != nil {
					t.Error(err)
				}
			})
		}
		workers.Wait()
		if n := a.tokens.Load(); n != 2 {
			t.Errorf("%d token requests", n)
		}
	})
}

func TestRefusedLoginEndsAndAsksNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{leads: takes(never)}
		dir := t.TempDir()
		c := a.startInBubble(t, inDir(dir))
		_, err := c.Fetch(t.Context(), day, all)
		refused, ok := errors.AsType[*fetch.RefusedError](err)
		if !ok || refused.Hint != hintLogin || a.calls.Load() != 2 || a.tokens.Load() != 2 {
			t.Fatalf("got %T: %v, %+v", err, err, c.Stats())
		}
		// A supervisor starts us every second.
		for range 300 {
			time.Sleep(time.Second)
			if err := a.client(t, inDir(dir)).Check(t.Context()); err == nil {
				t.Fatal("accepted")
			}
		}
		if n := a.tokens.Load(); n > 1+maxUnproven {
			t.Errorf("%d token requests", n)
		}
		time.Sleep(unprovenPeriod)
		a.leads = takes(always)
		if err := a.client(t, inDir(dir)).Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestTokensThatAreRevokedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		used := make(map[string]int)
		a := &api{leads: takes(func(token string) bool {
			used[token]++
			return used[token] <= 3
		})}
		c := a.startInBubble(t)
		for range 60 {
			if _, err := c.Fetch(t.Context(), day, all); err != nil {
				t.Fatal(err)
			}
		}
		if n := a.tokens.Load(); n != 20 {
			t.Errorf("%d tokens", n)
		}
	})
}
