package parquet

import (
	"reflect"

	pq "github.com/parquet-go/parquet-go"

	"github.com/leads-etl/leads-etl/schema"
)

// fileSchema is the Parquet schema of the event row. It follows from the table
// of columns.
var fileSchema = pq.NewSchema("lead", group(columnFields()))

func columnFields() []pq.Field {
	fields := make([]pq.Field, len(schema.Columns))
	for i, c := range schema.Columns {
		n := node(c.Type, c.Personal)
		if c.Nullable {
			n = pq.Optional(n)
		}
		fields[i] = field{n, c.Name}
	}
	return fields
}

// node returns the node of a column's type, required.
func node(t schema.Type, personal bool) pq.Node {
	switch t {
	case schema.TypeString:
		return leaf(pq.String().Type(), personal)
	case schema.TypeInt32:
		return leaf(pq.Int32Type, personal)
	case schema.TypeInt64:
		return leaf(pq.Int64Type, personal)
	case schema.TypeBool:
		return leaf(pq.BooleanType, personal)
	case schema.TypeTimestamp:
		return leaf(pq.Timestamp(pq.Microsecond).Type(), personal)
	case schema.TypeDecimal:
		return leaf(pq.Decimal(schema.DecimalScale, schema.DecimalPrecision, pq.Int64Type).Type(), personal)
	case schema.TypeJSON:
		return leaf(pq.JSON().Type(), personal)
	case schema.TypeStrings:
		return pq.List(leaf(pq.String().Type(), personal))
	case schema.TypeMessages:
		fields := make([]pq.Field, len(schema.MessageColumns))
		for i, c := range schema.MessageColumns {
			fields[i] = field{pq.Optional(node(c.Type, personal)), c.Name}
		}
		return pq.List(group(fields))
	default:
		panic("parquet: a column has a type without a Parquet type")
	}
}

// leaf returns a column of values. Strings are PLAIN, which every engine reads,
// and not the library's choice, DELTA_LENGTH_BYTE_ARRAY.
func leaf(t pq.Type, personal bool) pq.Node {
	return pq.Encoded(pq.Leaf(columnType{t, personal}), &pq.Plain)
}

// columnType is a column's type with what the library leaves no other way to
// change.
type columnType struct {
	pq.Type
	personal bool
}

// EstimateNumValues keeps the library from reserving memory for whole pages: it
// is asked how many values a page of pageBufferSize holds.
func (columnType) EstimateNumValues(int) int { return 0 }

// NewColumnIndexer returns an indexer that knows nothing of the values, if they
// are about people.
func (t columnType) NewColumnIndexer(sizeLimit int) pq.ColumnIndexer {
	if t.personal {
		return newBlindIndexer(t.Kind())
	}
	return t.Type.NewColumnIndexer(sizeLimit)
}

// group is a group of fields in the order given; the library's own sorts them
// by name.
type group []pq.Field

// field is a node with a name.
type field struct {
	pq.Node
	name string
}

func (f field) Name() string { return f.name }

// Value is for reflection over Go values, which the encoder does not use.
func (f field) Value(base reflect.Value) reflect.Value {
	return pq.Group{f.name: f.Node}.Fields()[0].Value(base)
}
