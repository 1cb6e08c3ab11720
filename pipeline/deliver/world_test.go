package deliver_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/deliver/delivertest"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 9, 1, 22, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }

// lead is a lead of the tests: a buyer who wrote at a minute, with content that
// changes. Leads without a minute (negative) have no time.
type lead struct {
	Buyer   string
	Minute  int
	Content int
}

// world is a journal that is filled by hand, page by page.
type world struct {
	t       testing.TB
	journal *journal.Journal
	dir     string
	dead    string
	bodies  [][]byte // of the pages, as landed
	pages   int
	undated int // leads of the next page that belong to no window though they have a time
	limit   int // rows of a transaction
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, dir: dir, dead: dir + "/dead-letters"}
	w.open()
	t.Cleanup(func() {
		if err := w.journal.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// seller is whose journal it is.
var seller = journal.Identity{Account: "acme", Marketplace: "EBAY_DE", API: "http://localhost"}

func (w *world) open() {
	w.t.Helper()
	j, err := journal.Open(w.dir, journal.Options{Identity: seller, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.journal = j
}

func (w *world) append(r journal.Record) {
	w.t.Helper()
	if _, err := w.journal.Append(context.Background(), r); err != nil {
		w.t.Fatal(err)
	}
}

// received is when the nth page was received.
func received(page int) time.Time { return at(100_000 + page) }

// land appends a page over [from, to) minutes that shows the leads.
func (w *world) land(from, to int, leads ...lead) {
	w.t.Helper()
	w.landBody(from, to, len(leads), body(w.t, leads))
}

func (w *world) landBody(from, to, leads int, body []byte) {
	w.t.Helper()
	undated := w.undated + bytes.Count(body, []byte(`"externalEmail"`)) - bytes.Count(body, []byte(`"submittedTime"`))
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	if _, err := gz.Write(body); err != nil {
		w.t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.append(journal.Record{Page: &journal.Page{
		Batch: "b", Query: journal.Query{Messages: true}, Window: window.New(at(from), at(to)),
		Received: received(w.pages), Leads: leads, Undated: undated, Body: packed.Bytes(),
	}})
	w.pages++
	w.bodies = append(w.bodies, packed.Bytes())
}

func body(t testing.TB, leads []lead) []byte {
	t.Helper()
	responses := make([]map[string]any, 0, len(leads))
	for _, l := range leads {
		r := map[string]any{"externalEmail": l.Buyer + "@example.com", "leadStatus": fmt.Sprint("V", l.Content)}
		if l.Minute >= 0 {
			r["submittedTime"] = at(l.Minute).Format(time.RFC3339)
		}
		responses = append(responses, r)
	}
	data, err := json.Marshal(map[string]any{
		"classifiedLeads": []any{map[string]any{"itemId": "110000000001", "responses": responses}},
		"totalItems":      1, "totalLeads": len(leads),
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// deliver brings the store up to date with what is landed.
func (w *world) deliver(store *delivertest.Store, batch string) (deliver.Report, error) {
	w.t.Helper()
	landed := make(chan struct{})
	close(landed)
	d := w.delivery(store, batch, landed)
	err := d.Run(context.Background())
	return d.Report(), err
}

func (w *world) delivery(store *delivertest.Store, batch string, landed <-chan struct{}) *deliver.Delivery {
	logger := slog.New(slog.DiscardHandler)
	reader := deliver.NewReader(w.journal, flatten.Flattener{Account: "acme", Marketplace: "EBAY_DE"}, deliver.NewDeadLetters(w.dead), logger)
	return deliver.New(deliver.Opener{Name: "memory", Open: store.Open}, deliver.Options{
		Journal: w.journal, Reader: reader, Batch: batch, Landed: landed,
		Logger: logger, TransactionRows: w.limit, Attempts: 5, Backoff: time.Microsecond,
	})
}

// leadOf is the test's lead of a row.
func leadOf(t testing.TB, r schema.Row) lead {
	t.Helper()
	l := lead{Buyer: strings.TrimSuffix(r.ExternalEmail.Value, "@example.com"), Minute: -1}
	if r.SubmittedTime.Valid {
		l.Minute = int(r.SubmittedTime.Value.Sub(epoch) / time.Minute)
	}
	if _, err := fmt.Sscanf(r.LeadStatus.Value, "V%d", &l.Content); err != nil {
		t.Fatalf("row without content: %v", err)
	}
	return l
}

// table is what a reader of all partitions sees, by buyer, after checks of the
// contract: rows in their partition, sorted, each lead once.
func table(t testing.TB, store *delivertest.Store) map[string]schema.Row {
	t.Helper()
	all := make(map[string]schema.Row)
	for _, p := range store.Partitions() {
		rows := store.Rows(p)
		if !slices.IsSortedFunc(rows, func(a, b schema.Row) int {
			if c := a.SubmittedTime.Value.Compare(b.SubmittedTime.Value); c != 0 {
				return c
			}
			return strings.Compare(a.LeadID, b.LeadID)
		}) {
			t.Errorf("partition %s is not sorted", p)
		}
		for _, r := range rows {
			if deliver.DateOf(r.SubmittedTime) != p {
				t.Errorf("a row of %v is in partition %s", r.SubmittedTime, p)
			}
			buyer := leadOf(t, r).Buyer
			if _, twice := all[buyer]; twice {
				t.Errorf("lead of %s is there twice", buyer)
			}
			all[buyer] = r
		}
	}
	return all
}
