package acceptance

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// How long TestChaos goes on, and with which seed.
const (
	durationEnv = "CHAOS_DURATION"
	seedEnv     = "CHAOS_SEED"
)

// TestChaos runs streams, and batches in between, on one state, while leads change,
// the API fails in every way, and all that can end a program or a broker does, and
// then holds the three sinks against the truth. For an hour:
//
//	CHAOS_DURATION=1h go test -timeout 0 -v -run TestChaos ./cmd/leads-etl/internal/acceptance
//
// CHAOS_SEED repeats a schedule and a world: what is done, in which order, and
// what becomes of the leads. When each thing meets the program is a matter of
// timing, which no seed repeats; so a failure may take several runs to show again.
//
// CI runs it for five minutes, in a step of its own.
func TestChaos(t *testing.T) {
	t.Parallel()
	duration, seed := time.Minute, uint64(time.Now().UnixNano())
	if testing.Short() {
		duration = 15 * time.Second
	}
	if text := os.Getenv(durationEnv); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv(seedEnv); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("repeat it with: %s=%d %s=%s go test -timeout 0 -v -run TestChaos ./cmd/leads-etl/internal/acceptance", seedEnv, seed, durationEnv, duration)

	w := streamWorldOn(t, kafkatest.Private(t), simulator.Config{Seed: seed, Leads: 1200})
	disk, own := newDisk(t, "1g")
	if own {
		w.dir = disk.dir
	}
	c := &chaos{
		world: w, disk: disk, random: rand.New(rand.NewPCG(seed, 0)), story: newStory(t, w.sim, seed),
		deeds: make(map[string]int), codes: make(map[int]int),
	}
	c.story.noReturns = true
	stop := c.story.goOn(150 * time.Millisecond)
	defer stop()
	for begun := time.Now(); time.Since(begun) < duration && !t.Failed(); {
		c.round()
	}
	stop()
	c.heal()
	t.Log(c)
	w.mustRun(0, append(between(w.sim.Range()), "--restart")...) // not what an earlier one began to read
	c.polls = append(c.polls, w.streamToTheEnd().polls()...)

	all := w.events()
	found := wantTruth(t, all["kafka"], w.history(), c.polls, 0)
	for _, files := range []string{"parquet", "ndjson"} {
		wantSame(t, files, all[files], "kafka", all["kafka"])
	}
	c.wantTables()
	w.wantNoTemporaryFiles()
	for _, forbidden := range w.sim.Forbidden() {
		if !strings.Contains(forbidden, "tokens") { // more in a day of chaos than a day has
			t.Errorf("a forbidden request: %s", forbidden)
			break
		}
	}
	t.Logf("%s; %s", c, found)
}

// wantTables asserts that the files of the batches hold each lead once, and those
// that there are as they are. Leads whose buyer was renamed are there under both
// names, as batches have them.
func (c *chaos) wantTables() {
	c.t.Helper()
	history := c.history()
	want := make(map[any]oracle.Row)
	for _, row := range expect(c.sim.Truth(c.sim.Range())) {
		want[row["lead_id"]] = row
	}
	for name, table := range map[string]rows{
		"parquet": c.readParquet(tableFiles(c.parquetFiles())), "ndjson": c.readNDJSON(tableFiles(c.ndjsonFiles())),
	} {
		seen := make(map[any]bool)
		f := &findings{events: len(table)}
		for _, row := range table {
			id := row["lead_id"]
			exp, current := want[id]
			switch {
			case seen[id]:
				f.twice = append(f.twice, about(row))
			case current:
				if diff := difference(row, exp); diff != "" {
					f.stale = append(f.stale, about(row)+": "+diff)
				}
			case history[keyOf(row)] == nil:
				f.foreign = append(f.foreign, about(row))
			}
			seen[id] = true
		}
		for id, row := range want {
			if !seen[id] {
				f.lost = append(f.lost, about(row))
			}
		}
		f.leads = len(seen)
		c.t.Logf("table of %s:", name)
		f.wantNone(c.t)
	}
}
