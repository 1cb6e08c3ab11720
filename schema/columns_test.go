package schema

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The table, the row and the names go together: every field of Row has exactly
// one column, at the same place, with its name and its type.
func TestColumnsAreTheRow(t *testing.T) {
	row := reflect.TypeFor[Row]()
	if row.NumField() != len(Columns) {
		t.Fatalf("Row has %d fields, the table %d columns", row.NumField(), len(Columns))
	}
	r := new(Row)
	value := reflect.ValueOf(r).Elem()
	for i, c := range Columns {
		field := row.Field(i)
		if want := snakeCase(field.Name); c.Name != want {
			t.Errorf("column %d is %q, but its field %s would be %q", i, c.Name, field.Name, want)
		}
		if c.Field(r) != value.Field(i).Addr().Interface() {
			t.Errorf("column %s does not point to its field %s", c.Name, field.Name)
		}
		nullable, ok := goTypes[c.Type][field.Type]
		if !ok {
			t.Errorf("column %s: a field of %v cannot be of logical type %d", c.Name, field.Type, c.Type)
		} else if nullable != c.Nullable {
			t.Errorf("column %s: nullable %v, but its field is a %v", c.Name, c.Nullable, field.Type)
		}
		checkDoc(t, c.Name, c.Doc)
		if c.Pattern != "" && c.Type != TypeString {
			t.Errorf("column %s: a pattern is for text", c.Name)
		}
	}
}

func TestMessageColumnsAreTheMessage(t *testing.T) {
	message := reflect.TypeFor[Message]()
	if message.NumField() != len(MessageColumns) {
		t.Fatalf("Message has %d fields, the table %d columns", message.NumField(), len(MessageColumns))
	}
	m := new(Message)
	value := reflect.ValueOf(m).Elem()
	for i, c := range MessageColumns {
		field := message.Field(i)
		if want := snakeCase(field.Name); c.Name != want {
			t.Errorf("column %d is %q, but its field %s would be %q", i, c.Name, field.Name, want)
		}
		if c.Field(m) != value.Field(i).Addr().Interface() {
			t.Errorf("column %s does not point to its field %s", c.Name, field.Name)
		}
		if nullable, ok := goTypes[c.Type][field.Type]; !ok || !nullable {
			t.Errorf("column %s: a field of %v cannot be of logical type %d", c.Name, field.Type, c.Type)
		}
		checkDoc(t, c.Name, c.Doc)
	}
}

// goTypes are the fields' types that a logical type may have, and whether such
// a field can be null.
var goTypes = map[Type]map[reflect.Type]bool{
	TypeString: {
		reflect.TypeFor[string]():      false,
		reflect.TypeFor[EventType]():   false,
		reflect.TypeFor[Opt[string]](): true,
	},
	TypeInt32:     {reflect.TypeFor[int32](): false, reflect.TypeFor[Opt[int32]](): true},
	TypeInt64:     {reflect.TypeFor[Opt[int64]](): true},
	TypeBool:      {reflect.TypeFor[Opt[bool]](): true},
	TypeTimestamp: {reflect.TypeFor[time.Time](): false, reflect.TypeFor[Opt[time.Time]](): true},
	TypeDecimal:   {reflect.TypeFor[Opt[Decimal]](): true},
	TypeMessages:  {reflect.TypeFor[Opt[[]Message]](): true},
	TypeStrings:   {reflect.TypeFor[Opt[[]string]](): true},
	TypeJSON:      {reflect.TypeFor[Opt[string]](): true},
}

// What has no path is ours, and what is ours is not personal: a person is only
// in what the API said.
func TestColumnsOfTheAPI(t *testing.T) {
	ours := map[string]bool{
		"event_id": true, "event_type": true, "lead_id": true, "lead_version": true, "account": true, "marketplace_id": true,
		"changed_fields": true, "content_hash": true, "extracted_at": true, "schema_version": true,
	}
	for _, c := range Columns {
		if c.FromAPI() == ours[c.Name] {
			t.Errorf("column %s: from the API %v", c.Name, c.FromAPI())
		}
		if c.Personal && !c.FromAPI() {
			t.Errorf("column %s is personal, but not the API's", c.Name)
		}
	}
}

// checkDoc wants one sentence that can stand in a quoted SQL or JSON string as
// it is.
func checkDoc(t *testing.T, name, doc string) {
	t.Helper()
	if !strings.HasSuffix(doc, ".") || strings.ContainsAny(doc, "\"\\\n`$") {
		t.Errorf("column %s: %q is not a plain sentence", name, doc)
	}
}

var (
	wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// snakeCase is the column's name of a Go field: CreatedAt is created_at, and
// ItemID is item_id.
func snakeCase(field string) string {
	return strings.ToLower(wordStart.ReplaceAllString(field, "${1}_${2}"))
}
