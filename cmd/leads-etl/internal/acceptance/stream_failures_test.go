package acceptance

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator"
)

// The API is away for a while: the stream waits, reads what it missed, and has no
// gap.
func TestStreamThroughAnOutage(t *testing.T) {
	t.Parallel()
	w := streamWorld(t, simulator.Config{Seed: 24, Leads: 500})
	story := newStory(t, w.sim, 24)
	r := w.start(nil, "stream", "--fetch-max-attempts=2") // so that it knows of the outage soon
	r.awaitPoll(time.Time{})
	w.sim.SetOutage(true)
	for range 40 {
		story.step()
	}
	r.await("word of the outage", func(l logLine) bool { return strings.Contains(l.Message, "not to be had") })
	w.sim.SetOutage(false)
	back := time.Now()
	story.step()
	r.awaitPoll(back.Add(2 * time.Second))
	r.terminate(0)
	polls := append(r.polls(), w.streamToTheEnd().polls()...)
	w.wantEvents(polls)
	if status := w.mustRun(0, "status"); !strings.Contains(status.stdout, "gaps        none") {
		t.Errorf("a gap is left:\n%s", status.stdout)
	}
}

// The quota is spent: the stream says until when it waits, and a signal ends it
// as ever.
func TestStreamWaitsForItsQuota(t *testing.T) {
	t.Parallel()
	w := streamWorld(t, simulator.Config{Seed: 25, Leads: 3000})
	w.extra = "[fetch]\ndaily-quota = 8\nquota-reserve = 2\nwindow = \"24h\"\n[stream]\ninterval = \"1s\"\nsettle = \"0s\"\n"
	r := w.start(nil, "stream")
	line := r.await("word of the quota", func(l logLine) bool { return strings.Contains(l.Message, "quota is spent") })
	if line.Until.Before(time.Now()) || line.Until.After(time.Now().Add(25*time.Hour)) {
		t.Errorf("it waits until %s", line.Until)
	}
	r.terminate(0)
	if calls := w.sim.Stats().Calls; calls > 6 {
		t.Errorf("%d calls with a quota of 8 and a reserve of 2", calls)
	}
	w.setStream(streamInterval, ampleQuota)
	w.wantEvents(w.streamToTheEnd().polls())
}

// The broker is away when the stream is told to end: it gives up after the drain
// timeout and says so, and the next one delivers what is missing.
func TestASignalWhileTheBrokerIsDown(t *testing.T) {
	t.Parallel()
	w := streamWorldOn(t, kafkatest.Private(t), simulator.Config{Seed: 26, Leads: 300})
	r := w.start(nil, "stream", "--drain-timeout=3s")
	r.awaitPoll(time.Time{})
	w.broker.Stop(t)
	if err := w.sim.Respond(1, 2, 3, 4, 5, 6, 7, 8, 9); err != nil {
		t.Fatal(err)
	}
	changed := time.Now()
	r.awaitPoll(changed) // polling goes on
	r.terminate(5)
	if !strings.Contains(r.output(), "kafka") {
		t.Errorf("the sink is not named:\n%s", r.output())
	}
	w.broker.Start(t)
	w.wantEvents(append(r.polls(), w.streamToTheEnd().polls()...))
}

// A SIGHUP that comes while a stream begins does not end it.
func TestAHangupAtTheBeginning(t *testing.T) {
	t.Parallel()
	w := streamWorld(t, simulator.Config{Seed: 30, Leads: 50})
	w.kafkaOn = false
	r := w.start(func(r *running, line logLine) {
		if line.Message == "stream" {
			r.signal(syscall.SIGHUP)
		}
	}, "stream")
	r.awaitPoll(time.Time{})
	r.terminate(0)
}

// A second stream on one state is refused, and says why; the first does not mind.
func TestTwoStreamsOnOneState(t *testing.T) {
	t.Parallel()
	w := streamWorld(t, simulator.Config{Seed: 27, Leads: 200})
	first := w.start(nil, "stream")
	first.awaitPoll(time.Time{})
	second := w.run("stream")
	if second.code != 1 && second.code != 2 || !strings.Contains(second.output(), fmt.Sprint(first.cmd.Process.Pid)) {
		t.Errorf("exit code %d\n%s", second.code, second.output())
	}
	if err := w.sim.Respond(1, 2); err != nil {
		t.Fatal(err)
	}
	first.awaitPoll(time.Now())
	first.terminate(0)
	w.wantEvents(first.polls())
}

// Two streams with states of their own and one transactional id: the second
// fences the first, which ends with 5 and says so. What the first has told by then
// the second tells once more, for it knows nothing of it; but neither tells
// anything twice, and the first nothing more.
func TestAStreamIsFenced(t *testing.T) {
	t.Parallel()
	w := streamWorld(t, simulator.Config{Seed: 28, Leads: 200})
	first := w.start(nil, "stream")
	first.awaitPoll(time.Time{})
	if err := w.sim.Respond(1); err != nil {
		t.Fatal(err)
	}
	first.awaitPoll(time.Now().Add(time.Second))

	other := *w
	other.dir = t.TempDir()
	second := other.start(nil, "stream")
	second.awaitPoll(time.Time{})
	if err := w.sim.Respond(2, 3, 4); err != nil {
		t.Fatal(err)
	}
	if code := first.wait(patience); code != 5 {
		t.Errorf("exit code %d\n%s", code, first.tail())
	}
	if !strings.Contains(first.output(), "fenced") && !strings.Contains(first.output(), "another") {
		t.Errorf("it does not say that it was fenced:\n%s", first.tail())
	}
	if err := w.sim.Respond(5, 6, 7); err != nil { // which only the second can tell
		t.Fatal(err)
	}
	second.awaitPoll(time.Now())
	second.terminate(0)

	all := other.events()
	wantTruth(t, all["ndjson"], w.history(), second.polls(), 0)
	wantSame(t, "parquet", all["parquet"], "ndjson", all["ndjson"])
	told := make(map[any]int)
	for _, e := range all["kafka"] {
		told[e["event_id"]]++
	}
	for id, n := range told {
		if n > 2 {
			t.Errorf("%d times in the topic, from two states: event %v", n, id)
		}
	}
	alone := 0
	for _, e := range all["ndjson"] {
		if told[e["event_id"]] == 0 {
			t.Errorf("not in the topic: %s", about(e))
		}
		if e["event_type"] == "updated" && told[e["event_id"]] == 1 {
			alone++
		}
	}
	if alone < 3 {
		t.Errorf("%d updates are once in the topic, want at least the 3 after the first stream had ended", alone)
	}
	w.wantNoForbiddenRequests()
}
