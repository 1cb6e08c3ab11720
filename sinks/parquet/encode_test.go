package parquet

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

// encode makes one file of the rows, handed over in pieces.
func encode(t testing.TB, c Config, rows []schema.Row, piece func() int) []byte {
	t.Helper()
	var out bytes.Buffer
	e := begin(t, c, &out)
	for len(rows) > 0 {
		n := min(piece(), len(rows))
		taken, err := e.Write(rows[:n])
		if err != nil || taken != n {
			t.Fatalf("%d of %d rows taken: %v", taken, n, err)
		}
		rows = rows[n:]
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func begin(t testing.TB, c Config, w io.Writer) *encoder {
	t.Helper()
	f, err := newFormat(c, byTime)
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.Encode(w)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*encoder)
}

func whole() int { return 1 << 30 }

func store(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, data []byte) []schema.Row {
	t.Helper()
	return readFile(t, store(t, data))
}

func expect(rows []schema.Row) []schema.Row {
	want := make([]schema.Row, len(rows))
	for i := range rows {
		want[i] = rows[i]
		asRead(&want[i])
	}
	return want
}

// Every compression makes a file that is read back. The library by itself
// cannot read back its own LZ4 (see lz4Codec), whose pages are therefore compared
// with those of the file without compression; TestDecodeLZ4 is of what can.
func TestCompressions(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 3000)
	c := DefaultConfig("")
	c.Compression = None
	plain := encode(t, c, rows, whole)
	for _, name := range compressions {
		c.Compression = name
		data := encode(t, c, rows, whole)
		if name == LZ4 {
			samePages(t, data, plain)
		} else {
			sinktest.Same(t, read(t, data), expect(rows))
		}
		if name != None && len(data) >= len(plain) {
			t.Errorf("%s makes %d bytes of %d", name, len(data), len(plain))
		}
		t.Logf("%s: %d bytes", name, len(data))
	}
}

// The bytes do not depend on how the rows come in: pages, row groups and files
// end where they do because of the rows.
func TestSameBytes(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 4000)
	for i := range rows {
		// Some columns fill many pages, others not one.
		rows[i].AdditionalInformation.Value = strings.Repeat(rows[i].AdditionalInformation.Value, 1+i%40)
	}
	c := DefaultConfig("")
	c.RowGroupRows = 1500
	want := encode(t, c, rows, whole)
	if file := openFile(t, store(t, want)); len(file.RowGroups()) != 3 {
		t.Fatalf("%d row groups", len(file.RowGroups()))
	}
	for range 3 {
		sizes := rapid.IntRange(1, 700)
		n := 0
		got := encode(t, c, rows, func() int { n++; return sizes.Example(n) })
		if !bytes.Equal(got, want) {
			t.Fatal("rows in other pieces make other bytes")
		}
	}
	sinktest.Same(t, read(t, want), expect(rows))
}

// A file ends when it has its size, at the same row however the rows come in.
func TestRoll(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 5000)
	c := DefaultConfig("")
	c.Roll = 300_000
	cut := func(piece int) int {
		var out bytes.Buffer
		e := begin(t, c, &out)
		total := 0
		for {
			n, err := e.Write(rows[total:min(total+piece, len(rows))])
			if err != nil {
				t.Fatal(err)
			}
			total += n
			if n < piece {
				break
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		sinktest.Same(t, read(t, out.Bytes()), expect(rows[:total]))
		return total
	}
	first := cut(len(rows))
	if first == 0 || first == len(rows) {
		t.Fatalf("the file holds %d rows", first)
	}
	for _, piece := range []int{1, 63, 64, 100} {
		if n := cut(piece); n != first {
			t.Errorf("in pieces of %d the file holds %d rows, otherwise %d", piece, n, first)
		}
	}
}

// The order is declared in the file, so that rows out of order are refused.
func TestOrder(t *testing.T) {
	rows := sinktest.Leads(sinktest.Day, 0, 10)
	undated := sinktest.Undated(2)
	for name, c := range map[string]struct {
		rows []schema.Row
		want error
	}{
		"sorted":            {rows, nil},
		"undated":           {undated, nil},
		"nulls last":        {append(rows[:10:10], undated...), nil},
		"nulls first":       {append(undated[:2:2], rows...), errOrder},
		"times":             {[]schema.Row{rows[1], rows[0]}, errOrder},
		"ids of one time":   {[]schema.Row{undated[1], undated[0]}, errOrder},
		"the same row more": {[]schema.Row{rows[0], rows[0]}, nil},
	} {
		for _, piece := range []int{1, len(c.rows)} {
			e := begin(t, DefaultConfig(""), io.Discard)
			var err error
			for i := 0; i < len(c.rows) && err == nil; i += piece {
				_, err = e.Write(c.rows[i : i+piece])
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	}
}

// Text that is not UTF-8 would make the file unreadable for others. It is
// refused, by the name of the column and not by its value.
func TestInvalidText(t *testing.T) {
	const bad = "secret\xff"
	set := map[string]func(r *schema.Row){
		"account":        func(r *schema.Row) { r.Account = bad },
		"event_type":     func(r *schema.Row) { r.EventType = bad },
		"first_name":     func(r *schema.Row) { r.FirstName = schema.Some(bad) },
		"changed_fields": func(r *schema.Row) { r.ChangedFields = schema.Some([]string{"a", bad}) },
		"messages": func(r *schema.Row) {
			r.Messages = schema.Some([]schema.Message{{}, {Response: schema.Some(bad)}})
		},
		"extra": func(r *schema.Row) { r.Extra = schema.Some(bad) },
	}
	for column, change := range set {
		rows := sinktest.Leads(sinktest.Day, 0, 2)
		change(&rows[1])
		_, err := begin(t, DefaultConfig(""), io.Discard).Write(rows)
		if err == nil || !strings.Contains(err.Error(), "column "+column+" ") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", column, err)
		}
	}
}

func TestAfterClose(t *testing.T) {
	var out bytes.Buffer
	e := begin(t, DefaultConfig(""), &out)
	if _, err := e.Write(sinktest.Leads(sinktest.Day, 0, 2)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	size := out.Len()
	if _, err := e.Write(sinktest.Leads(sinktest.Day, 0, 2)); err == nil {
		t.Error("a row was taken after the end")
	}
	if out.Len() != size || len(read(t, out.Bytes())) != 2 {
		t.Error("something was written after the end")
	}
}

// failing is a writer that fails after some bytes.
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
	c := DefaultConfig("")
	c.RowGroupRows = 1000
	rows := sinktest.Leads(sinktest.Day, 0, 2500)
	size := len(encode(t, c, rows, whole))
	for left := 0; left < size; left += size/50 + 1 {
		e := begin(t, c, &failing{left})
		_, err := e.Write(rows)
		if err == nil {
			err = e.Close()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("after %d of %d bytes: %v", left, size, err)
		}
	}
}

func TestValidate(t *testing.T) {
	c := DefaultConfig("x")
	c.Validate(func(key, problem string) { t.Errorf("default %s: %s", key, problem) })
	c.Compression, c.RowGroupRows, c.Roll = "brotli", 10, -1
	var keys []string
	c.Validate(func(key, _ string) { keys = append(keys, key) })
	if got := strings.Join(keys, " "); got != "roll-bytes compression row-group-rows" {
		t.Errorf("reported %s", got)
	}
}
