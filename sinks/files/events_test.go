package files

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func TestEventsOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := mustOpenEvents(t, eventSpec(dir))
	rows := append(sinktest.Leads(day, 0, 4), sinktest.Undated(1)...)
	if r, err := add(t.Context(), s, rows, at(streamID, 7), false); err != nil || r.Files != 3 || r.Rows != 5 || r.Unchanged {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := add(t.Context(), s, sinktest.Leads(day, 4, 1), at(streamID, 12), false); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"_leads-etl/",
		"_leads-etl/ids/",
		"_leads-etl/ids/marketplace=EBAY_DE/",
		"_leads-etl/ids/marketplace=EBAY_DE/account=example-motors/",
		"_leads-etl/ids/marketplace=EBAY_DE/account=example-motors/events/",
		"_leads-etl/ids/marketplace=EBAY_DE/account=example-motors/events/0190c0de-00000000000000000007.json",
		"_leads-etl/ids/marketplace=EBAY_DE/account=example-motors/events/0190c0de-00000000000000000012.json",
		"marketplace=EBAY_DE/",
		"marketplace=EBAY_DE/date=2026-09-01/",
		"marketplace=EBAY_DE/date=2026-09-01/events-example-motors-0190c0de-00000000000000000000-00000.ids",
		"marketplace=EBAY_DE/date=2026-09-01/events-example-motors-0190c0de-00000000000000000000-00001.ids",
		"marketplace=EBAY_DE/date=2026-09-01/events-example-motors-0190c0de-00000000000000000007-00000.ids",
		"marketplace=EBAY_DE/date=__HIVE_DEFAULT_PARTITION__/",
		"marketplace=EBAY_DE/date=__HIVE_DEFAULT_PARTITION__/events-example-motors-0190c0de-00000000000000000000-00002.ids",
	}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	data, err := os.ReadFile(filepath.Join(dir, want[6]))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		From     int
		Position struct {
			Journal string
			Next    int
		}
		Files []struct {
			Folder, Name, SHA256 string
			Size, Rows           int
		}
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	if m.From != 7 || m.Position.Next != 12 || m.Position.Journal != streamID || len(m.Files) != 1 || m.Files[0].Folder != dateFolder || m.Files[0].Rows != 1 {
		t.Errorf("the manifest is %s", data)
	}
}

// Opening, asking for the position and giving up leave no trace.
func TestEventsNoTrace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	s := mustOpenEvents(t, eventSpec(dir))
	eventPosition(t, s)
	for _, n := range []int{0, 50} {
		tx, err := s.Begin(t.Context(), deliver.Whole)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Write(t.Context(), stretch(0, n)); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if left := tree(t, dir); len(left) > 0 {
			t.Errorf("left by the rollback of %d rows: %v", n, left)
		}
	}
}

// An idle stream keeps one manifest without files, however often its position
// moves; the next commit with rows takes its place.
func TestIdleStream(t *testing.T) {
	dir := t.TempDir()
	s := mustOpenEvents(t, eventSpec(dir))
	mustAdd(t, s, 10)
	for next := 11; next < 20; next++ {
		r, err := add(t.Context(), s, nil, at(streamID, next), false)
		if err != nil || !r.Unchanged {
			t.Fatalf("%+v, %v", r, err)
		}
		if n := len(manifestsOf(t, dir, streamID)); n != 2 {
			t.Fatalf("%d manifests", n)
		}
		if p := eventPosition(t, mustOpenEvents(t, eventSpec(dir))); p != at(streamID, next) {
			t.Fatalf("position %+v", p)
		}
	}
	if _, err := add(t.Context(), s, stretch(10, 20), at(streamID, 20), false); err != nil {
		t.Fatal(err)
	}
	if list := manifestsOf(t, dir, streamID); len(list) != 2 || list[1].From != 10 {
		t.Fatalf("%d manifests", len(list))
	}
	wantStream(t, dir, 20)
	wantChain(t, dir, 20)
}

// The bounds of a stretch may change where the position does not.
func TestEventsPositionIsKept(t *testing.T) {
	dir := t.TempDir()
	s := mustOpenEvents(t, eventSpec(dir))
	mustAdd(t, s, 10)
	p := deliver.Position{Journal: streamID, Next: 10, Base: 4, Through: 30, Snapshot: "12:bAk"}
	for range 2 {
		if _, err := add(t.Context(), s, nil, p, false); err != nil {
			t.Fatal(err)
		}
		if got := eventPosition(t, mustOpenEvents(t, eventSpec(dir))); got != p {
			t.Fatalf("position %+v", got)
		}
	}
	wantStream(t, dir, 10)
	wantChain(t, dir, 10)
}

func TestEventsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustOpenEvents(t, eventSpec(dir))
	mustAdd(t, s, 10)
	for name, c := range map[string]struct {
		rows []schema.Row
		next deliver.Position
	}{
		"back":                      {nil, at(streamID, 9)},
		"back with rows":            {stretch(0, 3), at(streamID, 9)},
		"rows at the same position": {stretch(0, 3), at(streamID, 10)},
		"another journal's":         {stretch(0, 3), at(otherID, 20)},
	} {
		if _, err := add(t.Context(), s, c.rows, c.next, false); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := s.Begin(t.Context(), today); err == nil {
		t.Error("begun on a date")
	}
	if _, err := s.Position(t.Context(), today); err == nil {
		t.Error("the position of a date")
	}
	wantStream(t, dir, 10)
	wantNoTemps(t, dir)

	sp := eventSpec(dir)
	sp.Binding.JournalID = "journal-1"
	if _, ok := errors.AsType[*deliver.PermanentError](second(OpenEvents(t.Context(), sp))); !ok {
		t.Error("a journal without a tag is taken")
	}
	sp.Binding.JournalID = streamID[:12] + streamID[13:] + "0" // another, with the same tag
	if _, ok := errors.AsType[*deliver.PermanentError](second(OpenEvents(t.Context(), sp))); !ok {
		t.Error("a journal with the tag of another is taken")
	}
}

func second[A any](_ A, err error) error { return err }

func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sp := eventSpec(t.TempDir())
		sp.Format = manyIDs
		sp.Options.RollRows, sp.Options.RollInterval = 100, time.Minute
		s := mustOpenEvents(t, sp)
		begin := func() deliver.Lingering {
			tx, err := s.Begin(t.Context(), deliver.Whole)
			if err != nil {
				t.Fatal(err)
			}
			return tx.(deliver.Lingering)
		}
		want := func(tx deliver.Lingering, want time.Duration) {
			t.Helper()
			if got := tx.Linger(); got != want {
				t.Errorf("lingers for %s, want %s", got, want)
			}
		}
		write := func(tx deliver.Lingering, rows []schema.Row) {
			t.Helper()
			if err := tx.Write(t.Context(), rows); err != nil {
				t.Fatal(err)
			}
		}
		tx := begin()
		time.Sleep(time.Hour)
		want(tx, time.Minute) // nothing waits yet
		write(tx, stretch(0, 60))
		want(tx, time.Minute)
		time.Sleep(20 * time.Second)
		write(tx, stretch(60, 70))
		want(tx, 40*time.Second)
		time.Sleep(time.Minute)
		want(tx, -20*time.Second)
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}

		tx = begin()
		write(tx, stretch(0, 99))
		want(tx, time.Minute)
		write(tx, stretch(99, 100))
		want(tx, 0)
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}

		s.rollBytes, s.rollRows = 2*partBuffer, 1<<30
		tx = begin()
		write(tx, stretch(0, 1000))
		want(tx, time.Minute)
		for i := 0; tx.Linger() > 0; i++ {
			if i > 100 {
				t.Fatal("no number of bytes makes it due")
			}
			write(tx, stretch(0, 20_000))
		}
	})
}
