package schema

import (
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/avro"
	"pgregory.net/rapid"
)

// The schema parses, and says of each column what the table does.
func TestAvroIsTheTable(t *testing.T) {
	s, err := avro.Parse(string(Avro()))
	if err != nil {
		t.Fatal(err)
	}
	fields := s.Root().Fields
	if len(fields) != len(Columns) {
		t.Fatalf("%d fields, want %d", len(fields), len(Columns))
	}
	for i, c := range Columns {
		f := fields[i]
		if f.Name != c.Name || f.Doc != c.Doc {
			t.Errorf("field %d is %s (%s), want %s (%s)", i, f.Name, f.Doc, c.Name, c.Doc)
		}
		if marked := f.Props["personal"] == true; marked != c.Personal {
			t.Errorf("%s is marked %v", c.Name, marked)
		}
		node := f.Type
		if nullable := node.Type == "union"; nullable != c.Nullable || nullable != f.HasDefault {
			t.Errorf("%s: nullable %v, default %v", c.Name, nullable, f.HasDefault)
		} else if nullable {
			if len(node.Branches) != 2 || node.Branches[0].Type != "null" || f.Default != nil {
				t.Errorf("%s: not a union with null that is null by default: %+v", c.Name, f)
				continue
			}
			node = node.Branches[1]
		}
		switch c.Type {
		case TypeTimestamp:
			if node.Type != "long" || node.LogicalType != "timestamp-micros" {
				t.Errorf("%s: %+v", c.Name, node)
			}
		case TypeDecimal:
			if node.Type != "bytes" || node.LogicalType != "decimal" || node.Precision != DecimalPrecision || node.Scale != DecimalScale {
				t.Errorf("%s: %+v", c.Name, node)
			}
		}
	}
}

// The schema can hold any row: what is encoded by it is what is decoded.
func TestAvroHoldsRows(t *testing.T) {
	s, err := avro.Parse(string(Avro()))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{}
		r := rows().Draw(t, "row")
		for _, c := range Columns {
			want[c.Name] = avroValue(t, c.Field(r))
		}
		binary, err := s.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		rest, err := s.Decode(binary, &got)
		if err != nil || len(rest) > 0 {
			t.Fatalf("%d bytes are left: %v", len(rest), err)
		}
		for name, value := range got.(map[string]any) {
			if !sameAvro(value, want[name]) {
				t.Fatalf("%s: %#v, want %#v", name, value, want[name])
			}
		}
	})
}

// avroValue is the value of a column as Avro has it.
func avroValue(t *rapid.T, field any) any {
	switch v := field.(type) {
	case *string:
		return *v
	case *EventType:
		return string(*v)
	case *int32:
		return *v
	case *time.Time:
		return *v
	case *Opt[string]:
		return orNil(*v)
	case *Opt[int32]:
		return orNil(*v)
	case *Opt[int64]:
		return orNil(*v)
	case *Opt[bool]:
		return orNil(*v)
	case *Opt[time.Time]:
		return orNil(*v)
	case *Opt[Decimal]:
		if !v.Valid {
			return nil
		}
		return big.NewRat(v.Value.Unscaled, decimalUnit)
	case *Opt[[]string]:
		if !v.Valid {
			return nil
		}
		list := []any{}
		for _, s := range v.Value {
			list = append(list, s)
		}
		return list
	case *Opt[[]Message]:
		if !v.Valid {
			return nil
		}
		list := []any{}
		for i := range v.Value {
			message := map[string]any{}
			for _, c := range MessageColumns {
				message[c.Name] = avroValue(t, c.Field(&v.Value[i]))
			}
			list = append(list, message)
		}
		return list
	default:
		t.Fatalf("no Avro value for a %T", v)
		return nil
	}
}

func orNil[T any](o Opt[T]) any {
	if !o.Valid {
		return nil
	}
	return o.Value
}

func sameAvro(a, b any) bool {
	if x, ok := a.(*big.Rat); ok {
		y, ok := b.(*big.Rat)
		return ok && x.Cmp(y) == 0
	}
	return reflect.DeepEqual(a, b)
}
