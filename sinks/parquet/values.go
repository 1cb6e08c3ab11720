package parquet

import (
	"time"
	"unsafe"

	pq "github.com/parquet-go/parquet-go"

	"github.com/leads-etl/leads-etl/schema"
)

// leafColumn is one column of values of the file.
type leafColumn struct {
	writer *pq.ColumnWriter
	// blind is the column's indexer if it is about people.
	blind *blindIndexer
	// values is what is about to be written, bytes its size.
	values []pq.Value
	bytes  int
	// page is how many bytes the page being filled holds.
	page int
	// invalid says that a text was added that is not valid UTF-8. The library takes
	// such, and DuckDB and others then refuse the whole file.
	invalid bool
}

// Sizes of values as they count towards a page.
const (
	fixedBytes  = 8
	lengthBytes = 4
)

// The column's index that the library puts into values is for who reads them as
// rows, so it is left out; and Value.Level, which sets all three, costs more than
// the rest of adding a value.

func (l *leafColumn) add(v pq.Value, repetition, definition int) {
	v.SetRepetitionLevel(repetition)
	v.SetDefinitionLevel(definition)
	l.values = append(l.values, v)
	l.bytes += fixedBytes
}

func (l *leafColumn) addText(s string, repetition, definition int) {
	v := text(s)
	v.SetRepetitionLevel(repetition)
	v.SetDefinitionLevel(definition)
	l.values = append(l.values, v)
	l.bytes += lengthBytes + len(s)
	l.invalid = l.invalid || !schema.ValidText(s)
	if l.blind != nil && len(s) > 0 && s[0] == last[0] {
		l.blind.see(s)
	}
}

// addNull adds that there is no value; definition says on which level.
func (l *leafColumn) addNull(repetition, definition int) {
	var null pq.Value
	null.SetRepetitionLevel(repetition)
	null.SetDefinitionLevel(definition)
	l.values = append(l.values, null)
	l.bytes++
}

// text is a value that shares the string's memory. The column writer copies it,
// and nothing changes it before.
func text(s string) pq.Value {
	return pq.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s))) //nolint:gosec // audited: see above
}

func micros(t time.Time) pq.Value { return pq.Int64Value(t.UnixMicro()) }

// Definition levels of a list column, which is optional: it is null, it is
// empty, it has an element; an optional member of the element is one more.
const (
	listEmpty   = 1
	listElement = 2
	listMember  = 3
)

// addColumn adds a column's value of each row to its leaves: one, but for
// messages.
func addColumn(leaves []leafColumn, c *schema.Column, rows []schema.Row) {
	l := &leaves[0]
	for i := range rows {
		switch v := c.Field(&rows[i]).(type) {
		case *string:
			l.addText(*v, 0, 0)
		case *schema.EventType:
			l.addText(string(*v), 0, 0)
		case *int32:
			l.add(pq.Int32Value(*v), 0, 0)
		case *time.Time:
			l.add(micros(*v), 0, 0)
		case *schema.Opt[string]:
			if v.Valid {
				l.addText(v.Value, 0, 1)
			} else {
				l.addNull(0, 0)
			}
		case *schema.Opt[int32]:
			addOptional(l, *v, pq.Int32Value)
		case *schema.Opt[bool]:
			addOptional(l, *v, pq.BooleanValue)
		case *schema.Opt[time.Time]:
			addOptional(l, *v, micros)
		case *schema.Opt[schema.Decimal]:
			addOptional(l, *v, func(d schema.Decimal) pq.Value { return pq.Int64Value(d.Unscaled) })
		case *schema.Opt[[]string]:
			addStrings(l, *v)
		case *schema.Opt[[]schema.Message]:
			addMessages(leaves, *v)
		default:
			panic("parquet: column " + c.Name + " has a type without an encoding")
		}
	}
}

func addOptional[T any](l *leafColumn, o schema.Opt[T], value func(T) pq.Value) {
	if o.Valid {
		l.add(value(o.Value), 0, 1)
	} else {
		l.addNull(0, 0)
	}
}

func addStrings(l *leafColumn, o schema.Opt[[]string]) {
	if !o.Valid {
		l.addNull(0, 0)
		return
	}
	if len(o.Value) == 0 {
		l.addNull(0, listEmpty)
	}
	for i, s := range o.Value {
		l.addText(s, min(i, 1), listElement)
	}
}

func addMessages(leaves []leafColumn, o schema.Opt[[]schema.Message]) {
	if len(o.Value) == 0 {
		level := 0
		if o.Valid {
			level = listEmpty
		}
		for i := range leaves {
			leaves[i].addNull(0, level)
		}
		return
	}
	for i := range o.Value {
		for j := range leaves {
			addMember(&leaves[j], schema.MessageColumns[j].Field(&o.Value[i]), min(i, 1))
		}
	}
}

func addMember(l *leafColumn, field any, repetition int) {
	switch v := field.(type) {
	case *schema.Opt[int64]:
		if v.Valid {
			l.add(pq.Int64Value(v.Value), repetition, listMember)
			return
		}
	case *schema.Opt[time.Time]:
		if v.Valid {
			l.add(micros(v.Value), repetition, listMember)
			return
		}
	case *schema.Opt[string]:
		if v.Valid {
			l.addText(v.Value, repetition, listMember)
			return
		}
	default:
		panic("parquet: a member of messages has a type without an encoding")
	}
	l.addNull(repetition, listElement)
}
