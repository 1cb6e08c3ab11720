// The race detector makes pools forget on purpose.
//go:build !race

package ndjson

import (
	"bytes"
	"io"
	"testing"

	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// TestCost guards what a row costs without asking for the time: allocations while
// rows are written, none of each (one is for each 128 KiB of text, compressed in a
// goroutine), and the size of the file. The bounds are a little
// above what was measured; who has a good reason moves them, and says so.
func TestCost(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 5_000)
	f, err := format(DefaultConfig(""))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	write := func(w io.Writer) {
		e, err := f.Encode(w)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(&file)
	perRow := float64(file.Len()) / float64(len(rows))
	allocations := testing.AllocsPerRun(5, func() { write(io.Discard) })
	t.Logf("%.1f bytes a row, %v allocations for %d rows", perRow, allocations, len(rows))
	if perRow > mostBytes {
		t.Errorf("%.1f bytes a row, want at most %d", perRow, mostBytes)
	}
	if allocations > mostAllocations {
		t.Errorf("%v allocations for %d rows, want at most %d", allocations, len(rows), mostAllocations)
	}
}

const (
	mostBytes       = 260 // 248.7
	mostAllocations = 90  // 49
)
