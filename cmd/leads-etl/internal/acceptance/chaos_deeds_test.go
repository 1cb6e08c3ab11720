package acceptance

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// chaos is a schedule of what goes wrong, and the books of what did.
type chaos struct {
	*world
	random *rand.Rand
	disk   *disk // that state and outputs are on; nil for the machine's
	story  *story
	polls  []poll
	kills  int            // of the program, by -9
	deeds  map[string]int // by name
	codes  map[int]int    // how runs ended, by exit code
}

func (c *chaos) String() string {
	var deeds []string
	for _, name := range slices.Sorted(maps.Keys(c.deeds)) {
		deeds = append(deeds, fmt.Sprintf("%s %d", name, c.deeds[name]))
	}
	return fmt.Sprintf("chaos: %d kill -9, %d changes of the world, %d polls; %s; exit codes %v",
		c.kills, c.story.steps, len(c.polls), strings.Join(deeds, ", "), c.codes)
}

// Weathers of the API. A storm has every fault there is at five percent but one: a
// redirect is no fault that passes by itself, and a run that meets it ends with 3.
// So does one whose first two tokens are revoked at once, which is how a login looks
// that the API does not take; and after five fresh tokens that were not taken the
// client asks for none for ten minutes, over restarts (lockout).
const (
	storm = "350000=0.05,429=0.05:1s,429-date=0.05,503=0.05,html502=0.05,reset=0.05,reset-body=0.05,truncate=0.05," +
		"garbage=0.05,not-json=0.05,short=0.05,bomb=0.05:33554432,warnings=0.05,revoke=0.05,slow=0.05:300ms," +
		"token=0.05,token-endless=0.05,token-life=20s,max-leads=1000"
	stormAndRedirects = storm + ",redirect=0.05"
)

func (c *chaos) weather() (refusals bool) {
	forecast := []string{storm, storm, stormAndRedirects, "warnings=0.05,short=0.05,429=0.05:1s", ""}[c.random.IntN(5)]
	faults, err := simulator.ParseFaults(forecast)
	if err != nil {
		c.t.Fatal(err)
	}
	c.sim.SetFaults(faults)
	return strings.HasPrefix(forecast, storm)
}

const lockout = "fresh tokens within"

// forgetTokens ends a lockout, for which chaos has no time.
func (c *chaos) forgetTokens() {
	found, err := filepath.Glob(c.path("state/token*"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, path := range found {
		if err := os.Remove(path); err != nil {
			c.t.Fatal(err)
		}
	}
}

// heal ends all that is wrong with the API.
func (c *chaos) heal() {
	c.forgetTokens()
	c.sim.SetFaults(simulator.Faults{})
	c.sim.SetOutage(false)
	c.sim.ClientRestarted()
}

// markers are lines of the log that tell how far a run has come, with how often at
// most one is waited for.
var markers = []struct {
	message string
	times   int64
}{
	{"page landed", 8}, {"page landed", 8}, {"committed", 6}, {"committed", 6}, {"committed", 2}, {"polled", 2}, {"trying again", 6}, {"stream", 1},
}

// round is the life of one process: how it begins, what happens to it, how it
// ends.
func (c *chaos) round() {
	refusals := c.weather()
	if c.random.IntN(10) == 0 {
		c.deed("lost store of known leads")
		if err := os.RemoveAll(c.path("state/known")); err != nil {
			c.t.Fatal(err)
		}
	}
	args := []string{"stream", "--drain-timeout=5s"}
	if c.random.IntN(4) == 0 {
		args = between(c.sim.Range())
		if c.random.IntN(2) == 0 {
			args = append(args, "--restart")
		}
	}
	cmd := c.command(append(args, "--verbose", "--log-format=json")...)
	allowed := []int{-1, 0}
	if refusals {
		allowed = append(allowed, 3)
	}
	if args[0] == "batch" {
		allowed = append(allowed, 4)
	}
	c.deed(args[0])
	c.sim.ClientRestarted()
	var r *running
	switch n := c.random.IntN(20); {
	case n < 8:
		r = c.killAtMarker(cmd)
	case n < 12:
		r = c.startCommand(nil, cmd)
		c.pause(r, 2*time.Second)
		c.kill(r, "at random")
	case n < 13:
		r = c.killBroker(cmd)
		allowed = append(allowed, 5)
	case n < 15:
		r = c.outage(cmd)
		allowed = append(allowed, 1)
	case n < 17:
		r = c.fullDisk(cmd)
		allowed = append(allowed, 1, 5)
	default:
		r = c.terminate(cmd)
		allowed = append(allowed, 5, 130)
	}
	code := r.wait(patience)
	c.codes[code]++
	if code == 3 && strings.Contains(r.output(), lockout) {
		allowed = append(allowed, 3)
		c.deed("lockout")
		c.forgetTokens()
	}
	if status, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() != syscall.SIGKILL {
		c.deed("died of " + status.Signal().String())
		if status.Signal() == syscall.SIGHUP {
			c.t.Error("a SIGHUP ended a stream")
		}
	}
	c.polls = append(c.polls, r.polls()...)
	if !slices.Contains(allowed, code) || strings.Contains(r.output(), "panic: ") || strings.Contains(r.output(), "fatal error: ") {
		c.t.Errorf("%v: exit code %d, only %v are right here; %s\n%s", args, code, allowed, c, r.tail())
	}
}

func (c *chaos) deed(name string) { c.deeds[name]++ }

// pause lets the program run for some part of the time.
func (c *chaos) pause(r *running, most time.Duration) {
	select {
	case <-time.After(time.Duration(c.random.Int64N(int64(most)))):
	case <-r.ended:
	}
}

// kill kills the program, if it is still there.
func (c *chaos) kill(r *running, when string) {
	select {
	case <-r.ended:
		c.deed("ended before kill " + when)
	default:
		r.kill()
		<-r.ended
		if r.cmd.ProcessState.ExitCode() == -1 {
			c.kills++
			c.deed("kill " + when)
		}
	}
}

// killAtMarker kills the program the moment it says for the nth time how far it is.
func (c *chaos) killAtMarker(cmd *exec.Cmd) *running {
	marker, left := markers[c.random.IntN(len(markers))], new(atomic.Int64)
	left.Store(1 + c.random.Int64N(marker.times))
	killed := make(chan struct{})
	r := c.startCommand(func(r *running, line logLine) {
		if line.Message == marker.message && left.Add(-1) == 0 {
			r.kill()
			close(killed)
		}
	}, cmd)
	select {
	case <-killed:
		<-r.ended
		if r.cmd.ProcessState.ExitCode() == -1 {
			c.kills++
			c.deed("kill at " + marker.message)
		}
	case <-r.ended:
		c.deed("ended before a marker")
	case <-time.After(2 * time.Second):
		c.kill(r, "before a marker")
	}
	return r
}

// killBroker kills the broker under the program, and starts it again before or
// after the end of the program.
func (c *chaos) killBroker(cmd *exec.Cmd) *running {
	c.deed("kill broker")
	r := c.startCommand(nil, cmd)
	c.pause(r, 2*time.Second)
	c.broker.Stop(c.t)
	c.pause(r, 2*time.Second)
	if c.random.IntN(2) == 0 {
		c.kill(r, "without broker")
	}
	c.broker.Start(c.t)
	c.pause(r, 2*time.Second)
	c.kill(r, "after broker")
	return r
}

// outage takes the API away from the program for a while.
func (c *chaos) outage(cmd *exec.Cmd) *running {
	c.deed("outage")
	r := c.startCommand(nil, cmd)
	c.pause(r, 1500*time.Millisecond)
	c.sim.SetOutage(true)
	c.pause(r, 1500*time.Millisecond)
	if c.random.IntN(2) == 0 {
		c.sim.RevokeTokens()
		c.deed("revoked tokens")
	}
	c.sim.SetOutage(false)
	c.pause(r, 2*time.Second)
	c.kill(r, "after outage")
	return r
}

// terminate ends the program by a signal, or two, after it was told to read its
// configuration again.
func (c *chaos) terminate(cmd *exec.Cmd) *running {
	r := c.startCommand(nil, cmd)
	if slices.Contains(cmd.Args, "stream") && c.random.IntN(2) == 0 {
		r.await("the beginning", func(line logLine) bool { return line.Message == "stream" })
		c.deed("SIGHUP")
		r.signal(syscall.SIGHUP)
	}
	c.pause(r, 2*time.Second)
	c.deed("SIGTERM")
	r.signal(syscall.SIGTERM)
	if c.random.IntN(3) == 0 {
		c.pause(r, 300*time.Millisecond)
		c.deed("second SIGTERM")
		r.signal(syscall.SIGTERM)
	}
	return r
}
