package pipeline_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"math/rand/v2"
	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// The model: a world of a few leads in a few seconds; answers of it are landed,
// compared, worked out and delivered in any order, with crashes in between and
// faults at every step of the sink. What the topic holds in the end is what a
// reader of the answers would have written down by hand.
func TestWhateverHappensEachChangeIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := &model{
			dir: filepath.Join(dir, fmt.Sprint(n)), fs: vfs.NewCrashableMem(), seller: new(seller),
			topic: delivertest.NewStore(deliver.Append), told: make(map[*enquiry]*told), want: make(map[string][]string),
		}
		defer os.RemoveAll(m.dir)
		m.open(t)
		defer func() { m.close(t) }()
		t.Repeat(map[string]func(*rapid.T){
			"enquire":  m.enquire,
			"change":   m.change,
			"answer":   m.answer,
			"work out": m.advance,
			"deliver":  m.deliver,
			"crash":    m.crash,
			"forget":   m.forget,
		})
		m.topic.Fault = nil
		m.advance(t)
		m.deliverWith(t, nil)
		m.compare(t)
	})
}

type model struct {
	dir    string
	fs     *vfs.MemFS
	seller *seller
	topic  *delivertest.Store

	journal *journal.Journal
	reader  *deliver.Reader
	known   *known.Store

	// The books kept by hand.
	told map[*enquiry]*told
	want map[string][]string // events by the text of the lead
}

// told is what the answers so far said of a lead.
type told struct {
	content string
	gone    bool
	version int
}

const modelSeconds = 6

func (m *model) open(t *rapid.T) {
	logger := slog.New(slog.DiscardHandler)
	var err error
	m.journal, err = journal.Open(m.dir, journal.Options{Identity: journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	if m.journal.End() == 0 {
		m.append(t, journal.Record{Begin: &journal.Begin{ID: "stream", Spec: "stream", Stream: true, Range: window.New(epoch, at(modelSeconds)), Queries: queries}})
		m.append(t, journal.Record{Begin: &journal.Begin{ID: "batch", Spec: "batch", Range: window.New(epoch, at(modelSeconds)), Queries: queries}})
	}
	flattener := flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}
	m.reader = deliver.NewReader(m.journal, flattener, deliver.NewDeadLetters(filepath.Join(m.dir, "dead")), logger)
	m.known, err = known.Open(t.Context(), known.Options{Dir: "known", FS: m.fs, Journal: m.journal, Pages: m.reader, Flattener: flattener, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
}

func (m *model) close(t *rapid.T) {
	if err := errors.Join(m.known.Close(), m.journal.Close()); err != nil {
		t.Fatal(err)
	}
}

func (m *model) append(t *rapid.T, r journal.Record) {
	if _, err := m.journal.Append(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// enquire adds a lead; its text tells it from all others.
func (m *model) enquire(t *rapid.T) {
	n := len(m.seller.leads)
	if n == 6 {
		t.Skip("enough")
	}
	m.seller.leads = append(m.seller.leads, &enquiry{
		at: at(rapid.IntRange(0, modelSeconds-1).Draw(t, "second")), item: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "item"),
		user: fmt.Sprint("user", n), text: fmt.Sprint("text", n), status: "NEW",
	})
}

func (m *model) change(t *rapid.T) {
	if len(m.seller.leads) == 0 {
		t.Skip("none")
	}
	e := rapid.SampledFrom(m.seller.leads).Draw(t, "lead")
	switch rapid.IntRange(0, 3).Draw(t, "change") {
	case 0:
		e.status = rapid.SampledFrom([]string{"NEW", "RESPONDED"}).Draw(t, "status")
	case 1:
		e.delisted = !e.delisted
	case 2:
		e.user = rapid.SampledFrom([]string{"", "renamed", "again"}).Draw(t, "user") + e.text
	case 3:
		e.conversation = rapid.IntRange(0, 2).Draw(t, "messages")
	}
}

// answer reads a window, for the stream or a batch, and lands what is not known.
func (m *model) answer(t *rapid.T) {
	from := rapid.IntRange(0, modelSeconds-1).Draw(t, "from")
	w := window.New(at(from), at(rapid.IntRange(from+1, modelSeconds).Draw(t, "to")))
	batch := rapid.SampledFrom([]string{"stream", "stream", "stream", "batch"}).Draw(t, "batch")
	body, leads := m.seller.answer(w, queries[0])
	page := &journal.Page{Batch: batch, Query: queries[0], Window: w, Leads: leads, TotalLeads: &leads, Received: epoch, Body: body}
	page.Short = rapid.IntRange(0, 9).Draw(t, "short") == 0
	events := m.byHand(page)
	if batch == "stream" && !page.Short {
		m.advance(t) // a poll compares with all that is landed
		unchanged, err := m.known.Unchanged(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		if unchanged != (events == 0) {
			t.Fatalf("the answer is unchanged: %v, with %d events by hand", unchanged, events)
		}
		if unchanged {
			m.append(t, journal.Record{Poll: &journal.Poll{Batch: batch, Query: queries[0], Windows: []window.Window{w}, Received: epoch}})
			return
		}
	}
	m.append(t, journal.Record{Page: page})
}

// byHand writes down what the page tells, and returns how many events that is.
func (m *model) byHand(page *journal.Page) int {
	events := 0
	tell := func(e *enquiry, kind schema.EventType) {
		known := m.told[e]
		if page.Batch == "batch" {
			kind = schema.Snapshot
		} else {
			known.version++
		}
		version := known.version
		if kind == schema.Snapshot {
			version = 0
		}
		m.want[e.text] = append(m.want[e.text], fmt.Sprint(kind, version, known.content))
		events++
	}
	for _, e := range m.seller.leads {
		if !page.Window.Contains(e.at) {
			continue
		}
		known, content := m.told[e], fmt.Sprint(e.user, e.status, e.conversation)
		switch {
		case e.delisted:
			if known != nil && !known.gone && !page.Short && page.Batch == "stream" {
				known.gone = true
				tell(e, schema.Vanished)
			}
		case known == nil:
			m.told[e] = &told{content: content}
			tell(e, schema.Created)
		case known.gone || known.content != content:
			known.gone, known.content = false, content
			tell(e, schema.Updated)
		}
	}
	return events
}

func (m *model) advance(t *rapid.T) {
	if err := m.known.Advance(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// deliver delivers what is worked out, with a fault at some step.
func (m *model) deliver(t *rapid.T) {
	m.advance(t)
	at := rapid.IntRange(0, 12).Draw(t, "step that fails")
	m.deliverWith(t, func(delivertest.Step) error {
		if at--; at == 0 {
			return &deliver.PermanentError{Err: errors.New("a fault")}
		}
		return nil
	})
}

func (m *model) deliverWith(t *rapid.T, fault func(delivertest.Step) error) {
	landed := make(chan struct{})
	close(landed)
	m.topic.Fault = fault
	err := deliver.New(deliver.Opener{Name: "topic", Open: m.topic.Open}, deliver.Options{
		Journal: m.journal, Reader: m.reader, Changes: m.known, Landed: landed, Logger: slog.New(slog.DiscardHandler),
		TransactionRows: 2, Attempts: 1, Backoff: time.Millisecond,
	}).Run(t.Context())
	if err != nil && fault == nil {
		t.Fatal(err)
	}
}

// crash loses what the store of known leads had not synced, or any part of it.
// The journal's own crashes are that package's tests.
func (m *model) crash(t *rapid.T) {
	percent := rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "unsynced data that survives, in percent")
	seed := rapid.Uint64().Draw(t, "seed")
	after := m.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(seed, seed))})
	m.close(t)
	m.fs = after
	m.open(t)
}

// forget loses the whole store.
func (m *model) forget(t *rapid.T) {
	m.close(t)
	m.fs = vfs.NewCrashableMem()
	m.open(t)
}

// compare holds the topic to the books.
func (m *model) compare(t *rapid.T) {
	got := make(map[string][]string)
	ids, events := make(map[string]string), make(map[string]bool)
	for _, r := range m.topic.Rows(deliver.Whole) {
		text := r.AdditionalInformation.Value
		content := fmt.Sprint(r.UserID.Value, r.LeadStatus.Value, r.MessageCount)
		got[text] = append(got[text], fmt.Sprint(r.EventType, r.LeadVersion.Value, content))
		if id, ok := ids[text]; ok && id != r.LeadID {
			t.Fatalf("lead %s has two ids", text)
		}
		ids[text] = r.LeadID
		if r.EventType != schema.Snapshot && events[r.EventID] {
			t.Fatalf("event %s %v comes twice", text, r.EventType)
		}
		events[r.EventID] = true
	}
	for _, e := range m.seller.leads {
		if !slices.Equal(got[e.text], m.want[e.text]) {
			t.Fatalf("lead %s: events %v, by hand %v", e.text, got[e.text], m.want[e.text])
		}
	}
}
