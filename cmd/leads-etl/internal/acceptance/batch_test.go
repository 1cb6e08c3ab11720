package acceptance

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/source/simulator"
)

var (
	september = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	november  = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

// everyFault is the share of requests that fails in each way known.
const everyFault = "350000=0.08,429=0.04,truncate=0.05,reset=0.05,short=0.05,html502=0.04,token=0.2,token-life=20s,max-leads=1500"

func twoMonths(t testing.TB, faults string) simulator.Config {
	t.Helper()
	f, err := simulator.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	return simulator.Config{Seed: 7, Leads: 20_000, From: september, To: november, Burst: 300, Faults: f}
}

// Twenty thousand leads of two months from an API that fails in every way, into
// three sinks: each lead exactly once, equal to the truth in every column.
func TestBatchUnderEveryFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoMonths(t, everyFault))
	r := w.mustRun(0, append(between(w.sim.Range()), "--verbose")...)
	want := expect(w.sim.Truth(w.sim.Range()))
	w.wantAll(want)
	w.wantNoForbiddenRequests()
	w.wantNoTemporaryFiles()
	wantNoPersonIn(t, r.output(), want)
	t.Logf("%s", r.stdout)
}

// The same batch, killed again and again at random times, comes to the same end.
func TestBatchIsKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoMonths(t, everyFault))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	kills := 25
	if testing.Short() {
		kills = 5
	}
	for n := 0; n < kills; {
		r := w.runFor(time.Duration(50+random.IntN(1500))*time.Millisecond, between(w.sim.Range())...)
		w.sim.ClientRestarted() // a new process cannot know what the old one was told
		switch r.code {
		case -1:
			n++
		case 0:
			// It came to its end before it was killed: begin anew, on top of it.
			w.runFor(time.Duration(50+random.IntN(700))*time.Millisecond, append(between(w.sim.Range()), "--restart")...)
			w.sim.ClientRestarted()
			n++
		default:
			t.Fatalf("exit code %d\n%s", r.code, r.output())
		}
	}
	w.mustRun(0, between(w.sim.Range())...)
	w.wantAll(expect(w.sim.Truth(w.sim.Range())))
	w.wantNoForbiddenRequests()
	w.wantNoTemporaryFiles()
}

// A second that always fails is the only one that is missing, it is named, and
// the next run asks for nothing else.
func TestASecondThatAlwaysFails(t *testing.T) {
	t.Parallel()
	config := twoMonths(t, "max-leads=1500")
	config.Leads = 4000
	w := newWorld(t, config)
	var bad time.Time
	for lead := range w.sim.Truth(window.New(september.Add(20*24*time.Hour), november)) {
		bad = lead.Created
		break
	}
	w.sim.FailSecond(bad)
	gap := window.New(bad, bad.Add(time.Second))
	r := w.mustRun(4, between(w.sim.Range())...)
	if !strings.Contains(r.output(), gap.String()) {
		t.Errorf("the gap %s is not named:\n%s", gap, r.output())
	}
	w.wantAll(expect(func(yield func(simulator.Lead) bool) {
		for lead := range w.sim.Truth(w.sim.Range()) {
			if !gap.Contains(lead.Created) && !yield(lead) {
				return
			}
		}
	}))
	w.sim.HealAll()
	w.sim.ResetStats()
	w.mustRun(0, between(w.sim.Range())...)
	w.wantAll(expect(w.sim.Truth(w.sim.Range())))
	if calls := w.sim.Stats().Calls; calls != 1 {
		t.Errorf("%d calls to fill the gap: %v", calls, w.sim.Exchanges())
	}
	w.wantNoForbiddenRequests()
}

// The broker is down from the start: the files are complete, and the topic is
// brought up to date later without asking the API for anything.
func TestTheBrokerIsDown(t *testing.T) {
	t.Parallel()
	config := twoMonths(t, "")
	config.Leads = 3000
	w := newWorld(t, config)
	brokers := w.brokers
	w.brokers = "127.0.0.1:1"
	r := w.mustRun(5, between(w.sim.Range())...)
	if !strings.Contains(r.output(), "kafka") || !strings.Contains(r.output(), "127.0.0.1:1") {
		t.Errorf("neither sink nor broker is named:\n%s", r.output())
	}
	want := expect(w.sim.Truth(w.sim.Range()))
	wantRows(t, "ndjson", w.ndjson(), want)
	wantRows(t, "parquet", w.parquet(), want)
	w.brokers = brokers
	w.sim.ResetStats()
	w.mustRun(0, "replay", "--sink", "kafka")
	w.wantAll(want)
	if s := w.sim.Stats(); s.Calls != 0 || len(s.Requests) != 0 {
		t.Errorf("the API was asked: %v", s.Requests)
	}
}
