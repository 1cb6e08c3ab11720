package ndjson

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/files"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// counted counts the bytes that are read from a file. Compressed ones are those that
// are decompressed.
type counted struct {
	io.ReaderAt
	bytes int64
	read  func() // is called after each, if there is one
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.bytes += int64(n)
	if c.read != nil {
		c.read()
	}
	return n, err
}

// stored is a file of one compression.
func stored(t testing.TB, compression string, rows []schema.Row, hold int) (files.Stored, *counted) {
	t.Helper()
	c := DefaultConfig("")
	c.Compression = compression
	data := encode(t, c, rows, func() int { return 100 })[0]
	read := &counted{ReaderAt: bytes.NewReader(data)}
	return files.Stored{ReaderAt: read, Name: "x" + extensions[compression], Size: int64(len(data)), Rows: len(rows), Hold: hold}, read
}

// readBackward reads so many rows from the end of a file, with a spool that has next
// to no memory.
func readBackward(t testing.TB, file files.Stored, n int) ([]schema.Row, error) {
	t.Helper()
	spool := files.NewSpool(10_000)
	defer func() {
		if err := spool.Close(); err != nil {
			t.Error(err)
		}
	}()
	rows := []schema.Row{}
	for row, err := range backward(t.Context(), file, spool) {
		if err != nil {
			return rows, err
		}
		if rows = append(rows, row); len(rows) == n {
			break
		}
	}
	return rows, nil
}

// The rows come from the last to the first, as they were written, however many may
// be held and however many are wanted.
func TestBackward(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 700)
	want := slices.Clone(rows)
	slices.Reverse(want)
	for _, compression := range compressions {
		for _, hold := range []int{1, 100, 350, 8000} {
			for _, n := range []int{1, 20, 333, 700} {
				file, _ := stored(t, compression, rows, hold)
				got, err := readBackward(t, file, n)
				if err != nil || !reflect.DeepEqual(got, want[:n]) {
					t.Errorf("%s, %d held, %d wanted: %d rows, or others (%v)", compression, hold, n, len(got), err)
				}
			}
		}
		file, _ := stored(t, compression, rows[:1], 8000)
		if got, err := readBackward(t, file, 0); err != nil || !reflect.DeepEqual(got, rows[:1]) {
			t.Errorf("%s: one row: %d (%v)", compression, len(got), err)
		}
	}
}

// Whatever a file's size, none of it is decompressed more than twice; once if its
// last rows are all that is wanted. What is not compressed is not read from its
// beginning.
func TestReadTwiceAtMost(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 12_000)
	for _, compression := range compressions {
		// A file of sixty times, and of seven times, what may be held.
		for _, hold := range []int{200, 1700} {
			file, read := stored(t, compression, rows, hold)
			got, err := readBackward(t, file, 0)
			if err != nil || len(got) != len(rows) {
				t.Fatalf("%s: %d rows (%v)", compression, len(got), err)
			}
			// Of text, lines that are cut are read again.
			most := map[string]int64{None: file.Size * 11 / 10, Gzip: 2 * file.Size, Zstd: 2 * file.Size}[compression]
			if read.bytes > most {
				t.Errorf("%s, %d held: %d bytes were read of a file that has %d", compression, hold, read.bytes, file.Size)
			}
			file, read = stored(t, compression, rows, hold)
			if _, err := readBackward(t, file, 150); err != nil {
				t.Fatal(err)
			}
			once := map[string]int64{None: 400 * rowBytes, Gzip: file.Size, Zstd: file.Size}[compression]
			if read.bytes > once {
				t.Errorf("%s, %d held: %d bytes were read for 150 rows of a file that has %d", compression, hold, read.bytes, file.Size)
			}
		}
	}
}

// Rows that are larger than what is read at a time come as they were written.
func TestBackwardLongRows(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 60)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range rows {
		n := []int{0, 40_000, 33_000, 3_000_000}[min(random.IntN(20), 3)]
		rows[i].AdditionalInformation = schema.Some(strings.Repeat("x", n))
	}
	want := slices.Clone(rows)
	slices.Reverse(want)
	for _, compression := range compressions {
		file, _ := stored(t, compression, rows, 10)
		if got, err := readBackward(t, file, 0); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d rows, or others (%v)", compression, len(got), err)
		}
	}
}

// A file that is not as it is listed is an error; a compressed one before any of its
// rows is shown.
func TestBackwardRefuses(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 700)
	for _, compression := range compressions {
		for what, spoil := range map[string]func(f *files.Stored, data []byte){
			"cut": func(f *files.Stored, data []byte) {
				f.ReaderAt, f.Size = bytes.NewReader(data[:len(data)/2]), int64(len(data)/2)
			},
			"shorter than its size": func(f *files.Stored, data []byte) { f.ReaderAt = bytes.NewReader(data[:len(data)-1]) },
			"more rows listed":      func(f *files.Stored, _ []byte) { f.Rows++ },
			"fewer rows listed":     func(f *files.Stored, _ []byte) { f.Rows-- },
			"damaged": func(f *files.Stored, data []byte) {
				data[len(data)/3] ^= 1
				if compression == None {
					data[bytes.IndexByte(data, '\n')+1] = 'x'
				}
			},
			"named otherwise": func(f *files.Stored, _ []byte) { f.Name = "x.parquet" },
		} {
			for _, hold := range []int{50, 8000} {
				file, read := stored(t, compression, rows, hold)
				data := make([]byte, file.Size)
				if _, err := read.ReadAt(data, 0); err != nil {
					t.Fatal(err)
				}
				file.ReaderAt = bytes.NewReader(data)
				spoil(&file, data)
				got, err := readBackward(t, file, 0)
				if err == nil || compression != None && len(got) > 0 {
					t.Errorf("%s, %s: after %d rows: %v", compression, what, len(got), err)
				}
			}
		}
	}
}

// Who is interrupted ends, also in the middle of what takes long before a row comes.
func TestBackwardIsInterrupted(t *testing.T) {
	for _, compression := range compressions {
		file, read := stored(t, compression, sinktest.Leads(sinktest.Day, 0, 2000), 100)
		ctx, cancel := context.WithCancel(t.Context())
		read.read = cancel
		var failed error
		for _, err := range backward(ctx, file, files.NewSpool(0)) {
			failed = err
		}
		if !errors.Is(failed, context.Canceled) || read.bytes == file.Size {
			t.Errorf("%s: %v, having read %d bytes of %d", compression, failed, read.bytes, file.Size)
		}
	}
}
