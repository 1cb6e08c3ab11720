package flatten

import (
	"bytes"
	"compress/gzip"
	"slices"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// september is the window of the pages in these tests.
var september = window.New(date("2026-09-01T00:00:00Z"), date("2026-10-01T00:00:00Z"))

// always is a window that holds every time a row can have.
var always = window.New(date("0001-01-01T00:00:00Z"), date("9999-12-31T23:59:59Z").Add(time.Second))

var received = date("2026-10-01T06:07:08.009Z")

var flattener = Flattener{Account: "motors", Marketplace: "EBAY_DE"}

func date(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func zip(tb testing.TB, body string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(body)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// page returns a page of always with that answer.
func page(tb testing.TB, body string) *journal.Page {
	tb.Helper()
	return &journal.Page{Window: always, Received: received, Body: zip(tb, body)}
}

// flatten returns what the answer holds of all times.
func flatten(tb testing.TB, body string) Result {
	tb.Helper()
	result, err := flattener.Page(page(tb, body), always)
	if err != nil {
		tb.Fatalf("Page: %v", err)
	}
	return result
}

// only returns the one row of an answer that holds one lead.
func only(tb testing.TB, body string) (schema.Row, int) {
	tb.Helper()
	result := flatten(tb, body)
	rows := slices.Concat(result.Rows, result.Undated)
	if len(rows) != 1 || len(result.Dead) != 0 {
		tb.Fatalf("got %d rows and %d dead letters, want one row", len(rows), len(result.Dead))
	}
	return rows[0], result.Unfit
}

// leadAnswer returns an answer with one listing and one lead.
func leadAnswer(lead string) string {
	return `{"classifiedLeads":[{"itemId":"110","responses":[` + lead + `]}]}`
}

// encode returns the row as AppendJSON writes it.
func encode(tb testing.TB, r *schema.Row) string {
	tb.Helper()
	line, err := schema.AppendJSON(nil, r)
	if err != nil {
		tb.Fatalf("AppendJSON: %v", err)
	}
	return string(line)
}
