package schema

import (
	"fmt"
	"strings"
)

// Parquet returns the row's schema as the text of a Parquet message type, in the
// form that parquet-java reads and prints. Times are microseconds, UTC; amounts
// are DECIMAL(18,4) on int64. The form has no place for remarks, so the personal
// columns are named behind it, where its parser has stopped reading.
func Parquet() string {
	var b strings.Builder
	var personal []string
	b.WriteString("message lead_event {\n")
	for _, c := range Columns {
		writeParquetField(&b, "  ", c.Name, c.Type, c.Nullable)
		if c.Personal {
			personal = append(personal, c.Name)
		}
	}
	fmt.Fprintf(&b, "}\n\n// Personal data: %s.\n", strings.Join(personal, ", "))
	return b.String()
}

func writeParquetField(b *strings.Builder, indent, name string, t Type, nullable bool) {
	repetition := "required"
	if nullable {
		repetition = "optional"
	}
	b.WriteString(indent + repetition + " ")
	switch t {
	case TypeString, TypeJSON:
		b.WriteString("binary " + name + " (STRING);\n")
	case TypeInt32:
		b.WriteString("int32 " + name + ";\n")
	case TypeInt64:
		b.WriteString("int64 " + name + ";\n")
	case TypeBool:
		b.WriteString("boolean " + name + ";\n")
	case TypeTimestamp:
		b.WriteString("int64 " + name + " (TIMESTAMP(MICROS,true));\n")
	case TypeDecimal:
		fmt.Fprintf(b, "int64 %s (DECIMAL(%d,%d));\n", name, DecimalPrecision, DecimalScale)
	case TypeStrings:
		writeParquetList(b, indent, name, func(indent string) {
			writeParquetField(b, indent, "element", TypeString, false)
		})
	case TypeMessages:
		writeParquetList(b, indent, name, func(indent string) {
			b.WriteString(indent + "required group element {\n")
			for _, c := range MessageColumns {
				writeParquetField(b, indent+"  ", c.Name, c.Type, true)
			}
			b.WriteString(indent + "}\n")
		})
	default:
		panic(noDescription(t))
	}
}

// writeParquetList writes the three levels that a list has in Parquet; element
// writes the innermost.
func writeParquetList(b *strings.Builder, indent, name string, element func(indent string)) {
	b.WriteString("group " + name + " (LIST) {\n")
	b.WriteString(indent + "  repeated group list {\n")
	element(indent + "    ")
	b.WriteString(indent + "  }\n" + indent + "}\n")
}
