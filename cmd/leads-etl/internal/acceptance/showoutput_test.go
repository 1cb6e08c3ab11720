package acceptance

import (
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// What show reads back from each output is what other readers find there.
func TestShowOfEveryOutput(t *testing.T) {
	w := streamWorld(t, simulator.Config{Leads: 400})
	w.streamToTheEnd()
	for output, want := range w.events() {
		if len(want) < 400 {
			t.Fatalf("%s holds only %d events", output, len(want))
		}
		r := w.run("show", "--output", output, "--json", "--limit", "0", "--reveal")
		if r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		var got rows
		for line := range strings.Lines(r.stdout) {
			got = append(got, fromJSON(t, []byte(line)))
		}
		// In this order, as the reader of Parquet has amounts as integers.
		wantSame(t, output, want, "show --output "+output, got)
	}
}
