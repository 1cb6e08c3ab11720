package parquet

import (
	"bytes"
	"log/slog"
	"runtime"
	"slices"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// encodeEvents makes one file of rows as they come.
func encodeEvents(t testing.TB, c Config, rows []schema.Row) []byte {
	t.Helper()
	f, err := newFormat(c, asTheyCome)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e, err := f.Encode(&out)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := e.Write(rows); err != nil || n != len(rows) {
		t.Fatalf("%d of %d rows taken: %v", n, len(rows), err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A file of events declares no order, and all else that it says of its rows
// holds: bounds of pages and row groups, filters, no personal value in clear.
func TestEventsMetadata(t *testing.T) {
	rows := sinktest.Marked(sinktest.Events(0, 3000), "PUBLIC", "PERSONAL")
	c := DefaultConfig("")
	c.RowGroupRows = 1000
	data := encodeEvents(t, c, rows)
	sinktest.Same(t, read(t, data), expect(rows))
	file := openFile(t, store(t, data))
	blind := newFileSchema().blind
	for g, group := range file.RowGroups() {
		if s := file.Metadata().RowGroups[g].SortingColumns; len(s) > 0 || len(group.SortingColumns()) > 0 {
			t.Errorf("row group %d declares to be sorted by %v", g, s)
		}
		for i, chunk := range group.ColumnChunks() {
			checkPages(t, file.Schema().Columns()[i], chunk, blind[i] != nil)
		}
		leaf, _ := file.Schema().Lookup("lead_id")
		filter := group.ColumnChunks()[leaf.ColumnIndex].BloomFilter()
		if n := count(t, filter, rows[1000*g:1000*g+1000], func(r *schema.Row) string { return r.LeadID }); n != 1000 {
			t.Errorf("row group %d has forgotten %d of 1000 leads", g, 1000-n)
		}
	}
	if n := bytes.Count(clearText(t, data), []byte("PERSONAL")); n > 0 {
		t.Errorf("%d beginnings of personal texts stand in clear", n)
	}
	if v, ok := file.Lookup("leads-etl.schema_version"); !ok || v != "1" {
		t.Errorf("schema version %q", v)
	}
	if got := file.Schema().String(); got != wantSchema {
		t.Errorf("the schema is\n%s", got)
	}
}

// What is buffered is what the row group holds, and nothing once it is written.
func TestBuffered(t *testing.T) {
	c := DefaultConfig("")
	c.RowGroupRows = 1000
	e := begin(t, c, new(bytes.Buffer))
	rows := sinktest.Leads(sinktest.Day, 0, 1500)
	last := 0
	for i := range rows {
		if _, err := e.Write(rows[i : i+1]); err != nil {
			t.Fatal(err)
		}
		switch n := e.Buffered(); {
		case (i+1)%1000 == 0 && n != 0:
			t.Fatalf("%d bytes are buffered behind a row group", n)
		case (i+1)%1000 != 0 && n < last+200:
			t.Fatalf("row %d: %d bytes are buffered, %d before", i, n, last)
		default:
			last = n
		}
	}
}

// A row group may be ended at any row; the rows are the same.
func TestFlush(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 1000)
	var out bytes.Buffer
	e := begin(t, DefaultConfig(""), &out)
	for i, n := range []int{1, 0, 63, 64, 100, 772} {
		if _, err := e.Write(rows[:n]); err != nil {
			t.Fatal(err)
		}
		if rows = rows[n:]; i < 5 {
			if err := e.Flush(); err != nil || e.Buffered() != 0 {
				t.Fatalf("%d bytes are buffered, %v", e.Buffered(), err)
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	sinktest.Same(t, read(t, out.Bytes()), expect(sinktest.Leads(sinktest.Day, 0, 1000)))
	var sizes []int64
	for _, g := range openFile(t, store(t, out.Bytes())).RowGroups() {
		sizes = append(sizes, g.NumRows())
	}
	if !slices.Equal(sizes, []int64{1, 63, 64, 100, 772}) {
		t.Errorf("row groups of %v rows", sizes)
	}
}

// Rows of very many dates take little more memory than those of a month.
func TestEventsMemory(t *testing.T) {
	c := DefaultConfig(sinktest.Folder(t))
	b := deliver.Binding{JournalID: "0190c0de", Account: sinktest.Account, Marketplace: sinktest.Marketplace}
	s, err := OpenEvents(t.Context(), c, b, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := s.Begin(t.Context(), deliver.Whole)
	if err != nil {
		t.Fatal(err)
	}
	rows := sinktest.Leads(sinktest.Day, 0, 6)
	most := int64(0)
	for date := range 600 {
		for i := range rows {
			rows[i].SubmittedTime.Value = rows[i].SubmittedTime.Value.AddDate(0, 0, 1)
		}
		if err := tx.Write(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if date%100 == 99 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, int64(m.HeapAlloc))
		}
	}
	r, err := tx.Commit(t.Context(), deliver.Position{Journal: "0190c0de", Next: 1})
	if err != nil || r.Files < 600 {
		t.Fatalf("%+v, %v", r, err)
	}
	t.Logf("%d bytes of heap", most)
	if most > 64<<20 {
		t.Errorf("%d bytes of heap", most)
	}
}
