package pipeline_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline"
	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// The model: two journals get the same records. One is pruned whenever it may be,
// and that is broken off at any point; its store of known leads is lost at times.
// The other stays whole. Whoever reads what is derived from them cannot tell which
// is which.
func TestAPrunedJournalIsAsGoodAsTheWhole(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := &twins{streams: rapid.Bool().Draw(t, "with a stream")}
		for i := range m.both {
			m.both[i] = &twin{dir: filepath.Join(dir, fmt.Sprint(n, "-", i)), topic: delivertest.NewStore(deliver.Append), table: delivertest.NewStore(deliver.Replace)}
			m.both[i].open(t, m.streams)
		}
		defer func() {
			for _, w := range m.both {
				w.close(t)
				os.RemoveAll(w.dir)
			}
		}()
		begin := journal.Begin{ID: "batch", Spec: "batch", Range: pastSpan(0, pastSeconds), Queries: pastQueries, Time: m.now()}
		m.append(t, journal.Record{Begin: &begin})
		if m.streams {
			begin.ID, begin.Spec, begin.Stream = "stream", "stream", true
			m.append(t, journal.Record{Begin: &begin})
		}
		t.Repeat(map[string]func(*rapid.T){
			"enquire": m.enquire, "change": m.change, "answer": m.answer, "another answer": m.answer, "other record": m.other,
			"deliver": m.deliver, "write tables": m.writeTables, "prune": m.prune, "prune again": m.prune,
			"prune and crash": m.crash, "forget": m.forget,
		})
		m.compare(t)
	})
}

const pastSeconds = 8

// pastEpoch is shortly before a midnight, and long ago.
var pastEpoch = time.Date(2020, 9, 1, 23, 59, 56, 0, time.UTC)

func pastAt(second int) time.Time { return pastEpoch.Add(time.Duration(second) * time.Second) }

func pastSpan(from, to int) window.Window { return window.New(pastAt(from), pastAt(to)) }

var pastQueries = []journal.Query{{Messages: true}, {}, {Messages: true, Item: "1"}, {Messages: true, Status: "Answered"}}

// twin is one of the journals, and what is derived from it.
type twin struct {
	dir          string
	journal      *journal.Journal
	base         *base.Store
	reader       *deliver.Reader
	known        *known.Store // nil without a stream
	topic, table *delivertest.Store
}

func (w *twin) open(t *rapid.T, streams bool) {
	logger := slog.New(slog.DiscardHandler)
	var err error
	w.journal, err = journal.Open(w.dir, journal.Options{
		Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}, SegmentBytes: 1500, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	flattener := flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}
	if w.base, err = base.Open(w.journal, flattener, logger); err != nil {
		t.Fatal(err)
	}
	w.reader = deliver.NewReader(w.journal, flattener, deliver.NewDeadLetters(filepath.Join(w.dir, "dead")), logger)
	if streams {
		w.known, err = known.Open(t.Context(), known.Options{
			Dir: filepath.Join(w.dir, "known"), FS: vfs.Default, Journal: w.journal, Pages: w.reader, Flattener: flattener, Logger: logger,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (w *twin) close(t *rapid.T) {
	var err error
	if w.known != nil {
		err = w.known.Close()
	}
	if err = errors.Join(err, w.base.Close(), w.journal.Close()); err != nil {
		t.Fatal(err)
	}
}

func (w *twin) deliverTo(t *rapid.T, store *delivertest.Store, fault func(delivertest.Step) error) {
	landed := make(chan struct{})
	close(landed)
	store.Fault = fault
	o := deliver.Options{
		Journal: w.journal, Reader: w.reader, Base: w.base, Landed: landed, Logger: slog.New(slog.DiscardHandler),
		TransactionRows: 2, Attempts: 1, Backoff: time.Millisecond,
	}
	if w.known != nil {
		if err := w.known.Advance(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.Changes = w.known
	}
	err := deliver.New(deliver.Opener{Name: "memory", Open: store.Open}, o).Run(t.Context())
	if err != nil && fault == nil {
		t.Fatal(err)
	}
	store.Fault = nil
}

// prune prunes what it may.
func (w *twin) prune(t *rapid.T, limit int) {
	s := pipeline.Stages{Journal: w.journal, Base: w.base, Known: w.known, Keep: 1, Logger: slog.New(slog.DiscardHandler)}
	for _, store := range []*delivertest.Store{w.topic, w.table} {
		s.Observers = append(s.Observers, pipeline.Observer{Name: "memory", Open: func(ctx context.Context) (pipeline.Observed, error) {
			return store.Open(ctx)
		}})
	}
	if _, err := pipeline.Prune(t.Context(), s, limit); err != nil {
		t.Fatal(err)
	}
	if report, err := journal.Verify(t.Context(), w.dir); err != nil || len(report.Problems)+len(report.Base) > 0 {
		t.Fatalf("after pruning: %+v, %v", report, err)
	}
}

type twins struct {
	both    [2]*twin // pruned, whole
	streams bool
	leads   []*person
	records int
}

// person is a lead of the model. Nothing keeps two from being alike.
type person struct {
	second, talk       int
	timeless, delisted bool
	item, user, email  string
	text               any
	status             string
}

func (m *twins) now() time.Time { return pastAt(100 + m.records) }

func (m *twins) append(t *rapid.T, r journal.Record) {
	for _, w := range m.both {
		if _, err := w.journal.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	m.records++
}

func (m *twins) enquire(t *rapid.T) {
	p := &person{
		second: rapid.IntRange(0, pastSeconds-1).Draw(t, "second"), timeless: rapid.IntRange(0, 5).Draw(t, "timeless") == 0,
		item: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "item"), user: rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "user"),
		email: rapid.SampledFrom([]string{"a@example.com", "b@example.com"}).Draw(t, "email"), status: "NEW",
	}
	if rapid.Bool().Draw(t, "text") {
		p.text = fmt.Sprint("text ", len(m.leads))
	}
	m.leads = append(m.leads, p)
}

func (m *twins) change(t *rapid.T) {
	if len(m.leads) == 0 {
		t.Skip("none")
	}
	p := rapid.SampledFrom(m.leads).Draw(t, "lead")
	switch rapid.IntRange(0, 3).Draw(t, "change") {
	case 0:
		p.status = rapid.SampledFrom([]string{"NEW", "RESPONDED"}).Draw(t, "status")
	case 1:
		p.delisted = !p.delisted
	case 2:
		p.user = rapid.SampledFrom([]string{"ann", "bob", "cyd"}).Draw(t, "user")
	case 3:
		p.talk = rapid.IntRange(0, 2).Draw(t, "messages")
	}
}

// answer lands an answer of some kind.
func (m *twins) answer(t *rapid.T) {
	one := func(label string, of int) bool { return rapid.IntRange(0, of-1).Draw(t, label) == 0 }
	from := rapid.IntRange(0, pastSeconds-1).Draw(t, "from")
	to := rapid.IntRange(from+1, pastSeconds).Draw(t, "to")
	p := &journal.Page{Batch: "batch", Query: pastQueries[0], Window: pastSpan(from, to), Received: m.now()}
	if m.streams && !one("of the batch", 4) {
		p.Batch = "stream"
	}
	if one("of another query", 4) {
		p.Query = rapid.SampledFrom(pastQueries).Draw(t, "query")
	}
	p.Short = one("short", 8)
	strays, dead := one("strays", 4), one("dead letter", 10)
	listings := make(map[string][]any)
	for _, l := range m.leads {
		inside := l.second >= from && l.second < to
		if l.delisted || p.Query.Item != "" && l.item != p.Query.Item || p.Query.Status != "" && l.status != "RESPONDED" {
			continue
		}
		if !inside && !strays || l.timeless && !strays {
			continue
		}
		o := map[string]any{"userId": l.user, "email": l.email, "leadStatus": l.status}
		if l.text != nil {
			o["additionalInformation"] = l.text
		}
		if !l.timeless {
			o["submittedTime"] = pastAt(l.second).Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 500}).Draw(t, "ms")) * time.Millisecond).Format(time.RFC3339Nano)
		}
		if l.talk > 0 && p.Query.Messages {
			var said []any
			for i := range l.talk {
				said = append(said, map[string]any{"messageId": i + 1, "question": "is it there?", "response": fmt.Sprint("answer ", i)})
			}
			o["memberMessage"] = map[string]any{"memberMessageExchange": said}
		}
		listings[l.item] = append(listings[l.item], o)
		p.Leads++
		if l.timeless || l.second < from-1 || l.second > to {
			p.Undated++
		}
	}
	if dead {
		listings["1"] = append(listings["1"], "no lead")
		p.Leads++
	}
	if !one("announces nothing", 8) {
		p.TotalLeads = &p.Leads
	}
	p.Body = packed(t, listings, p.Leads)
	m.append(t, journal.Record{Page: p})
}

func packed(t *rapid.T, listings map[string][]any, leads int) []byte {
	var all []any
	for _, item := range []string{"1", "2"} {
		if responses := listings[item]; len(responses) > 0 {
			all = append(all, map[string]any{"itemId": item, "responses": responses})
		}
	}
	var body bytes.Buffer
	gz := gzip.NewWriter(&body)
	if err := errors.Join(json.NewEncoder(gz).Encode(map[string]any{"classifiedLeads": all, "totalLeads": leads}), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return body.Bytes()
}

// other appends a record that is no page.
func (m *twins) other(t *rapid.T) {
	from := rapid.IntRange(0, pastSeconds-1).Draw(t, "from")
	w := pastSpan(from, rapid.IntRange(from+1, pastSeconds).Draw(t, "to"))
	q := rapid.SampledFrom(pastQueries).Draw(t, "query")
	var r journal.Record
	switch rapid.IntRange(0, 3).Draw(t, "record") {
	case 0:
		r.Gap = &journal.Gap{Batch: "batch", Query: q, Window: w, Reason: "503", Time: m.now()}
	case 1:
		r.Poll = &journal.Poll{Batch: "stream", Query: q, Windows: []window.Window{w}, Received: m.now()}
	case 2:
		r.End = &journal.End{Batch: "batch", Time: m.now()}
	case 3:
		r.Begin = &journal.Begin{ID: "batch", Spec: "batch", Range: w, Queries: []journal.Query{q}, Time: m.now()}
	}
	m.append(t, r)
}

// deliver delivers to the topics, with the same fault at some step.
func (m *twins) deliver(t *rapid.T) {
	at := rapid.IntRange(0, 12).Draw(t, "step that fails")
	for _, w := range m.both {
		left := at
		w.deliverTo(t, w.topic, func(delivertest.Step) error {
			if left--; left == 0 {
				return &deliver.PermanentError{Err: errors.New("a fault")}
			}
			return nil
		})
	}
}

// writeTables brings the table of one journal or the other up to date: it may be
// pruned far beyond that.
func (m *twins) writeTables(t *rapid.T) {
	w := rapid.SampledFrom(m.both[:]).Draw(t, "whose")
	w.deliverTo(t, w.table, nil)
}

func (m *twins) prune(t *rapid.T) {
	m.both[0].prune(t, rapid.IntRange(0, 3).Draw(t, "segments"))
}

// forget loses what is derived.
func (m *twins) forget(t *rapid.T) {
	w := m.both[0]
	w.close(t)
	if err := os.RemoveAll(filepath.Join(w.dir, "known")); err != nil {
		t.Fatal(err)
	}
	w.open(t, m.streams)
}

// crash is a pruning that ends in its midst: what was there before, and what comes
// to be, are both there in part.
func (m *twins) crash(t *rapid.T) {
	w := m.both[0]
	before := w.dir + "-before"
	defer os.RemoveAll(before)
	w.close(t)
	copyTree(t, w.dir, before)
	w.open(t, m.streams)
	w.prune(t, rapid.IntRange(0, 3).Draw(t, "segments"))
	w.close(t)
	after := filepath.Join(w.dir, "journal")
	old := filepath.Join(before, "journal")
	switch rapid.IntRange(0, 2).Draw(t, "crash") {
	case 0: // the new base is there, or its draft, and nobody names it
		for _, name := range names(t, after) {
			if _, err := os.Stat(filepath.Join(old, name)); errors.Is(err, fs.ErrNotExist) && len(name) > 5 && name[:5] == "base-" {
				to := name
				if rapid.Bool().Draw(t, "draft") {
					to = "." + name + ".tmp"
				}
				copyTree(t, filepath.Join(after, name), filepath.Join(old, to))
			}
		}
		if err := errors.Join(os.RemoveAll(w.dir), os.Rename(before, w.dir)); err != nil {
			t.Fatal(err)
		}
	case 1: // the identity names it, and what it stands for is there in part
		for _, name := range names(t, old) {
			if _, err := os.Stat(filepath.Join(after, name)); errors.Is(err, fs.ErrNotExist) && rapid.Bool().Draw(t, "left") {
				copyTree(t, filepath.Join(old, name), filepath.Join(after, name))
			}
		}
	case 2: // a store of known leads that knows nothing of it
	}
	if rapid.Bool().Draw(t, "known is lost") {
		if err := os.RemoveAll(filepath.Join(w.dir, "known")); err != nil {
			t.Fatal(err)
		}
	}
	w.open(t, m.streams)
	for _, name := range names(t, after) {
		if name[0] == '.' || name[:4] == "base" && filepath.Base(w.journal.Base()) != name {
			t.Fatalf("%s was left behind", name)
		}
	}
}

func names(t *rapid.T, dir string) []string {
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(files))
	for i, f := range files {
		all[i] = f.Name()
	}
	return all
}

// copyTree copies a file or a folder.
func copyTree(t *rapid.T, from, to string) {
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// compare holds the pruned journal to the whole one.
func (m *twins) compare(t *rapid.T) {
	for _, w := range m.both {
		w.deliverTo(t, w.topic, nil)
		w.deliverTo(t, w.table, nil)
	}
	pruned, whole := m.both[0], m.both[1]
	same(t, "topic", pruned.topic.Rows(deliver.Whole), whole.topic.Rows(deliver.Whole))
	sameTables(t, "table", pruned.table, whole.table)
	rebuilt := delivertest.NewStore(deliver.Replace)
	pruned.deliverTo(t, rebuilt, nil)
	sameTables(t, "a new table", rebuilt, whole.table)
	m.compareState(t)
	m.compareNewTopic(t)
	m.compareLooks(t)
}

func same(t *rapid.T, what string, got, want []schema.Row) {
	lines := func(rows []schema.Row) []string {
		var all []string
		for i := range rows {
			line, err := schema.AppendJSON(nil, &rows[i])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(line))
		}
		return all
	}
	if g, w := lines(got), lines(want); !slices.Equal(g, w) {
		t.Fatalf("%s: %d rows\n%v\nof the whole journal %d\n%v", what, len(g), g, len(w), w)
	}
}

func sameTables(t *rapid.T, what string, got, want *delivertest.Store) {
	for _, p := range append(got.Partitions(), want.Partitions()...) {
		same(t, fmt.Sprint(what, " ", p), got.Rows(p), want.Rows(p))
	}
}

// compareState compares what is known, and what is covered.
func (m *twins) compareState(t *rapid.T) {
	var states [2]any
	for i, w := range m.both {
		past, err := base.ReadPast(w.journal)
		if err != nil {
			t.Fatal(err)
		}
		tracker, pages, leads := past.Coverage.Tracker(), past.Pages, past.Leads
		forecast := pipeline.NewForecast(past)
		for r, err := range w.journal.Records(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			tracker.Apply(r)
			forecast.Apply(r)
			if r.Page != nil {
				pages++
				leads += r.Page.Leads
			}
		}
		var ages []int
		for _, q := range pastQueries {
			ages = append(ages, forecast.Windows([]journal.Query{q}, time.Minute)(0, time.Hour))
		}
		state := struct {
			Coverage     coverage.State
			Pages, Leads int
			Windows      []int
			End          journal.Seq
			Sum          string
			Stats        known.Stats
		}{Coverage: tracker.State(), Pages: pages, Leads: leads, Windows: ages, End: w.journal.End()}
		if w.known != nil {
			if err := w.known.Forget(m.both[0].journal.First()); err != nil {
				t.Fatal(err)
			}
			if state.Sum, err = w.known.Sum(t.Context()); err != nil {
				t.Fatal(err)
			}
			state.Stats = w.known.Stats()
		}
		states[i] = state
	}
	if !reflect.DeepEqual(asJSON(t, states[0]), asJSON(t, states[1])) {
		t.Fatalf("state %s\nof the whole journal %s", asJSON(t, states[0]), asJSON(t, states[1]))
	}
}

func asJSON(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// compareNewTopic gives a topic that is new all there is: the last that it is told
// of each lead is what the old one was told last.
func (m *twins) compareNewTopic(t *rapid.T) {
	topic := delivertest.NewStore(deliver.Append)
	at := rapid.IntRange(0, 20).Draw(t, "step that fails in a new topic")
	m.both[0].deliverTo(t, topic, func(delivertest.Step) error {
		if at--; at == 0 {
			return &deliver.PermanentError{Err: errors.New("a fault")}
		}
		return nil
	})
	m.both[0].deliverTo(t, topic, nil)
	last := func(rows []schema.Row) map[string]string {
		all := make(map[string]string)
		for _, r := range rows {
			all[r.LeadID] = fmt.Sprint(r.ContentHash, r.LeadVersion, r.EventType == schema.Vanished)
			if r.EventType == schema.Snapshot {
				all[r.LeadID] = r.ContentHash
			}
		}
		return all
	}
	ids := make(map[string]bool)
	for _, r := range topic.Rows(deliver.Whole) {
		if ids[r.EventID] && r.EventType != schema.Snapshot {
			t.Fatalf("a new topic is told %s %s twice", r.EventType, r.LeadID)
		}
		ids[r.EventID] = true
	}
	got, want := last(topic.Rows(deliver.Whole)), last(m.both[1].topic.Rows(deliver.Whole))
	if len(got) != len(want) {
		t.Fatalf("a new topic knows %d leads, the old one %d", len(got), len(want))
	}
	for id, w := range want {
		if g := got[id]; g != w && !(len(g) == 64 && w[:64] == g) {
			t.Fatalf("lead %s: a new topic was told last %q, the old one %q", id, g, w)
		}
	}
}
