package acceptance

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// changesEnv sets how many changes TestHowSoonAChangeIsSeen makes.
const changesEnv = "LATENCY_CHANGES"

// Every change reaches the topic. How long that takes, with an interval of a second
// and an ample quota, is logged; the 200 changes of the README take
//
//	LATENCY_CHANGES=200 go test -v -run HowSoon ./cmd/leads-etl/internal/acceptance
func TestHowSoonAChangeIsSeen(t *testing.T) {
	changes := 40
	if n, err := strconv.Atoi(os.Getenv(changesEnv)); err == nil {
		changes = n
	}
	w := streamWorld(t, simulator.Config{Seed: 29, Leads: 1500, Clean: true})
	r := w.start(nil, "stream")
	r.awaitPoll(time.Time{})
	r.await("the topic", func(l logLine) bool {
		return l.Message == "committed" && strings.Contains(l.Text, `"sink":"kafka"`)
	})
	for len(w.kafka()) < 1500 { // until all are told
		time.Sleep(50 * time.Millisecond)
	}
	arrived := w.follow(t.Context())
	defer arrived.stop()
	made := make(map[string]time.Time)
	for states := range w.sim.History(w.sim.Range()) {
		lead := states[0].Lead
		if len(made) == changes {
			break
		}
		key := lead.ItemID.Value + "\n" + lead.SubmittedTime.Value.UTC().Format("2006-01-02T15:04:05.000Z") + "\n" + lead.AdditionalInformation.Value
		made[key] = time.Now()
		if err := w.sim.AddMessage(lead.Index); err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * time.Millisecond) // so that they fall at any moment between polls
	}
	var delays []time.Duration
	deadline := time.After(patience)
	for len(delays) < len(made) {
		select {
		case a := <-arrived.keys:
			if at, ok := made[a.key]; ok {
				delays = append(delays, a.at.Sub(at))
			}
		case <-deadline:
			t.Fatalf("%d of %d changes arrived\n%s", len(delays), len(made), r.tail())
		}
	}
	r.terminate(0)
	slices.Sort(delays)
	t.Logf("from the change to the committed record, %d changes: median %s, 90 %% within %s, worst %s", len(delays),
		delays[len(delays)/2].Round(time.Millisecond), delays[len(delays)*9/10].Round(time.Millisecond), delays[len(delays)-1].Round(time.Millisecond))
	w.wantNoForbiddenRequests()
}

// arrivals are the leads of new records of the topic, as they come.
type arrivals struct {
	keys chan arrival
	stop func()
}

type arrival struct {
	key string
	at  time.Time
}

// follow reads what comes to the topic from now on, as a read_committed consumer.
func (w *world) follow(ctx context.Context) *arrivals {
	w.t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	a := &arrivals{keys: make(chan arrival, 10_000)}
	offsets := make(map[int32]kgo.Offset)
	for partition, end := range w.ends() {
		offsets[partition] = kgo.NewOffset().At(end)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(w.broker.Brokers...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{w.topic: offsets}), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				a.keys <- arrival{keyOf(fromJSON(w.t, r.Value)), time.Now()}
			})
		}
	}()
	a.stop = func() {
		cancel()
		<-done
		client.Close()
	}
	return a
}

// ends are the offsets behind the last records of the topic's partitions.
func (w *world) ends() map[int32]int64 {
	w.t.Helper()
	ends := make(map[int32]int64)
	for partition := range int32(w.broker.Partitions(w.t, w.topic)) {
		ends[partition] = 0
	}
	for _, r := range kafkatest.ReadCommitted(w.t, w.broker.Brokers, w.topic) {
		ends[r.Partition] = r.Offset + 1
	}
	return ends
}
