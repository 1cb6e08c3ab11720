package ndjson

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/files"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func begin(t testing.TB, c Config, w io.Writer) files.Encoder {
	t.Helper()
	f, err := format(c)
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.Encode(w)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// encode makes files of the rows, in pieces of the sizes that piece returns.
func encode(t testing.TB, c Config, rows []schema.Row, piece func() int) [][]byte {
	t.Helper()
	f, err := format(c)
	if err != nil {
		t.Fatal(err)
	}
	var done [][]byte
	for len(rows) > 0 {
		var out bytes.Buffer
		e, err := f.Encode(&out)
		if err != nil {
			t.Fatal(err)
		}
		for len(rows) > 0 {
			n := min(piece(), len(rows))
			taken, err := e.Write(rows[:n])
			if err != nil {
				t.Fatal(err)
			}
			rows = rows[taken:]
			if taken < n {
				break
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		done = append(done, out.Bytes())
	}
	return done
}

// The same rows make the same files, whatever pieces they come in, and also
// when the compressor has been used before.
func TestSameBytes(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 2000)
	for _, compression := range compressions {
		for _, roll := range []int64{1, 100_000, 1 << 30} {
			c := DefaultConfig("")
			c.Compression, c.Roll = compression, roll
			some := rows
			if roll == 1 {
				some = rows[:300]
			}
			want := encode(t, c, some, func() int { return len(some) })
			if many := len(want) > 1; many != (roll < 1<<30) {
				t.Fatalf("%s, rolled at %d: %d files", compression, roll, len(want))
			}
			sizes := rapid.IntRange(1, 300)
			for seed := range 3 {
				n := seed * 1000
				got := encode(t, c, some, func() int { n++; return sizes.Example(n) })
				if !slices.EqualFunc(got, want, bytes.Equal) {
					t.Fatalf("%s, rolled at %d: rows in other pieces make other bytes", compression, roll)
				}
			}
		}
	}
}

// A gzip header may hold a time and a name, which would make each run's files
// different.
func TestGzipHeader(t *testing.T) {
	c := DefaultConfig("")
	c.Compression = Gzip
	data := encode(t, c, sinktest.Leads(sinktest.Day, 0, 1), func() int { return 1 })[0]
	if !bytes.Equal(data[:8], []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0}) {
		t.Errorf("the header is % x", data[:10])
	}
}

func TestLines(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 3)
	c := DefaultConfig("")
	c.Compression = None
	var want []byte
	for i := range rows {
		var err error
		if want, err = schema.AppendJSON(want, &rows[i]); err != nil {
			t.Fatal(err)
		}
		want = append(want, '\n')
	}
	if got := encode(t, c, rows, func() int { return 2 })[0]; !bytes.Equal(got, want) {
		t.Error("the file is not the rows' JSON, a line each")
	}
}

func TestInvalidText(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 2)
	rows[1].FirstName = schema.Some("secret\xff")
	n, err := begin(t, DefaultConfig(""), io.Discard).Write(rows)
	if err == nil || n != 1 || !strings.Contains(err.Error(), "first_name") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%d rows taken: %v", n, err)
	}
}

type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// Whatever write fails, somebody is told.
func TestWriteErrors(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 2000)
	for _, compression := range compressions {
		c := DefaultConfig("")
		c.Compression = compression
		size := len(encode(t, c, rows, func() int { return len(rows) })[0])
		for left := 0; left < size; left += size/20 + 1 {
			e := begin(t, c, &failing{left})
			_, err := e.Write(rows)
			if err == nil {
				err = e.Close()
			}
			if !errors.Is(err, errFull) {
				t.Errorf("%s, after %d of %d bytes: %v", compression, left, size, err)
			}
		}
	}
}

// Another compression replaces the files of the one before, whatever it was.
func TestCompressionChanged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	p := deliver.Partition{Date: sinktest.Day}
	rows := sinktest.Leads(sinktest.Day, 0, 50)
	for i, compression := range []string{Zstd, None, Gzip, Zstd} {
		c := DefaultConfig(dir)
		c.Compression = compression
		b := deliver.Binding{JournalID: "j", Account: sinktest.Account, Marketplace: sinktest.Marketplace}
		s, err := Open(t.Context(), c, b, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		tx, err := s.Begin(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Write(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		r, err := tx.Commit(t.Context(), deliver.Position{Journal: "j", Next: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r.Files != 1 || len(r.Superseded) > 0 {
			t.Errorf("%d: receipt %+v", i, r)
		}
		paths, err := filepath.Glob(filepath.Join(dir, "marketplace=*", "date=*", "*"))
		if err != nil || len(paths) != 1 || !strings.HasSuffix(paths[0], "-00000"+extensions[compression]) {
			t.Fatalf("after %s there are %v (%v)", compression, paths, err)
		}
		sinktest.Same(t, readTable(t, dir, p), rows)
	}
}

func TestValidate(t *testing.T) {
	c := DefaultConfig("x")
	c.Validate(func(key, problem string) { t.Errorf("default %s: %s", key, problem) })
	c.Compression, c.FileMode = "lz4", "abc"
	var keys []string
	c.Validate(func(key, _ string) { keys = append(keys, key) })
	if got := strings.Join(keys, " "); got != "file-mode compression" {
		t.Errorf("reported %s", got)
	}
}
