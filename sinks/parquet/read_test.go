package parquet

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"github.com/leads-etl/leads-etl/schema"
)

// openFile opens a Parquet file with its indexes and filters.
func openFile(t testing.TB, path string) *pq.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := pq.OpenFile(f, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return file
}

// readFile reads rows back by the file's own schema: columns are found by name.
func readFile(t testing.TB, path string) []schema.Row {
	t.Helper()
	file := openFile(t, path)
	columns := make(map[int]*schema.Column)
	members := make(map[int]int)
	for i, leaf := range file.Schema().Columns() {
		for j := range schema.Columns {
			if schema.Columns[j].Name == leaf[0] {
				columns[i] = &schema.Columns[j]
			}
		}
		for j, c := range schema.MessageColumns {
			if leaf[len(leaf)-1] == c.Name {
				members[i] = j
			}
		}
	}
	var rows []schema.Row
	for _, group := range file.RowGroups() {
		reader := group.Rows()
		buffer := make([]pq.Row, 100)
		for {
			n, err := reader.ReadRows(buffer)
			for _, values := range buffer[:n] {
				var r schema.Row
				for column, v := range values.Range {
					fill(t, &r, columns[column], members[column], v)
				}
				rows = append(rows, r)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// fill sets a column of a row from the values of one of its leaves.
func fill(t testing.TB, r *schema.Row, c *schema.Column, member int, values []pq.Value) {
	t.Helper()
	v := values[0]
	null := v.DefinitionLevel() == 0
	switch f := c.Field(r).(type) {
	case *string:
		*f = string(v.ByteArray())
	case *schema.EventType:
		*f = schema.EventType(v.ByteArray())
	case *int32:
		*f = v.Int32()
	case *time.Time:
		*f = time.UnixMicro(v.Int64()).UTC()
	case *schema.Opt[string]:
		set(f, null, func() string { return string(v.ByteArray()) })
	case *schema.Opt[int32]:
		set(f, null, v.Int32)
	case *schema.Opt[bool]:
		set(f, null, v.Boolean)
	case *schema.Opt[time.Time]:
		set(f, null, func() time.Time { return time.UnixMicro(v.Int64()).UTC() })
	case *schema.Opt[schema.Decimal]:
		set(f, null, func() schema.Decimal {
			d := schema.Decimal{Unscaled: v.Int64()}
			d.Text = d.Canonical()
			return d
		})
	case *schema.Opt[[]string]:
		set(f, null, func() []string {
			var list []string
			for _, v := range values {
				if v.DefinitionLevel() == listElement {
					list = append(list, string(v.ByteArray()))
				}
			}
			return list
		})
	case *schema.Opt[[]schema.Message]:
		if null {
			return
		}
		f.Valid = true
		if v.DefinitionLevel() == listEmpty {
			return
		}
		if f.Value == nil {
			f.Value = make([]schema.Message, len(values))
		}
		for i, v := range values {
			null := v.DefinitionLevel() < listMember
			switch m := schema.MessageColumns[member].Field(&f.Value[i]).(type) {
			case *schema.Opt[int64]:
				set(m, null, v.Int64)
			case *schema.Opt[time.Time]:
				set(m, null, func() time.Time { return time.UnixMicro(v.Int64()).UTC() })
			case *schema.Opt[string]:
				set(m, null, func() string { return string(v.ByteArray()) })
			}
		}
	default:
		t.Fatalf("column %s has a type without a reader", c.Name)
	}
}

func set[T any](o *schema.Opt[T], null bool, value func() T) {
	if !null {
		*o = schema.Some(value())
	}
}
