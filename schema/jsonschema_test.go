package schema

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// compiledSchema is the JSON Schema as a validator takes it, with formats and
// content checked. Compiling holds it against the meta-schema.
func compiledSchema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	// The validator's own check of JSON wants numbers to be float64.
	c.RegisterContentMediaType(&jsonschema.MediaType{Name: "application/json", Validate: func(text []byte) error {
		_, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		return err
	}})
	if err := c.AddResource("lead_event", document); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("lead_event")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func validate(s *jsonschema.Schema, line []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// Every row that can be written is valid.
func TestJSONSchemaAcceptsRows(t *testing.T) {
	s := compiledSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		line, err := AppendJSON(nil, rows().Draw(t, "row"))
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(s, line); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	})
	for _, v := range vectors(t) {
		if err := validate(s, v.Row); err != nil {
			t.Errorf("%s: %v", v.About, err)
		}
	}
}

// What is no row is not valid.
func TestJSONSchemaRefuses(t *testing.T) {
	s := compiledSchema(t)
	line, err := AppendJSON(nil, sampleRow(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new string }{
		{"unknown member", `"phone"`, `"fax"`},
		{"null", `"first_name":"Ada"`, `"first_name":null`},
		{"number for text", `"first_name":"Ada"`, `"first_name":7`},
		{"text for a number", `"message_count":2`, `"message_count":"2"`},
		{"fraction", `"message_count":2`, `"message_count":2.5`},
		{"too large", `"message_count":2`, `"message_count":2147483648`},
		{"text for bool", `"financing_answer":false`, `"financing_answer":"no"`},
		{"missing column", `"account":"demo",`, ``},
		{"event type", `"event_type":"snapshot"`, `"event_type":"deleted"`},
		{"event id", `"event_id":"`, `"event_id":"x`},
		{"content hash", `"content_hash":"`, `"content_hash":"A`},
		{"amount", `"fee_amount":"12.50"`, `"fee_amount":"12,50"`},
		{"number for an amount", `"fee_amount":"12.50"`, `"fee_amount":12.50`},
		{"time without milliseconds", `"extracted_at":"2026-09-03T10:00:00.000Z"`, `"extracted_at":"2026-09-03T10:00:00Z"`},
		{"no such day", `"extracted_at":"2026-09-03T10:00:00.000Z"`, `"extracted_at":"2026-02-30T10:00:00.000Z"`},
		{"message's member", `"question"`, `"answer"`},
		{"message's id", `"message_id":7001`, `"message_id":"7001"`},
		{"message's id too large", `"message_id":7001`, `"message_id":9223372036854775808`},
		{"messages that are text", `"messages":[{`, `"messages":["",{`},
		{"extra that is no JSON", `"extra":"{`, `"extra":"{{`},
		{"extra as an object", `"extra":"{\"leadScore\":7,\"contactInformation.title\":\"Dr\"}"`, `"extra":{}`},
	} {
		if !strings.Contains(string(line), test.old) {
			t.Fatalf("%s: %s is not in %s", test.name, test.old, line)
		}
		wrong := strings.Replace(string(line), test.old, test.new, 1)
		if err := validate(s, []byte(wrong)); err == nil {
			t.Errorf("%s: valid: %s", test.name, wrong)
		}
	}
}

func TestJSONSchemaMarksPersonal(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	properties := document.(map[string]any)["properties"].(map[string]any)
	for _, c := range Columns {
		property := properties[c.Name].(map[string]any)
		if marked := property["x-personal"] == true; marked != c.Personal {
			t.Errorf("column %s is marked %v", c.Name, marked)
		}
		if path, _ := property["x-path"].(string); path != c.Path {
			t.Errorf("column %s comes from %q, not %q", c.Name, path, c.Path)
		}
	}
}
