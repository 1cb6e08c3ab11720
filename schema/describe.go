package schema

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// personalNote is what marks a personal column where there is nothing but text
// to mark it with.
const personalNote = "Personal data."

// remark is the column's documentation with the mark of personal data.
func (c Column) remark() string {
	if c.Personal {
		return c.Doc + " " + personalNote
	}
	return c.Doc
}

// Formats are the names that Describe knows.
func Formats() []string {
	names := []string{"json-schema", "avro", "parquet", "sql"}
	for _, d := range sqlDialects {
		names = append(names, sqlPrefix+d.name)
	}
	return names
}

const sqlPrefix = "sql-"

// Describe writes the schema of the event row in one of the Formats, with a
// line end: "json-schema" (see JSONSchema), "avro" (Avro), "parquet" (Parquet),
// "sql-" and a dialect (SQL), or "sql", which is DuckDB's. The error for another
// format lists them.
func Describe(w io.Writer, format string) error {
	text, ok := describe(format)
	if !ok {
		return fmt.Errorf("unknown schema format %q: choose %s", format, choices(Formats()))
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write the schema as %s: %w", format, err)
	}
	return nil
}

func describe(format string) (text string, ok bool) {
	switch format {
	case "json-schema":
		return string(JSONSchema()), true
	case "avro":
		return string(Avro()), true
	case "parquet":
		return Parquet(), true
	case "sql":
		return sqlDialects[0].createTable(), true
	}
	dialect, ok := strings.CutPrefix(format, sqlPrefix)
	if d := findDialect(dialect); ok && d != nil {
		return d.createTable(), true
	}
	return "", false
}

// choices lists names for an error: "a, b or c".
func choices(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// marshal writes what describes a schema, with a line end. What it is given are
// types of this package that always can be written.
func marshal(v any) []byte {
	text, err := json.Marshal(v, jsontext.WithIndent("  "))
	if err != nil {
		panic("schema: " + err.Error())
	}
	return append(text, '\n')
}

// noDescription is what to panic with if a type is new and a format does not
// know it; the golden files' test meets it first.
func noDescription(t Type) string {
	return fmt.Sprintf("schema: logical type %d has no description", t)
}
