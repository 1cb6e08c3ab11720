package ndjson

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// Any stretch of a file is the rows that were written there.
func TestDecode(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 700)
	for _, compression := range compressions {
		c := DefaultConfig("")
		c.Compression = compression
		data := encode(t, c, rows, func() int { return 100 })[0]
		for _, at := range [][2]int{{0, 700}, {0, 1}, {699, 700}, {250, 600}, {5, 5}} {
			got := []schema.Row{}
			for row, err := range decode("x"+extensions[compression], bytes.NewReader(data), int64(len(data)), at[0], at[1]) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, row)
			}
			if !reflect.DeepEqual(got, rows[at[0]:at[1]]) {
				t.Errorf("%s: rows %v differ: %d", compression, at, len(got))
			}
		}
		for what, bad := range map[string][]byte{"cut": data[:len(data)/2], "more rows listed": data} {
			var failed error
			for _, err := range decode("x"+extensions[compression], bytes.NewReader(bad), int64(len(bad)), 0, 701) {
				failed = err
			}
			if failed == nil {
				t.Errorf("%s, %s: no error", compression, what)
			}
		}
	}
}
