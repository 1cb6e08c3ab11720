package parquet

import (
	"reflect"

	pq "github.com/parquet-go/parquet-go"

	"github.com/leads-etl/leads-etl/schema"
)

// fileSchema is the Parquet schema of one file of event rows. It follows from
// the table of columns. It belongs to one writer, as its indexers do.
type fileSchema struct {
	*pq.Schema
	// blind are the indexers of columns about people, by the index of the leaf;
	// nil for others.
	blind []*blindIndexer
}

func newFileSchema() *fileSchema {
	s := new(fileSchema)
	fields := make([]pq.Field, len(schema.Columns))
	for i, c := range schema.Columns {
		n := s.node(c.Type, c.Personal)
		if c.Nullable {
			n = pq.Optional(n)
		}
		fields[i] = field{n, c.Name}
	}
	s.Schema = pq.NewSchema("lead", group(fields))
	return s
}

// node returns the node of a column's type, required.
func (s *fileSchema) node(t schema.Type, personal bool) pq.Node {
	switch t {
	case schema.TypeString, schema.TypeJSON:
		// Not the logical type JSON: polars reads it as bytes, and Arrow as an
		// extension type.
		return s.leaf(pq.String().Type(), personal)
	case schema.TypeInt32:
		return s.leaf(pq.Int32Type, personal)
	case schema.TypeInt64:
		return s.leaf(pq.Int64Type, personal)
	case schema.TypeBool:
		return s.leaf(pq.BooleanType, personal)
	case schema.TypeTimestamp:
		return s.leaf(pq.Timestamp(pq.Microsecond).Type(), personal)
	case schema.TypeDecimal:
		return s.leaf(pq.Decimal(schema.DecimalScale, schema.DecimalPrecision, pq.Int64Type).Type(), personal)
	case schema.TypeStrings:
		return pq.List(s.leaf(pq.String().Type(), personal))
	case schema.TypeMessages:
		fields := make([]pq.Field, len(schema.MessageColumns))
		for i, c := range schema.MessageColumns {
			fields[i] = field{pq.Optional(s.node(c.Type, personal)), c.Name}
		}
		return pq.List(group(fields))
	default:
		panic("parquet: a column has a type without a Parquet type")
	}
}

// leaf returns the next column of values. Strings are PLAIN, which every engine
// reads, and not the library's choice, DELTA_LENGTH_BYTE_ARRAY. Dictionaries
// would save some 2 % of a compressed file, and are left out.
func (s *fileSchema) leaf(t pq.Type, personal bool) pq.Node {
	var blind *blindIndexer
	if personal {
		blind = newBlindIndexer(t.Kind())
	}
	s.blind = append(s.blind, blind)
	return pq.Encoded(pq.Leaf(columnType{t, blind}), &pq.Plain)
}

// columnType is a column's type with what the library leaves no other way to
// change.
type columnType struct {
	pq.Type
	blind *blindIndexer
}

// EstimateNumValues keeps the library from reserving memory for whole pages: it
// is asked how many values a page of libraryPageBytes holds.
func (columnType) EstimateNumValues(int) int { return 0 }

// NewColumnIndexer returns the indexer that knows nothing of the values, if they
// are about people.
func (t columnType) NewColumnIndexer(sizeLimit int) pq.ColumnIndexer {
	if t.blind != nil {
		return t.blind
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
