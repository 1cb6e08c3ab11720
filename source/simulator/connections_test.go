package simulator_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// What a client sent before it was killed is not held against its successor, even
// if the server had not read it when the successor began.
func TestWhatAKilledClientSentIsSettled(t *testing.T) {
	sim, err := simulator.New(simulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	api, stop, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	send := func(request string) {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(api, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprint(conn, request); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil { // as the system does for a process that is gone
			t.Fatal(err)
		}
	}
	const killed = 50
	for range killed {
		send("GET " + simulator.LeadsPath + "/classified_lead HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer old\r\n\r\n")
	}
	sim.ClientRestarted()
	if got := sim.Stats().Requests["GET /classified_lead"]; got != killed {
		t.Errorf("%d requests of the killed client were taken in before its successor began, want %d", got, killed)
	}
	stop()
	sim.ClientRestarted() // does not wait for a server that is gone
}
