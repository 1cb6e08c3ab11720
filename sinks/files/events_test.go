package files

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	jn "github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

const (
	streamID = "0190c0de-1111-4111-8111-111111111111"
	otherID  = "5eed1e55-2222-4222-8222-222222222222"
)

func eventSpec(dir string) Spec {
	sp := spec(dir)
	sp.Binding.JournalID = streamID
	return sp
}

func mustOpenEvents(t testing.TB, sp Spec) *EventSink {
	t.Helper()
	s, err := OpenEvents(t.Context(), sp)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// event is the ith event of a stream whose dates are drawn by a hash; one in
// nine has none.
func event(i int) schema.Row {
	r := schema.Row{LeadID: "lead-" + strconv.Itoa(i)}
	if h := i * 7919 % 104729; h%9 > 0 {
		day := time.Date(2026, 8, 1+h%5, h%24, 0, 0, 0, time.UTC)
		r.SubmittedTime = schema.Some(day)
	}
	return r
}

// stretch are the events [from, to): in these tests a journal's record holds one
// event, so that a position is a number of events too.
func stretch(from, to int) []schema.Row {
	var rows []schema.Row
	for i := from; i < to; i++ {
		rows = append(rows, event(i))
	}
	return rows
}

func at(journal string, next int) deliver.Position {
	return deliver.Position{Journal: journal, Next: jn.Seq(next)}
}

// add commits rows; die leaves everything as it is after an error, as a process
// does that is killed.
func add(ctx context.Context, s *EventSink, rows []schema.Row, next deliver.Position, die bool) (deliver.Receipt, error) {
	tx, err := s.Begin(ctx, deliver.Whole)
	if err != nil {
		return deliver.Receipt{}, err
	}
	for len(rows) > 0 && err == nil {
		n := min(len(rows), 7)
		err = tx.Write(ctx, rows[:n])
		rows = rows[n:]
	}
	var r deliver.Receipt
	if err == nil {
		r, err = tx.Commit(ctx, next)
	}
	if !die {
		err = errors.Join(err, tx.Rollback())
	}
	return r, err
}

// mustAdd commits the events from the sink's position on.
func mustAdd(t testing.TB, s *EventSink, next int) deliver.Receipt {
	t.Helper()
	from := 0
	if p := eventPosition(t, s); p.Journal == s.binding.JournalID {
		from = int(p.Next)
	}
	r, err := add(t.Context(), s, stretch(from, next), at(s.binding.JournalID, next), false)
	if err != nil {
		t.Fatalf("commit up to %d: %v", next, err)
	}
	return r
}

func eventPosition(t testing.TB, s *EventSink) deliver.Position {
	t.Helper()
	p, err := s.Position(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatalf("position: %v", err)
	}
	return p
}

// wantStream reads what is there by name, as engines do, and compares it with
// the events [0, next), date by date, each in their order.
func wantStream(t testing.TB, dir string, next int) {
	t.Helper()
	if got, want := readEvents(t, dir), inDates(stretch(0, next)); !same(got, want) {
		t.Fatalf("the files hold %v, want %v", got, want)
	}
}

func inDates(rows []schema.Row) map[string][]string {
	dates := make(map[string][]string)
	for p, rows := range sinktest.ByDate(rows) {
		dates[p.String()] = leadIDs(rows)
	}
	return dates
}

func same(a, b map[string][]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if !slices.Equal(v, b[k]) {
			return false
		}
	}
	return true
}

// readEvents returns the leads of all files with final names, by date.
func readEvents(t testing.TB, dir string) map[string][]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "marketplace=*", "date=*", "events-*.ids*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	dates := make(map[string][]string)
	for _, path := range paths {
		id, ok := partitionOf(filepath.Base(filepath.Dir(path)))
		if !ok {
			t.Fatalf("%s is in no partition", path)
		}
		dates[id.String()] = append(dates[id.String()], readLines(t, path)...)
	}
	return dates
}

// manifestsOf reads all manifests of a journal, the oldest first.
func manifestsOf(t testing.TB, dir, journal string) []*eventManifest {
	t.Helper()
	l := eventSpec(dir).layout(dir)
	refs, err := l.eventManifestRefs()
	if err != nil {
		t.Fatal(err)
	}
	var list []*eventManifest
	for _, r := range slices.Backward(refs) {
		m, err := l.readEventManifest(r)
		if err != nil {
			t.Fatal(err)
		}
		if m.Position.Journal == journal {
			list = append(list, m)
		}
	}
	return list
}

// wantChain checks that the manifests follow one another without a hole, that
// one at most has no files, the last, and that each file is as listed.
func wantChain(t testing.TB, dir string, next int) {
	t.Helper()
	list := manifestsOf(t, dir, streamID)
	end := jn.Seq(0)
	for i, m := range list {
		if m.From != end || len(m.Files) == 0 && i < len(list)-1 || len(m.Aside) > 0 {
			t.Fatalf("manifest %d of %d goes from %d to %d with %d files; the one before ended at %d", i, len(list), m.From, m.Position.Next, len(m.Files), end)
		}
		end = m.Position.Next
		rows := 0
		for _, f := range m.Files {
			if !matches(filepath.Join(dir, f.Folder, f.Name), f.file) {
				t.Fatalf("%s is not as its manifest says", f.Name)
			}
			rows += f.Rows
		}
		if want := int(m.Position.Next - m.From); rows != want && rows > 0 {
			t.Fatalf("the manifest from %d to %d lists %d rows", m.From, m.Position.Next, rows)
		}
	}
	if end != jn.Seq(next) {
		t.Fatalf("the manifests end at %d, want %d", end, next)
	}
}

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
	p := deliver.Position{Journal: streamID, Next: 10, Base: 4, Through: 30}
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
