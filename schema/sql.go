package schema

import (
	"fmt"
	"slices"
	"strings"
)

// sqlTable is the name of the table that the DDL creates.
const sqlTable = "lead_events"

// sqlView is the name of the view of the latest state of each lead.
const sqlView = "leads_now"

// SQL returns the statements that create a table for the rows, and the view
// leads_now of the latest state of each lead that has not vanished, in the dialect
// "duckdb" (also if it is empty), "spark", "bigquery", "snowflake" or
// "clickhouse". Columns carry their documentation as comments, with a note on
// personal data. The error for another dialect lists them.
func SQL(dialect string) (string, error) {
	if dialect == "" {
		return sqlDialects[0].createTable(), nil
	}
	d := findDialect(dialect)
	if d == nil {
		names := make([]string, len(sqlDialects))
		for i := range sqlDialects {
			names[i] = sqlDialects[i].name
		}
		return "", fmt.Errorf("unknown SQL dialect %q: choose %s", dialect, choices(names))
	}
	return d.createTable(), nil
}

// sqlDialect is what a dialect's CREATE TABLE needs to know.
type sqlDialect struct {
	name string
	// head are remarks before the statement.
	head string
	// types are the types but for messages.
	types map[Type]string
	// message is the type of a message, with %s for its members, and messages
	// that of a list of them, with %s for it; member joins a member's name and
	// type. A dialect without types for members leaves them out.
	message, messages, member string
	// nullable and required are a column's type, with %s for the plain one. They
	// do not apply to lists, which are as they are where lists say so.
	nullable, required string
	bareLists          bool
	// comment is a column's remark, with %s for the text and quote for what a
	// quote in it becomes; empty if comments are statements of their own.
	comment, quote string
	// tail ends the statement, behind the closing parenthesis.
	tail string
}

// sqlDialects are the dialects; the first one is the default.
var sqlDialects = []sqlDialect{
	{
		name: "duckdb",
		types: map[Type]string{
			TypeString: "VARCHAR", TypeInt32: "INTEGER", TypeInt64: "BIGINT", TypeBool: "BOOLEAN", TypeTimestamp: "TIMESTAMP WITH TIME ZONE",
			TypeDecimal: "DECIMAL(%d,%d)", TypeStrings: "VARCHAR[]", TypeJSON: "VARCHAR",
		},
		message: "STRUCT(%s)", messages: "%s[]", member: "%s %s",
		nullable: "%s", required: "%s NOT NULL", quote: "''",
	},
	{
		name: "spark",
		types: map[Type]string{
			TypeString: "STRING", TypeInt32: "INT", TypeInt64: "BIGINT", TypeBool: "BOOLEAN", TypeTimestamp: "TIMESTAMP",
			TypeDecimal: "DECIMAL(%d,%d)", TypeStrings: "ARRAY<STRING>", TypeJSON: "STRING",
		},
		message: "STRUCT<%s>", messages: "ARRAY<%s>", member: "%s: %s",
		nullable: "%s", required: "%s NOT NULL", comment: " COMMENT '%s'", quote: `\'`,
		tail: "\nUSING PARQUET",
	},
	{
		name: "bigquery",
		head: "-- A list cannot be null here: messages that were not asked for are an empty list.\n",
		types: map[Type]string{
			TypeString: "STRING", TypeInt32: "INT64", TypeInt64: "INT64", TypeBool: "BOOL", TypeTimestamp: "TIMESTAMP",
			TypeDecimal: "NUMERIC(%d,%d)", TypeStrings: "ARRAY<STRING>", TypeJSON: "STRING",
		},
		message: "STRUCT<%s>", messages: "ARRAY<%s>", member: "%s %s",
		nullable: "%s", required: "%s NOT NULL", bareLists: true, comment: ` OPTIONS(description="%s")`, quote: "'",
	},
	{
		name: "snowflake",
		types: map[Type]string{
			TypeString: "VARCHAR", TypeInt32: "INTEGER", TypeInt64: "BIGINT", TypeBool: "BOOLEAN", TypeTimestamp: "TIMESTAMP_TZ(6)",
			TypeDecimal: "NUMBER(%d,%d)", TypeStrings: "ARRAY", TypeJSON: "VARCHAR",
		},
		messages: "ARRAY",
		nullable: "%s", required: "%s NOT NULL", comment: " COMMENT '%s'", quote: "''",
	},
	{
		name: "clickhouse",
		head: "-- A list cannot be null here: messages that were not asked for are an empty list.\n",
		types: map[Type]string{
			TypeString: "String", TypeInt32: "Int32", TypeInt64: "Int64", TypeBool: "Bool", TypeTimestamp: "DateTime64(6, 'UTC')",
			TypeDecimal: "Decimal(%d, %d)", TypeStrings: "Array(String)", TypeJSON: "String",
		},
		message: "Tuple(%s)", messages: "Array(%s)", member: "%s Nullable(%s)",
		nullable: "Nullable(%s)", required: "%s", bareLists: true, comment: " COMMENT '%s'", quote: "''",
		tail: "\nENGINE = MergeTree\nORDER BY (marketplace_id, lead_id, event_id)",
	},
}

// findDialect returns the dialect, or nil if there is none of that name.
func findDialect(name string) *sqlDialect {
	i := slices.IndexFunc(sqlDialects, func(d sqlDialect) bool { return d.name == name })
	if i < 0 {
		return nil
	}
	return &sqlDialects[i]
}

func (d *sqlDialect) createTable() string {
	var b strings.Builder
	b.WriteString(d.head)
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", sqlTable)
	for i, c := range Columns {
		fmt.Fprintf(&b, "  %s %s", c.Name, d.columnType(c))
		if d.comment != "" {
			fmt.Fprintf(&b, d.comment, d.quoted(c.remark()))
		}
		if i < len(Columns)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, ")%s;\n", d.tail)
	if d.comment == "" {
		for _, c := range Columns {
			fmt.Fprintf(&b, "COMMENT ON COLUMN %s.%s IS '%s';\n", sqlTable, c.Name, d.quoted(c.remark()))
		}
	}
	d.createView(&b)
	return b.String()
}

// createView adds the view. It names its columns, for dialects that can leave one
// out of all do it in ways of their own. The time comes before the version because
// rows of batches have none.
func (d *sqlDialect) createView(b *strings.Builder) {
	names := make([]string, len(Columns))
	for i, c := range Columns {
		names[i] = c.Name
	}
	columns := strings.Join(names, ", ")
	fmt.Fprintf(b, `
CREATE VIEW %s AS
SELECT %s
FROM (
  SELECT %s,
    row_number() OVER (PARTITION BY lead_id ORDER BY extracted_at DESC, lead_version DESC NULLS LAST) AS place
  FROM %s
) AS numbered
WHERE place = 1 AND event_type <> '%s';
`, sqlView, columns, columns, sqlTable, Vanished)
}

func (d *sqlDialect) quoted(text string) string { return strings.ReplaceAll(text, "'", d.quote) }

// columnType is the column's type with its nullability.
func (d *sqlDialect) columnType(c Column) string {
	plain := d.plainType(c.Type)
	switch list := c.Type == TypeMessages || c.Type == TypeStrings; {
	case list && d.bareLists:
		return plain
	case c.Nullable:
		return fmt.Sprintf(d.nullable, plain)
	default:
		return fmt.Sprintf(d.required, plain)
	}
}

func (d *sqlDialect) plainType(t Type) string {
	if t == TypeMessages {
		if d.message == "" {
			return d.messages
		}
		members := make([]string, len(MessageColumns))
		for i, c := range MessageColumns {
			members[i] = fmt.Sprintf(d.member, c.Name, d.plainType(c.Type))
		}
		return fmt.Sprintf(d.messages, fmt.Sprintf(d.message, strings.Join(members, ", ")))
	}
	text, ok := d.types[t]
	if !ok {
		panic(noDescription(t))
	}
	if t == TypeDecimal {
		return fmt.Sprintf(text, DecimalPrecision, DecimalScale)
	}
	return text
}
