package schema

// Type is a column's logical type; each output format maps it to its own.
type Type uint8

// The logical types of columns.
const (
	// TypeString is text.
	TypeString Type = iota
	// TypeInt32 is a 32-bit integer.
	TypeInt32
	// TypeBool is three-valued where the column is nullable.
	TypeBool
	// TypeTimestamp is an instant: RFC 3339 with milliseconds and Z in JSON,
	// microseconds since the epoch, UTC, in typed formats.
	TypeTimestamp
	// TypeDecimal is an amount: the text as sent in JSON, DECIMAL(18,4) in typed
	// formats.
	TypeDecimal
	// TypeMessages is a list of Message.
	TypeMessages
	// TypeStrings is a list of text.
	TypeStrings
	// TypeJSON is text that is a JSON object.
	TypeJSON
	// TypeInt64 is a 64-bit integer, of messages only.
	TypeInt64
)

// Column describes one column of the event row.
type Column struct {
	// Name is the column's name in every output.
	Name string
	// Type is the logical type.
	Type Type
	// Nullable says whether the column can be null.
	Nullable bool
	// Path is where the value comes from in the API's answer, as a dotted path
	// whose first part is an API type of the reference; empty for columns that
	// this project adds. Paths with "[]" pass through arrays.
	Path string
	// Personal marks data about a person: it is masked where rows are shown,
	// and kept out of file statistics.
	Personal bool
	// Pattern is a regular expression (the part common to ECMA-262 and RE2) that
	// all values of a text column match; empty if any text may stand there.
	Pattern string
	// Doc is one sentence for people, used by all schema descriptions.
	Doc string
	// Field returns a pointer to the column's field of r. Its dynamic type is
	// one of *string, *EventType, *int32, *time.Time and *Opt of string, int32,
	// bool, time.Time, Decimal, []Message and []string. A pointer in an
	// interface does not allocate, so that encoders can walk the table with one
	// type switch.
	Field func(r *Row) any
}

// FromAPI reports whether the column's value is the API's own, and so part of
// the content hash. message_count is derived from messages, extra collects what
// has no column: both carry API content too.
func (c Column) FromAPI() bool { return c.Path != "" }

// MessageColumn describes one member of a message. All are nullable, and
// personal as the column of messages is.
type MessageColumn struct {
	// Name is the member's name in every output.
	Name string
	// Type is the logical type: TypeInt64, TypeTimestamp or TypeString.
	Type Type
	// Path is where the value comes from, as in Column.
	Path string
	// Doc is one sentence for people.
	Doc string
	// Field returns a pointer to the member's field of m: *Opt of int64,
	// time.Time or string.
	Field func(m *Message) any
}

// What the text of some columns looks like.
const (
	uuidPattern = "^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
	hashPattern = "^[0-9a-f]{64}$"
)
