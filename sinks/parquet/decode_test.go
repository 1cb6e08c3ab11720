package parquet

import (
	"bytes"
	"os"
	"reflect"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// Any stretch of a file is the rows that were written there, across row groups and
// for every compression.
func TestDecode(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 2500)
	c := DefaultConfig("")
	c.Compression, c.RowGroupRows = None, minRowGroupRows
	// What other tests read, by another way, is what is to be decoded.
	want := readFile(t, store(t, encode(t, c, rows, whole)))
	for _, compression := range compressions {
		c.Compression = compression
		data := encode(t, c, rows, whole)
		for _, at := range [][2]int{{0, 2500}, {0, 1}, {2499, 2500}, {900, 2100}, {1000, 2000}, {5, 5}} {
			got := []schema.Row{}
			for row, err := range decode(bytes.NewReader(data), int64(len(data)), at[0], at[1]) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, row)
			}
			if len(got) != at[1]-at[0] {
				t.Fatalf("%s: %d rows of %v", compression, len(got), at)
			}
			for i := range got {
				sameJSON(t, &got[i], &want[at[0]+i])
			}
		}
	}
}

// sameJSON holds a row to another as they are shown: an empty list is one, whether
// it has memory or not.
func sameJSON(t *testing.T, got, want *schema.Row) {
	t.Helper()
	a, err := schema.AppendJSON(nil, got)
	if err != nil {
		t.Fatal(err)
	}
	b, err := schema.AppendJSON(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("row %s differs", want.LeadID)
	}
}

// What is no file of event rows is refused, never shown.
func TestDecodeRefuses(t *testing.T) {
	data := encode(t, DefaultConfig(""), sinktest.Leads(sinktest.Day, 0, 50), whole)
	text, err := os.ReadFile("decode_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		data []byte
		rows int
	}{"cut": {data[:len(data)/2], 50}, "more rows listed": {data, 51}, "text": {text, 50}, "empty": {nil, 1}} {
		var failed error
		for _, err := range decode(bytes.NewReader(c.data), int64(len(c.data)), 0, c.rows) {
			failed = err
		}
		if failed == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
