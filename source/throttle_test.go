package source

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

func TestRetryAfterIsObeyed(t *testing.T) {
	for name, header := range map[string]func() string{
		"seconds": func() string { return "90" },
		"date":    func() string { return time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		for _, status := range []int{429, 503} {
			t.Run(name+strconv.Itoa(status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := &api{}
					a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
						if n == 1 {
							w.Header().Set("Retry-After", header())
							w.WriteHeader(status)
							return
						}
						writeZip(w, page(1))
					}
					c := a.startInBubble(t)
					begin := time.Now()
					if _, err := c.Fetch(t.Context(), day, all); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(begin); took < 90*time.Second || took > 92*time.Second {
						t.Errorf("came back after %s", took)
					}
				})
			})
		}
	}
}

func TestAllWorkersObeyOneRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told time.Time
		a := &api{}
		a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				told = time.Now()
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(429)
				return
			}
			if wait := time.Since(told); wait < 60*time.Second {
				t.Errorf("a call %s after being told to wait for 60 s", wait)
			}
			writeZip(w, page(1))
		}
		c := a.startInBubble(t)
		var workers sync.WaitGroup
		for i := range 10 {
			workers.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				if _, err := c.Fetch(t.Context(), day, all); err != nil {
					t.Error(err)
				}
			})
		}
		workers.Wait()
		if s := c.Stats(); s.Throttled != 1 || s.Requests != 11 || s.Outcomes[OutcomeThrottled] != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestLongRetryAfterEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := 429
		a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(status)
		}}
		c := a.startInBubble(t)
		_, err := c.Fetch(t.Context(), day, all)
		spent, ok := errors.AsType[*fetch.QuotaError](err)
		if !ok || !spent.Until.Equal(time.Now().Add(2*time.Hour)) || spent.Until.Location() != time.UTC {
			t.Errorf("got %T: %v", err, err)
		}
		status = 503
		_, err = c.Fetch(t.Context(), day, all)
		if _, ok := errors.AsType[*fetch.UnavailableError](err); !ok {
			t.Errorf("got %T: %v", err, err)
		}
		if n := a.calls.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestThrottlingWithoutRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
			fail(w, 429, ebayError(2001, "REQUEST", "Too many requests."))
		}}
		c := a.startInBubble(t)
		begin := time.Now()
		_, err := c.Fetch(t.Context(), day, all)
		spent, ok := errors.AsType[*fetch.QuotaError](err)
		if !ok || !spent.Until.Equal(at("2000-01-01T08:00:00Z")) {
			t.Errorf("got %T: %v", err, err)
		}
		if n := a.calls.Load(); n != 6 {
			t.Errorf("%d calls", n)
		}
		// 0.5 + 1 + 2 + 4 + 8 seconds, give or take half of it.
		if took := time.Since(begin); took < 7*time.Second || took > 24*time.Second {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestThrottlingDoesNotUseUpTheWindowsAttempts(t *testing.T) {
	a := &api{}
	a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
		switch {
		case n > 7:
			writeZip(w, page(1))
		case n%4 == 0:
			w.WriteHeader(500)
		default:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
		}
	}
	c := a.start(t, func(s *setup) { s.limits.MaxAttempts = 7 })
	if _, err := c.Fetch(t.Context(), day, all); err != nil {
		t.Error(err)
	}
}

func TestSlowAnswerIsATimeout(t *testing.T) {
	for name, write := range map[string]func(w http.ResponseWriter, r *http.Request){
		"headers": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			for _, b := range zip(page(5)) {
				if _, err := w.Write([]byte{b}); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
		},
		"error body": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { write(w, r) }}
				c := a.startInBubble(t)
				begin := time.Now()
				_, err := c.Fetch(t.Context(), day, all)
				if _, ok := errors.AsType[*fetch.WindowError](err); !ok {
					t.Errorf("got %T: %v", err, err)
				}
				if took := time.Since(begin); took < 30*time.Second || took > 34*time.Second {
					t.Errorf("took %s for three attempts of 10 s", took)
				}
				if s := c.Stats(); name != "error body" && s.Outcomes[OutcomeTimeout] != 3 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

func TestGateKeepsTheLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate
		g.close(10 * time.Second)
		g.close(time.Second)
		begin := time.Now()
		if waited, err := g.pass(t.Context()); err != nil || !waited || time.Since(begin) != 10*time.Second {
			t.Errorf("passed after %s, waited %v, error %v", time.Since(begin), waited, err)
		}
		if waited, err := g.pass(t.Context()); err != nil || waited {
			t.Errorf("waited %v, error %v at an open gate", waited, err)
		}
		g.close(time.Hour)
		ctx, cancel := contextWith(t)
		time.AfterFunc(time.Minute, cancel)
		if _, err := g.pass(ctx); err == nil {
			t.Error("passed a closed gate")
		}
	})
}

func TestBackoffIsEachOperationsOwn(t *testing.T) {
	r := retrier{base: time.Second, gate: new(gate)}
	for range 3 {
		b := r.backoff()
		for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second} {
			got, stop := b.Next()
			if stop || got < want/2 || got > want*3/2 {
				t.Errorf("pause %s, want about %s", got, want)
			}
		}
		for range 100 {
			if got, stop := b.Next(); stop || got > backoffCap || got < backoffCap/2 {
				t.Fatalf("pause %s beyond the cap", got)
			}
		}
	}
}

func TestOneSecondIsAskedForInBothForms(t *testing.T) {
	a := &api{}
	a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
		// The second behind ours always fails.
		if r.URL.Query().Get("endTime") == "1999-09-01T10:00:01Z" {
			fail(w, 500, ebayError(350000, "APPLICATION", "Problem"))
			return
		}
		writeZip(w, page(1))
	}
	c := a.start(t)
	p, err := c.Fetch(t.Context(), oneSec, all)
	if err != nil || p.Window != oneSec {
		t.Fatalf("page %+v, error %v", p, err)
	}
	want := []string{"1999-09-01T10:00:00Z..1999-09-01T10:00:01Z", "1999-09-01T09:59:59Z..1999-09-01T10:00:00Z"}
	if got := a.ranges(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("asked for %q, want %q", got, want)
	}
}

func TestWindowsThatAreNotOver(t *testing.T) {
	for _, test := range []struct {
		name   string
		ahead  time.Duration // of the window's end, by the server's clock
		length time.Duration
		skew   time.Duration // of the server's clock
		ask    string        // relative to the window: start, end
		wait   time.Duration
	}{
		{"long over", -time.Minute, time.Hour, 0, "+0s..+0s", 0},
		{"just over", -time.Second, time.Hour, 0, "+0s..-1s", 0},
		{"just over, one second", -time.Second, time.Second, 0, "-1s..-1s", 0},
		{"not over", 30 * time.Second, time.Hour, 0, "+0s..-1s", 30 * time.Second},
		{"not over, one second", 30 * time.Second, time.Second, 0, "-1s..-1s", 30 * time.Second},
		{"server behind", 30 * time.Second, time.Hour, -40 * time.Second, "+0s..-1s", 30 * time.Second},
		{"server ahead", -time.Minute, time.Hour, 10 * time.Minute, "+0s..+0s", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := func() time.Time { return time.Now().Add(test.skew) }
				a := &api{}
				a.token = func(w http.ResponseWriter, r *http.Request, n int) {
					w.Header().Set("Date", server().UTC().Format(http.TimeFormat))
					giveToken(w, n, 7200)
				}
				a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
					w.Header().Set("Date", server().UTC().Format(http.TimeFormat))
					end := at(r.URL.Query().Get("endTime"))
					if !end.Before(server()) {
						fail(w, 400, ebayError(futureDate, "REQUEST", "Date has to be in the past"))
						return
					}
					writeZip(w, page(0))
				}
				end := server().Add(test.ahead)
				w := window.New(end.Add(-test.length), end)
				c := a.startInBubble(t)
				begin := time.Now()
				p, err := c.Fetch(t.Context(), w, all)
				if err != nil {
					t.Fatal(err)
				}
				if p.Window != w {
					t.Errorf("the page stands for %s, want %s", p.Window, w)
				}
				if took := time.Since(begin); took < test.wait || took > test.wait+3*time.Second {
					t.Errorf("asked after %s, want %s", took, test.wait)
				}
				q := a.seen()[0].URL.Query()
				from, to := at(q.Get("startTime")).Sub(w.From), at(q.Get("endTime")).Sub(w.To)
				if got := signed(from) + ".." + signed(to); got != test.ask || a.calls.Load() != 1 {
					t.Errorf("asked for %s in %d calls, want %s", got, a.calls.Load(), test.ask)
				}
			})
		})
	}
}

func signed(d time.Duration) string {
	if d < 0 {
		return d.String()
	}
	return "+" + d.String()
}

func TestWindowInTheFutureIsRefused(t *testing.T) {
	a := &api{leads: takes(always)}
	c := a.start(t)
	now := time.Now()
	_, err := c.Fetch(t.Context(), window.New(now, now.Add(time.Hour)), all)
	refused, ok := errors.AsType[*fetch.RefusedError](err)
	if !ok || refused.Hint != requestHints[futureDate] || a.calls.Load() != 0 {
		t.Errorf("got %T: %v", err, err)
	}
}

// A kept token means that the server's clock is not known yet when the first
// request is sent.
func TestRefusedFutureIsLearnedFrom(t *testing.T) {
	for _, test := range []struct {
		name   string
		behind time.Duration
		calls  int64
		ok     bool
	}{
		{"a clock that explains it", 30 * time.Second, 2, true},
		{"a clock far behind", time.Hour, 1, false},
		{"a clock that does not explain it", 0, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				a := &api{leads: takes(always)}
				if err := a.startInBubble(t, inDir(dir)).Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				a.calls.Store(0)
				a.leads = func(w http.ResponseWriter, r *http.Request, n int) {
					now := time.Now().Add(-test.behind)
					w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
					if at(r.URL.Query().Get("endTime")).After(now) || !test.ok {
						fail(w, 400, ebayError(futureDate, "REQUEST", "Date has to be in the past"))
						return
					}
					writeZip(w, page(0))
				}
				end := time.Now().Add(-10 * time.Second)
				c := a.client(t, inDir(dir))
				_, err := c.Fetch(t.Context(), window.New(end.Add(-time.Hour), end), all)
				if _, refused := errors.AsType[*fetch.RefusedError](err); err == nil != test.ok || refused == test.ok {
					t.Errorf("got %v", err)
				}
				if n := a.calls.Load(); n != test.calls {
					t.Errorf("%d calls, want %d", n, test.calls)
				}
			})
		})
	}
}
