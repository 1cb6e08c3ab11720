package acceptance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// ampleQuota lets a stream read its whole lookback at every poll.
const ampleQuota = 100_000_000

// streamInterval is how often the streams of most tests poll.
const streamInterval = time.Second

// streamWorld is a world up to now, and an exporter that polls all of it at each
// streamInterval.
func streamWorld(t testing.TB, config simulator.Config) *world {
	t.Helper()
	return streamWorldOn(t, kafkatest.Broker(t), config)
}

// streamWorldOn is streamWorld with a broker of its own.
func streamWorldOn(t testing.TB, broker *kafkatest.Kafka, config simulator.Config) *world {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	config.From, config.To = now.AddDate(0, 0, -20), now
	if config.Listings == 0 {
		config.Listings = 40
	}
	if config.DailyQuota == 0 {
		config.DailyQuota = ampleQuota
	}
	w := newWorldOn(t, broker, config)
	w.setStream(streamInterval, ampleQuota)
	w.files = "roll-interval = \"1s\"\n"
	return w
}

// setStream sets the interval and how many calls a day there are.
func (w *world) setStream(interval time.Duration, quota int) {
	w.extra = fmt.Sprintf("[fetch]\ndaily-quota = %d\nwindow = \"240h\"\n[stream]\ninterval = \"%s\"\nsettle = \"0s\"\nlookback = \"30d\"\n", quota, interval)
}

// events are what the stream wrote into each sink that is on.
func (w *world) events() map[string]rows {
	w.t.Helper()
	all := make(map[string]rows)
	if w.kafkaOn {
		all["kafka"] = w.kafka()
	}
	if w.parquetOn {
		all["parquet"] = w.readParquet(eventFiles(w.parquetFiles()))
	}
	if w.ndjsonOn {
		all["ndjson"] = w.readNDJSON(eventFiles(w.ndjsonFiles()))
	}
	return all
}

// wantEvents asserts that the topic tells the history of all leads, and that the
// files hold the same events. It returns them.
func (w *world) wantEvents(polls []poll) rows {
	w.t.Helper()
	all := w.events()
	wantTruth(w.t, all["kafka"], w.history(), polls, 0)
	for _, files := range []string{"parquet", "ndjson"} {
		wantSame(w.t, files, all[files], "kafka", all["kafka"])
	}
	w.wantNoForbiddenRequests()
	w.wantNoTemporaryFiles()
	return all["kafka"]
}

// streamToTheEnd runs a stream until it has caught up with the world as it is now,
// and ends it.
func (w *world) streamToTheEnd() *running {
	w.t.Helper()
	now := time.Now()
	w.sim.ClientRestarted()
	r := w.start(nil, "stream")
	// What was submitted a moment ago is polled when its second is over.
	r.awaitPoll(now.Add(2 * time.Second))
	r.terminate(0)
	return r
}

// ofType are the events of a type.
func ofType(events rows, kind string) rows {
	return slices.DeleteFunc(slices.Clone(events), func(e map[string]any) bool { return e["event_type"] != kind })
}

// A stream over leads that change, appear and vanish, killed again and again: in
// the end all sinks tell the same of all leads, each change once.
func TestStreamIsKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := streamWorld(t, simulator.Config{Seed: 21, Leads: 1500})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	story := newStory(t, w.sim, seed)
	changes := 300
	if testing.Short() {
		changes = 100
	}
	stop := story.goOn(15 * time.Second / time.Duration(changes))
	defer stop()
	var polls []poll
	for kill := range 6 {
		w.sim.ClientRestarted()
		r := w.start(nil, "stream")
		if kill%2 == 0 {
			r.awaitPoll(time.Time{})
		}
		time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
		r.kill()
		if code := r.wait(patience); code != -1 {
			t.Fatalf("exit code %d\n%s", code, r.tail())
		}
		polls = append(polls, r.polls()...)
	}
	stop()
	for story.steps < changes {
		story.step()
	}
	story.end()
	polls = append(polls, w.streamToTheEnd().polls()...)
	events := w.wantEvents(polls)
	t.Logf("%d things happened in %d polls: %d events, %d created, %d updated, %d vanished", story.steps, len(polls), len(events),
		len(ofType(events, "created")), len(ofType(events, "updated")), len(ofType(events, "vanished")))
}

// What a batch exported is not new to a stream, and is an update when it changes;
// and the files of a batch after it are the table of what is known.
func TestBatchThenStreamThenBatch(t *testing.T) {
	t.Parallel()
	w := streamWorld(t, simulator.Config{Seed: 22, Leads: 600})
	exported := expect(w.sim.Truth(w.sim.Range()))
	w.mustRun(0, between(w.sim.Range())...)
	w.wantAll(exported)

	polls := w.streamToTheEnd().polls()
	if got := w.events()["kafka"]; len(got) != len(exported) {
		t.Errorf("%d events after %d snapshots though nothing has changed, such as %v", len(got), len(exported), got[len(got)-1])
	}
	if err := w.sim.Respond(3, 4, 5); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.AddMessage(5, 6); err != nil {
		t.Fatal(err)
	}
	if _, err := w.sim.AddLeads(7, w.sim.Range().From, w.sim.Range().To); err != nil {
		t.Fatal(err)
	}
	polls = append(polls, w.streamToTheEnd().polls()...)
	events := w.wantEvents(polls)
	if created := ofType(events, "created"); len(created) != 7 {
		t.Errorf("%d leads created, want 7", len(created))
	}
	for _, e := range ofType(events, "updated") {
		if e["lead_version"] != int64(1) {
			t.Errorf("version %v, want 1", e["lead_version"])
		}
	}

	if err := w.sim.Respond(8, 9); err != nil {
		t.Fatal(err)
	}
	whole := window.New(w.sim.Range().From, w.sim.Range().To)
	w.mustRun(0, between(whole)...)
	table := expect(w.sim.Truth(whole))
	wantRows(t, "ndjson", w.readNDJSON(tableFiles(w.ndjsonFiles())), table)
	wantRows(t, "parquet", w.readParquet(tableFiles(w.parquetFiles())), table)
	polls = append(polls, w.streamToTheEnd().polls()...)
	w.wantEvents(polls)
	for name, all := range map[string]rows{"ndjson": w.ndjson(), "parquet": w.parquet()} {
		ids := make(map[any]int)
		twice := 0
		for _, row := range all {
			if ids[row["event_id"]]++; ids[row["event_id"]] == 2 {
				twice++
			}
		}
		t.Logf("%s: %d of %d event ids are both in the table and among the events", name, twice, len(ids))
	}
}

// The store of known leads is lost: it comes back from the journal, with the same
// versions, and nothing is told twice.
func TestTheKnownLeadsAreLost(t *testing.T) {
	t.Parallel()
	w := streamWorld(t, simulator.Config{Seed: 23, Leads: 500})
	story := newStory(t, w.sim, 23)
	var polls []poll
	for range 3 {
		polls = append(polls, w.streamToTheEnd().polls()...)
		for range 40 {
			story.step()
		}
		if err := os.RemoveAll(w.path("state/known")); err != nil {
			t.Fatal(err)
		}
	}
	polls = append(polls, w.streamToTheEnd().polls()...)
	w.wantEvents(polls)
}
