package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// Single listings, one status, without messages: what the API has of these, and
// nothing else.
func TestItemsAndStatusWithoutMessages(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	items := w.sim.ItemIDs()[:2]
	if err := w.sim.Respond(0, 1, 2, 3, 4, 5, 6, 7, 8, 9); err != nil {
		t.Fatal(err)
	}
	w.mustRun(0, append(between(w.sim.Range()),
		"--item", items[0], "--item", items[1], "--status", "Answered", "--no-ebay-include-messages")...)
	want := oracle.Rows(func(yield func(simulator.Lead) bool) {
		for lead := range w.sim.Truth(w.sim.Range()) {
			ours := lead.ItemID.Value == items[0] || lead.ItemID.Value == items[1]
			if ours && lead.LeadStatus.Value == "RESPONDED" && !yield(lead) {
				return
			}
		}
	}, oracle.Options{Account: account, Marketplace: marketplace})
	if len(want) == 0 {
		t.Fatal("the world has no such lead")
	}
	w.wantAll(want)
	w.wantNoForbiddenRequests()
}

// A run that meets the daily quota stops with 4 and says when it goes on; the
// next day's run asks only for the rest.
func TestTheQuotaIsSpentAndTheRunGoesOnLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 5, Leads: 20_000, From: september, To: november})
	w.extra = "[fetch]\ndaily-quota = 8\nquota-reserve = 2\n"
	r := w.mustRun(4, between(w.sim.Range())...)
	if calls := w.sim.Stats().Calls; calls > 6 {
		t.Errorf("%d calls with a quota of 8 and a reserve of 2", calls)
	}
	if !strings.Contains(r.output(), "no calls left until") {
		t.Errorf("the run does not say when it can go on:\n%s", r.output())
	}
	landed := make(map[string]bool)
	for _, e := range w.sim.Exchanges() {
		landed[e.Request] = e.Outcome == "ok"
	}
	w.extra = "[fetch]\ndaily-quota = 5000\n"
	w.sim.ResetStats()
	w.mustRun(0, between(w.sim.Range())...)
	for _, e := range w.sim.Exchanges() {
		if landed[e.Request] {
			t.Errorf("asked for again: %s", e.Request)
		}
	}
	w.wantAll(expect(w.sim.Truth(w.sim.Range())))
}

// The disk is full: the run stops with 1 and says what to do, and nothing of
// what was landed is missing afterwards.
func TestTheDiskIsFull(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal("this test limits the size of files by bash's ulimit: ", err)
	}
	w := newWorld(t, simulator.Config{Seed: 5, Leads: 20_000, From: september, To: november})
	cmd := w.command(between(w.sim.Range())...)
	const limit = 1200 // KiB a file: the journal passes it first
	cmd.Args = append([]string{shell, "-c", fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, limit), cmd.Path}, cmd.Args[1:]...)
	cmd.Path = shell
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if !strings.Contains(string(out), "file too large") || !strings.Contains(string(out), "hint:") {
		t.Errorf("the output does not say what failed and what to do:\n%s", out)
	}
	var summary struct {
		Batch struct {
			Resumed bool  `json:"resumed"`
			Leads   int64 `json:"leads_received"`
		} `json:"batch"`
	}
	second := w.mustRun(0, append(between(w.sim.Range()), "--json")...)
	if err := json.Unmarshal([]byte(second.stdout), &summary); err != nil {
		t.Fatal(err)
	}
	if !summary.Batch.Resumed || summary.Batch.Leads >= 20_000 {
		t.Errorf("nothing of what was landed before the disk was full was kept: %+v", summary.Batch)
	}
	w.wantAll(expect(w.sim.Truth(w.sim.Range())))
	w.wantNoTemporaryFiles()
}

// Two runs on one state folder: the second is refused at once, and says why.
func TestTwoRunsOnOneState(t *testing.T) {
	t.Parallel()
	faults, err := simulator.ParseFaults("slow=1:2s")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, simulator.Config{Seed: 11, Leads: 500, From: september, To: november, Faults: faults})
	w.kafkaOn = false
	first := w.command(between(w.sim.Range())...)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	for w.sim.Stats().Requests["GET /classified_lead"] == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	r := w.run(between(w.sim.Range())...)
	if r.code == 0 || !strings.Contains(r.output(), fmt.Sprint(first.Process.Pid)) {
		t.Errorf("exit code %d\n%s", r.code, r.output())
	}
	if err := first.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
}
