package ndjson

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// lineByLine is what the encoder's files must be: each line goes to the compressor
// by itself, and what has left it is looked at before the next.
func lineByLine(t *testing.T, compression string, roll int64, rows []schema.Row) (done [][]byte) {
	t.Helper()
	compress, err := compressor(compression, zstd.WithWindowSize(tableWindow))
	if err != nil {
		t.Fatal(err)
	}
	for len(rows) > 0 {
		var file bytes.Buffer
		lines := compress()
		lines.Reset(&file)
		for len(rows) > 0 && int64(file.Len()) < roll {
			line, err := schema.AppendJSON(nil, &rows[0])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := lines.Write(append(line, '\n')); err != nil {
				t.Fatal(err)
			}
			rows = rows[1:]
		}
		if err := lines.Close(); err != nil {
			t.Fatal(err)
		}
		done = append(done, file.Bytes())
	}
	return done
}

// Files are the same, and are cut at the same rows, whether text is compressed
// line by line or in chunks, beside or not.
func TestAsLineByLine(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 12_000)
	for _, compression := range compressions {
		for _, roll := range []int64{1, 150_000, slackBytes + 300_000, 1 << 30} {
			some := rows
			if roll == 1 {
				some = rows[:300]
			}
			want := lineByLine(t, compression, roll, some)
			c := DefaultConfig("")
			c.Compression, c.Roll = compression, roll
			if got := encode(t, c, some, func() int { return 512 }); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Errorf("%s, rolled at %d: %d files, want %d, or others", compression, roll, len(got), len(want))
			}
			if roll == slackBytes+300_000 && len(want) < 2 {
				t.Errorf("%s: no file has the size of %d", compression, roll)
			}
		}
	}
}

// What a file could not take is told each time, and the next file has none of it.
func TestPressAfterFailure(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 2000)
	c := DefaultConfig("")
	compress, err := compressor(c.Compression, zstd.WithWindowSize(tableWindow))
	if err != nil {
		t.Fatal(err)
	}
	f := formatOf(c, compress, true)
	e, err := f.Encode(&failing{left: 10})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(rows); !errors.Is(err, errFull) {
		t.Errorf("while writing: %v", err)
	}
	if err := e.Close(); !errors.Is(err, errFull) {
		t.Errorf("at the end: %v", err)
	}
	var file bytes.Buffer
	if e, err = f.Encode(&file); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if want := lineByLine(t, c.Compression, c.Roll, rows); !bytes.Equal(file.Bytes(), want[0]) {
		t.Error("the file after one that failed differs")
	}
}
