package ndjson

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/files"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// Files may be written side by side, and one after the other with the same
// compressors, in any order: each is what it would be alone.
func TestFilesSideBySide(t *testing.T) {
	for _, compression := range compressions {
		c := DefaultConfig("")
		c.Compression = compression
		f, err := eventFormat(c)
		if err != nil {
			t.Fatal(err)
		}
		var want [5][]byte
		for round := range 3 {
			var out [5]bytes.Buffer
			var open [5]files.Encoder
			for i := range open {
				if open[i], err = f.Encode(&out[i]); err != nil {
					t.Fatal(err)
				}
			}
			for n := range 20 {
				for i := range open {
					if _, err := open[(i+n)%5].Write(sinktest.Events(1000*((i+n)%5)+10*n, 10)); err != nil {
						t.Fatal(err)
					}
				}
			}
			for i := range open {
				e := open[(i*2+round)%5]
				for range 2 { // the second time does nothing
					if err := e.Close(); err != nil {
						t.Fatal(err)
					}
				}
			}
			for i := range out {
				if round == 0 {
					want[i] = bytes.Clone(out[i].Bytes())
					path := filepath.Join(t.TempDir(), "x"+extensions[compression])
					if err := os.WriteFile(path, want[i], 0o600); err != nil {
						t.Fatal(err)
					}
					var rows []schema.Row
					for n := range 20 {
						rows = append(rows, sinktest.Events(1000*i+10*n, 10)...)
					}
					sinktest.Same(t, readFile(t, path), rows)
				}
				if !bytes.Equal(out[i].Bytes(), want[i]) {
					t.Fatalf("%s: file %d is another in round %d", compression, i, round)
				}
			}
		}
	}
}
