package files

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// eventsRole goes on with the stream from its position, in commits of a few
// events, and prints each position that was committed, until it is killed.
func eventsRole() int {
	ctx := context.Background()
	s, err := OpenEvents(ctx, eventSpec(os.Args[1]))
	var p deliver.Position
	if err == nil {
		p, err = s.Position(ctx, deliver.Whole)
	}
	for from := int(p.Next); err == nil; {
		to := from + 1 + from%7*3
		if _, err = add(ctx, s, stretch(from, to), at(streamID, to), false); err == nil {
			fmt.Println(to)
			from = to
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// TestEventsKilled kills a process that adds events, again and again, with
// SIGKILL. Whatever it was about, the files hold each event before the position
// once, and of each date in their order.
func TestEventsKilled(t *testing.T) {
	dir := t.TempDir()
	for range 25 {
		said := runAndKill(t, "events", dir, 0, 1+rand.IntN(4))
		// What has a final name belongs to a commit that took effect.
		listed := 0
		for _, m := range manifestsOf(t, dir, streamID) {
			listed = int(m.Position.Next)
		}
		all := inDates(stretch(0, listed))
		for date, leads := range readEvents(t, dir) {
			if !isSubsequence(leads, all[date]) {
				t.Fatalf("%s shows %v, of which only %v were committed", date, leads, all[date])
			}
		}

		s := mustOpenEvents(t, eventSpec(dir))
		p := eventPosition(t, s)
		if uint64(p.Next) < said || int(p.Next) != listed {
			t.Fatalf("the position is %d, the writer said %d, and the manifests %d", p.Next, said, listed)
		}
		wantStream(t, dir, int(p.Next))
		wantChain(t, dir, int(p.Next))
		wantNoTemps(t, dir)
	}
}

// isSubsequence reports whether all of a are in b, in the same order.
func isSubsequence(a, b []string) bool {
	for _, s := range b {
		if len(a) > 0 && a[0] == s {
			a = a[1:]
		}
	}
	return len(a) == 0
}
