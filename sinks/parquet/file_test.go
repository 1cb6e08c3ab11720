package parquet

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// wantSchema is DESIGN §3 as Parquet says it.
const wantSchema = `message lead {
	required binary event_id (STRING);
	required binary event_type (STRING);
	required binary lead_id (STRING);
	optional int32 lead_version (INT(32,true));
	required binary account (STRING);
	required binary marketplace_id (STRING);
	optional binary item_id (STRING);
	optional binary item_title (STRING);
	optional int64 submitted_time (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	optional binary lead_status (STRING);
	optional binary user_id (STRING);
	optional binary email (STRING);
	optional binary external_email (STRING);
	optional binary first_name (STRING);
	optional binary last_name (STRING);
	optional binary phone (STRING);
	optional binary postal_code (STRING);
	optional binary additional_information (STRING);
	optional boolean financing_answer;
	optional binary trade_in_make (STRING);
	optional binary trade_in_model (STRING);
	optional binary trade_in_year (STRING);
	optional int64 fee_amount (DECIMAL(18,4));
	optional binary fee_currency (STRING);
	optional int64 fee_converted_from_amount (DECIMAL(18,4));
	optional binary fee_converted_from_currency (STRING);
	optional binary fee_description (STRING);
	required int32 message_count (INT(32,true));
	optional group messages (LIST) {
		repeated group list {
			required group element {
				optional int64 message_id (INT(64,true));
				optional int64 created_at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
				optional binary question (STRING);
				optional binary response (STRING);
			}
		}
	}
	optional group changed_fields (LIST) {
		repeated group list {
			required binary element (STRING);
		}
	}
	required binary content_hash (STRING);
	required int64 extracted_at (TIMESTAMP(isAdjustedToUTC=true,unit=MICROS));
	required int32 schema_version (INT(32,true));
	optional binary extra (STRING);
}`

// The schema as it is stored, and so the order of columns too.
func TestSchema(t *testing.T) {
	file := openFile(t, store(t, encode(t, DefaultConfig(""), sinktest.Leads(sinktest.Day, 0, 1), whole)))
	if got := file.Schema().String(); got != wantSchema {
		t.Errorf("the schema is\n%s", got)
	}
	var names []string
	for _, leaf := range file.Schema().Columns() {
		if !slices.Contains(names, leaf[0]) {
			names = append(names, leaf[0])
		}
	}
	for i, c := range schema.Columns {
		if i >= len(names) || names[i] != c.Name {
			t.Fatalf("column %d is not %s: %v", i, c.Name, names)
		}
	}
}

// What readers with few skills need: data pages of version 1, PLAIN values.
func TestReach(t *testing.T) {
	file := openFile(t, store(t, encode(t, DefaultConfig(""), sinktest.Leads(sinktest.Day, 0, 5000), whole)))
	for _, group := range file.Metadata().RowGroups {
		for _, column := range group.Columns {
			for _, stats := range column.MetaData.EncodingStats {
				if stats.PageType.String() != "DATA_PAGE" || stats.Encoding.String() != "PLAIN" {
					t.Errorf("column %v: %v pages, %v", column.MetaData.PathInSchema, stats.PageType, stats.Encoding)
				}
			}
		}
		if s := group.SortingColumns; len(s) != 2 || s[0].ColumnIdx != 8 || s[1].ColumnIdx != 2 || s[0].Descending || s[0].NullsFirst {
			t.Errorf("sorting columns: %+v", s)
		}
	}
	if v, ok := file.Lookup("leads-etl.schema_version"); !ok || v != "1" {
		t.Errorf("schema version %q", v)
	}
	if got := file.Metadata().CreatedBy; got != "leads-etl version 1(build parquet-go)" {
		t.Errorf("created by %q", got)
	}
}

// clearText is what stands uncompressed behind the data: the filters, the page
// indexes and the footer.
func clearText(t *testing.T, data []byte) []byte {
	t.Helper()
	file := openFile(t, store(t, data))
	end := int64(0)
	for _, group := range file.Metadata().RowGroups {
		for _, column := range group.Columns {
			m := column.MetaData
			end = max(end, m.DataPageOffset+m.TotalCompressedSize)
		}
	}
	footer := int64(binary.LittleEndian.Uint32(data[len(data)-8:]))
	if end == 0 || end >= int64(len(data))-footer {
		t.Fatalf("the data ends at %d of %d, with a footer of %d", end, len(data), footer)
	}
	return data[end:]
}

// Nothing about people stands in clear in footer, page index or page headers,
// not even the beginnings of what they wrote.
func TestNoPersonalTextInClear(t *testing.T) {
	const public, personal = "PUBLIC", "PERSONAL"
	rows := sinktest.Marked(sinktest.Leads(sinktest.Day, 0, 3000), public, personal)
	for i := range rows {
		rows[i].Extra = schema.Some(`{"` + personal + `":1}`)
	}
	c := DefaultConfig("")
	c.RowGroupRows = 1000
	data := encode(t, c, rows, whole)
	inClear := clearText(t, data)
	if n := bytes.Count(inClear, []byte(personal)); n > 0 {
		t.Errorf("%d beginnings of personal texts stand in clear", n)
	}
	// Twice a row group and column in the statistics, and in the page index.
	if n := bytes.Count(inClear, []byte(public)); n < 3*2*2*9 {
		t.Errorf("only %d bounds of other texts are there to be found", n)
	}
	for _, p := range pageHeaders(t, data) {
		// Statistics in a page's header would be in clear as well.
		s := p.header.DataPageHeader.V.Statistics
		if s.Min != nil || s.Max != nil || s.MinValue != nil || s.MaxValue != nil {
			t.Fatalf("a page of column %v has statistics in its header", p.path)
		}
	}
}

// Bounds are what engines leave pages out by: each must hold for all values of
// its page, of any column, and none may be stored of personal ones but such that
// say nothing.
func TestBounds(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 5000)
	for i := range 300 {
		rows = append(rows, sinktest.RandomRow(sinktest.Day, true).Example(i))
	}
	for i := range rows { // pages of nulls, and of both
		if i%3000 < 1500 {
			rows[i].Extra = schema.Opt[string]{}
			rows[i].Messages = schema.Opt[[]schema.Message]{}
		}
		rows[i].AdditionalInformation.Value = strings.Repeat(rows[i].AdditionalInformation.Value, 20)
	}
	sinktest.Sort(rows)
	c := DefaultConfig("")
	c.RowGroupRows = 3000
	file := openFile(t, store(t, encode(t, c, rows, whole)))
	blind := newFileSchema().blind
	pages := 0
	for g, group := range file.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			path := file.Schema().Columns()[i]
			private := blind[i] != nil
			stats := file.Metadata().RowGroups[g].Columns[i].MetaData.Statistics
			if private && (stats.MinValue != nil || stats.MaxValue != nil || stats.Min != nil || stats.Max != nil) {
				t.Fatalf("column %v has statistics", path)
			}
			pages += checkPages(t, path, chunk, private)
		}
	}
	if leaves := len(blind); pages <= 2*leaves {
		t.Fatalf("only %d pages in 2 row groups of %d columns", pages, leaves)
	}
}

func checkPages(t *testing.T, path []string, chunk pq.ColumnChunk, private bool) int {
	t.Helper()
	index, err := chunk.ColumnIndex()
	if err != nil {
		t.Fatal(err)
	}
	reader := chunk.Pages()
	defer func() { _ = reader.Close() }()
	for n := 0; ; n++ {
		page, err := reader.ReadPage()
		if err != nil {
			if n != index.NumPages() {
				t.Fatalf("column %v has %d pages, the index %d", path, n, index.NumPages())
			}
			return n
		}
		values := make([]pq.Value, page.NumValues())
		if _, err := page.Values().ReadValues(values); err != nil && err.Error() != "EOF" {
			t.Fatal(err)
		}
		values = slices.DeleteFunc(values, func(v pq.Value) bool { return v.IsNull() })
		if index.NullPage(n) != (len(values) == 0) {
			t.Fatalf("column %v page %d: the index says nulls only: %t", path, n, index.NullPage(n))
		}
		lo, hi := index.MinValue(n), index.MaxValue(n)
		for _, v := range values {
			if chunk.Type().Compare(v, lo) < 0 || chunk.Type().Compare(v, hi) > 0 {
				t.Fatalf("column %v page %d: a value lies beyond the bounds", path, n)
			}
		}
		if private && len(values) > 0 && chunk.Type().Kind() == pq.ByteArray &&
			(len(lo.ByteArray()) > 0 || strings.Trim(string(hi.ByteArray()), last) != "") {
			t.Fatalf("column %v page %d has bounds of its own", path, n)
		}
	}
}

// Row groups follow each other in time, so that a range of it is in few.
func TestPruning(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 10_000)
	c := DefaultConfig("")
	c.RowGroupRows = 1000
	file := openFile(t, store(t, encode(t, c, rows, whole)))
	groups := file.Metadata().RowGroups
	if len(groups) != 10 {
		t.Fatalf("%d row groups", len(groups))
	}
	last := int64(0)
	for i, g := range groups {
		stats := g.Columns[8].MetaData.Statistics
		lo, hi := int64(binary.LittleEndian.Uint64(stats.MinValue)), int64(binary.LittleEndian.Uint64(stats.MaxValue))
		if lo < last || hi < lo || !time.UnixMicro(lo).Equal(rows[1000*i].SubmittedTime.Value) || !time.UnixMicro(hi).Equal(rows[1000*i+999].SubmittedTime.Value) {
			t.Errorf("row group %d is from %d to %d, the one before ended at %d", i, lo, hi, last)
		}
		last = hi
	}
}

// A bloom filter that forgets a value hides a lead, whatever the compression.
func TestBloomFilters(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 4000)
	absent := sinktest.Leads(sinktest.Day, 100_000, 1000)
	columns := map[string]func(r *schema.Row) string{
		"event_id": func(r *schema.Row) string { return r.EventID },
		"lead_id":  func(r *schema.Row) string { return r.LeadID },
		"item_id":  func(r *schema.Row) string { return r.ItemID.Value },
	}
	for _, compression := range compressions {
		c := DefaultConfig("")
		c.RowGroupRows, c.Compression = 1000, compression
		file := openFile(t, store(t, encode(t, c, rows, whole)))
		for g, group := range file.RowGroups() {
			for column, value := range columns {
				leaf, _ := file.Schema().Lookup(column)
				filter := group.ColumnChunks()[leaf.ColumnIndex].BloomFilter()
				if filter == nil {
					t.Fatalf("%s: column %s has no filter", compression, column)
				}
				if n := count(t, filter, rows[1000*g:1000*g+1000], value); n != 1000 {
					t.Fatalf("%s: column %s: row group %d has forgotten %d of 1000 values", compression, column, g, 1000-n)
				}
				// Absent leads are of listings that others have.
				if n := count(t, filter, absent, value); column != "item_id" && n > 50 {
					t.Errorf("%s: column %s: %d of 1000 absent values are said to be there", compression, column, n)
				}
			}
		}
	}
}

// count says how many of the rows' values a filter takes for present.
func count(t *testing.T, filter pq.BloomFilter, rows []schema.Row, value func(r *schema.Row) string) (n int) {
	t.Helper()
	for i := range rows {
		ok, err := filter.Check(pq.ByteArrayValue([]byte(value(&rows[i]))))
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			n++
		}
	}
	return n
}

// Memory is that of a row group, and of a file what its footer will say of each
// row group: some 35 KiB, whatever the size of the group.
func TestMemory(t *testing.T) {
	const groups, perGroup = 200, 64 << 10
	c := DefaultConfig("")
	c.RowGroupRows = 1000
	rows := sinktest.Leads(sinktest.Day, 0, c.RowGroupRows)
	e := begin(t, c, &failing{left: 1 << 40})
	heap := func() int64 {
		for range 3 { // pools let go of what they hold with the second
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	write := func(n int) {
		for range n {
			for i := range rows {
				rows[i].SubmittedTime.Value = rows[i].SubmittedTime.Value.Add(24 * time.Hour)
			}
			if _, err := e.Write(rows); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(5)
	before := heap()
	write(groups) // of more than a megabyte each
	grown := (heap() - before) / groups
	runtime.KeepAlive(e)
	t.Logf("%d bytes are kept of a row group", grown)
	if grown > perGroup {
		t.Errorf("%d bytes are kept of a row group, more than %d", grown, perGroup)
	}
}
