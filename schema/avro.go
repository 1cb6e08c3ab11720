package schema

import "github.com/go-json-experiment/json/jsontext"

// avroField is a field of an Avro record.
type avroField struct {
	Name string `json:"name"`
	Type any    `json:"type"`
	// Default is null for nullable fields, and absent otherwise.
	Default  jsontext.Value `json:"default,omitzero"`
	Doc      string         `json:"doc"`
	Personal bool           `json:"personal,omitzero"`
}

// avroType is an Avro type that is more than a name.
type avroType struct {
	Type        string      `json:"type"`
	Name        string      `json:"name,omitzero"`
	Namespace   string      `json:"namespace,omitzero"`
	Doc         string      `json:"doc,omitzero"`
	LogicalType string      `json:"logicalType,omitzero"`
	Precision   int         `json:"precision,omitzero"`
	Scale       int         `json:"scale,omitzero"`
	Items       any         `json:"items,omitzero"`
	Fields      []avroField `json:"fields,omitempty"`
}

// Avro returns the row's schema for Avro, with the types of typed outputs: times
// are timestamp-micros, as in Parquet, amounts decimal(18,4) as bytes. Nullable
// columns are a union with null, which is the default. Fields of personal data
// have the property "personal".
func Avro() []byte {
	record := avroType{
		Type: "record", Name: "LeadEvent", Namespace: "leads_etl",
		Doc: "One lead of eBay's Leads API as it was seen at one time.",
	}
	for _, c := range Columns {
		f := newAvroField(c.Name, c.Type, c.Nullable, c.Doc)
		f.Personal = c.Personal
		record.Fields = append(record.Fields, f)
	}
	return marshal(record)
}

func newAvroField(name string, t Type, nullable bool, doc string) avroField {
	f := avroField{Name: name, Type: avroTypeOf(t), Doc: doc}
	if nullable {
		f.Type, f.Default = []any{"null", f.Type}, jsontext.Value("null")
	}
	return f
}

// avroTypeOf is the type's Avro type: a name or an avroType.
func avroTypeOf(t Type) any {
	switch t {
	case TypeString, TypeJSON:
		return "string"
	case TypeInt32:
		return "int"
	case TypeInt64:
		return "long"
	case TypeBool:
		return "boolean"
	case TypeTimestamp:
		return avroType{Type: "long", LogicalType: "timestamp-micros"}
	case TypeDecimal:
		return avroType{Type: "bytes", LogicalType: "decimal", Precision: DecimalPrecision, Scale: DecimalScale}
	case TypeStrings:
		return avroType{Type: "array", Items: "string"}
	case TypeMessages:
		message := avroType{Type: "record", Name: "Message"}
		for _, c := range MessageColumns {
			message.Fields = append(message.Fields, newAvroField(c.Name, c.Type, true, c.Doc))
		}
		return avroType{Type: "array", Items: message}
	default:
		panic(noDescription(t))
	}
}
