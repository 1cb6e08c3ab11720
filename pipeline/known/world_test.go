package known

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 9, 1, 23, 59, 50, 0, time.UTC)

func at(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }

func span(from, to int) window.Window { return window.New(at(from), at(to)) }

// tester is a test, or a check of rapid's.
type tester interface {
	rapid.TB
	Context() context.Context
}

// object is a response of an answer, as the API's JSON has it.
type object = map[string]any

// with returns a copy of the object with members set; nil takes one away.
func with(o object, members ...any) object {
	changed := make(object)
	for k, v := range o {
		changed[k] = v
	}
	for i := 0; i < len(members); i += 2 {
		if name := members[i].(string); members[i+1] == nil {
			delete(changed, name)
		} else {
			changed[name] = members[i+1]
		}
	}
	return changed
}

// body is an answer of responses by their listing, which is taken from their
// member "item".
func body(t rapid.TB, responses ...object) []byte {
	t.Helper()
	var listings []object
	for _, r := range responses {
		item := r["item"]
		i := slices.IndexFunc(listings, func(l object) bool { return l["itemId"] == item })
		if i < 0 {
			i = len(listings)
			listings = append(listings, object{"itemId": item, "responses": []any{}})
		}
		var response any = with(r, "item", nil)
		if dead, ok := r["dead"]; ok {
			response = dead
		}
		listings[i]["responses"] = append(listings[i]["responses"].([]any), response)
	}
	text, err := json.Marshal(object{"classifiedLeads": listings, "totalLeads": len(responses)})
	if err != nil {
		t.Fatal(err)
	}
	return pack(t, text)
}

// packers are kept, for making one takes longer than all else that a model does.
var packers = sync.Pool{New: func() any {
	gz, err := gzip.NewWriterLevel(nil, gzip.NoCompression)
	if err != nil {
		panic(err)
	}
	return gz
}}

func pack(t rapid.TB, text []byte) []byte {
	t.Helper()
	gz := packers.Get().(*gzip.Writer)
	defer packers.Put(gz)
	var packed bytes.Buffer
	gz.Reset(&packed)
	if _, err := gz.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

var seller = flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}

// pages flattens the pages of a journal.
type pages struct {
	journal *journal.Journal
	// fail is asked before each reading; nil for no faults.
	fail func() error
}

func (p *pages) Page(seq journal.Seq, w window.Window) (flatten.Result, error) {
	if p.fail != nil {
		if err := p.fail(); err != nil {
			return flatten.Result{}, err
		}
	}
	page, err := p.journal.Page(seq)
	if err != nil {
		return flatten.Result{}, err
	}
	return seller.Page(page, w)
}

// world is a journal that is filled by hand, and a store of what is known.
type world struct {
	t       tester
	journal *journal.Journal
	pages   *pages
	fs      *vfs.MemFS
	store   *Store
	log     bytes.Buffer
	// sliceLeads and batchBytes are the store's options.
	sliceLeads, batchBytes int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, fs: vfs.NewCrashableMem()}
	w.openJournal(t.TempDir())
	w.append(journal.Record{Begin: &journal.Begin{ID: "stream", Stream: true}})
	w.append(journal.Record{Begin: &journal.Begin{ID: "batch"}})
	w.open()
	t.Cleanup(func() {
		if err := errors.Join(w.store.Close(), w.journal.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) openJournal(dir string) {
	w.t.Helper()
	j, err := journal.Open(dir, journal.Options{Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.journal, w.pages = j, &pages{journal: j}
}

// options of a store of the world's journal, on a file system.
func (w *world) options(fs vfs.FS) Options {
	return Options{
		Dir: "known", FS: fs, Journal: w.journal, Pages: w.pages, Flattener: seller,
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)), sliceLeads: w.sliceLeads, batchBytes: w.batchBytes,
	}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.store, err = Open(w.t.Context(), w.options(w.fs)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) append(r journal.Record) journal.Seq {
	w.t.Helper()
	if r.Page != nil {
		r.Page.Undated = undatedOf(w.t, r.Page)
	}
	seq, err := w.journal.Append(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return seq
}

// undatedOf counts as fetching does.
func undatedOf(t tester, p *journal.Page) int {
	t.Helper()
	text, err := gzip.NewReader(bytes.NewReader(p.Body))
	if err != nil {
		t.Fatal(err)
	}
	found, err := flatten.Inspector{Asked: p.Window}.Inspect(text)
	if err != nil {
		t.Fatal(err)
	}
	return found.Undated
}

// page is a complete answer of a stream over [from, to) with messages.
func (w *world) page(from, to int, responses ...object) *journal.Page {
	w.t.Helper()
	n := len(responses)
	return &journal.Page{
		Batch: "stream", Query: journal.Query{Messages: true}, Window: span(from, to), Leads: n, TotalLeads: &n,
		Received: epoch, Body: body(w.t, responses...),
	}
}

func (w *world) advance() {
	w.t.Helper()
	if err := w.store.Advance(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// take lands a page and returns its events. What Unchanged says before has to fit.
func (w *world) take(p *journal.Page) []Event {
	w.t.Helper()
	w.advance()
	unchanged, err := w.store.Unchanged(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	seq := w.append(journal.Record{Page: p})
	w.advance()
	events := w.events(seq, seq+1)
	if p.Batch == "stream" && unchanged && len(events) > 0 {
		w.t.Errorf("an answer is said to change nothing, and makes %d events", len(events))
	}
	return events
}

// takes lands a page and compares its events, as "type user version columns".
func (w *world) takes(p *journal.Page, want ...string) {
	w.t.Helper()
	if got := w.words(w.take(p)); !slices.Equal(got, want) {
		w.t.Errorf("events %q, want %q", got, want)
	}
}

func (w *world) events(from, to journal.Seq) []Event {
	w.t.Helper()
	return eventsOf(w.t, w.store, from, to)
}

func eventsOf(t tester, s *Store, from, to journal.Seq) []Event {
	t.Helper()
	var events []Event
	for e, err := range s.Events(t.Context(), from, to) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// row finds the row that an event tells of.
func (w *world) row(e Event) schema.Row {
	w.t.Helper()
	var within window.Window
	if e.Submitted.Valid {
		within = window.New(e.Submitted.Value, e.Submitted.Value.Add(time.Second))
	}
	page, err := w.journal.Page(e.Page)
	if err != nil {
		w.t.Fatal(err)
	}
	result, err := seller.Page(page, within)
	if err != nil {
		w.t.Fatal(err)
	}
	rows := result.Undated
	if e.Submitted.Valid {
		rows = result.Rows
	}
	for _, r := range rows {
		if r.LeadID == e.Row.String() {
			return r
		}
	}
	w.t.Fatalf("page %d does not show the row of %+v", e.Page, e)
	return schema.Row{}
}

func (w *world) words(events []Event) []string {
	w.t.Helper()
	var words []string
	for _, e := range events {
		r := w.row(e)
		word := fmt.Sprintf("%s %s %d", e.Type, r.UserID.Value, e.Version)
		if len(e.Changed) > 0 {
			word += " " + strings.Join(e.Changed, ",")
		}
		words = append(words, word)
	}
	return words
}

// rebuilt holds a store that was made of the whole journal at once to the
// world's.
func (w *world) rebuilt() {
	w.t.Helper()
	w.advance()
	fresh, err := Open(w.t.Context(), w.options(vfs.NewMem()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer fresh.Close()
	if err := fresh.Advance(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	sums := [2]string{}
	for i, s := range []*Store{w.store, fresh} {
		if sums[i], err = s.Sum(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
	if sums[0] != sums[1] || w.store.Stats() != fresh.Stats() || w.store.Position() != fresh.Position() {
		w.t.Errorf("made anew it is %s %+v at %d, was %s %+v at %d", sums[1], fresh.Stats(), fresh.Position(), sums[0], w.store.Stats(), w.store.Position())
	}
}

// ids are the leads' ids, in the order of the events.
func ids(events []Event) []uuid.UUID {
	var all []uuid.UUID
	for _, e := range events {
		all = append(all, e.Lead)
	}
	return all
}
