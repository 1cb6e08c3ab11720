package files

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
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
