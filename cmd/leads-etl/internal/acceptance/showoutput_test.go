package acceptance

import (
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// What show reads back from each output is what other readers find there, and masked
// unless it is to be revealed.
func TestShowOfEveryOutput(t *testing.T) {
	w := streamWorld(t, simulator.Config{Leads: 400})
	w.streamToTheEnd()
	people := make(persons)
	people.add(w)
	for output, want := range w.events() {
		if len(want) < 400 {
			t.Fatalf("%s holds only %d events", output, len(want))
		}
		r := w.run("show", "--output", output, "--json", "--limit", "0", "--reveal")
		if r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		shown := 0
		for value := range people {
			if strings.Contains(r.stdout, value) {
				shown++
			}
		}
		if shown == 0 {
			t.Fatalf("none of %d personal values is revealed: it would not be seen if they were masked", len(people))
		}
		var got rows
		for line := range strings.Lines(r.stdout) {
			got = append(got, fromJSON(t, []byte(line)))
		}
		// In this order, as the reader of Parquet has amounts as integers.
		wantSame(t, output, want, "show --output "+output, got)
		for _, form := range [][]string{nil, {"--json"}} {
			r := w.run(append([]string{"show", "--output", output, "--limit", "0"}, form...)...)
			if r.code != 0 || strings.Count(r.stdout, "\n") < len(want) {
				t.Fatalf("exit code %d, %d lines: %s", r.code, strings.Count(r.stdout, "\n"), r.stderr)
			}
			people.wantNotIn(t, r.stdout+r.stderr)
		}
	}
}
