package deliver

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

func smallCut(t *testing.T) *flatten.Cut {
	t.Helper()
	from := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	var body bytes.Buffer
	zipper := gzip.NewWriter(&body)
	fmt.Fprint(zipper, `{"classifiedLeads":[{"responses":[{"submittedTime":"2026-09-01T10:00:00Z"}]}]}`)
	if err := zipper.Close(); err != nil {
		t.Fatal(err)
	}
	cut, err := flatten.Flattener{}.Cut(&journal.Page{Window: window.New(from, from.Add(dayLength)), Body: body.Bytes()}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return cut
}

// A page is cut once, until all have read it to its end; what has no room is not
// cut again and again, and pushes nothing out.
func TestCutsAreKeptWhileTheyAreRead(t *testing.T) {
	cut := smallCut(t)
	made := make(map[journal.Seq]int)
	c := newCuts(2 * cut.Size())
	get := func(seq journal.Seq, last bool) *flatten.Cut {
		t.Helper()
		got, err := c.get(seq, last, 2, func() (*flatten.Cut, error) { made[seq]++; return cut, nil })
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for range 10 {
		for seq := range journal.Seq(3) {
			if got := get(seq, false); (got != nil) != (seq < 2) {
				t.Fatalf("page %d is kept: %v", seq, got != nil)
			}
		}
	}
	get(0, true)
	get(0, true)
	if get(3, false) == nil || c.bytes != 2*cut.Size() {
		t.Error("there is no room where a page was read to its end")
	}
	for range 2 * cutIdle {
		get(3, false)
	}
	if get(4, false) == nil {
		t.Error("a page that nobody reads any more keeps its room")
	}
	for seq, n := range made {
		if n != 1 {
			t.Errorf("page %d was cut %d times", seq, n)
		}
	}
	failed := errors.New("damaged")
	if _, err := c.get(9, false, 1, func() (*flatten.Cut, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}
