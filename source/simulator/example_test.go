package simulator_test

import (
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// A world is made, served, and changed; the truth follows.
func Example() {
	faults, err := simulator.ParseFaults("350000=0.08,429=0.04:1s,short=0.05,max-leads=1500")
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := simulator.New(simulator.Config{
		Seed: 7, Leads: 100, Listings: 4, From: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Clean: true, Faults: faults,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	count := func() (n int) {
		for range server.Truth(server.Range()) {
			n++
		}
		return n
	}
	fmt.Println("leads:", count())
	if err := server.EndListing(server.ItemIDs()[0]); err != nil {
		fmt.Println(err)
	}
	fmt.Println("some are gone:", count() < 100)
	fmt.Println("version:", server.Version())
	fmt.Println("forbidden requests:", len(server.Forbidden()))
	// Output:
	// leads: 100
	// some are gone: true
	// version: 1
	// forbidden requests: 0
}
