package schema

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is written is what is read.
func TestParseJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rows().Draw(t, "row")
		line, err := AppendJSON(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseJSON(line)
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if !reflect.DeepEqual(&got, want) {
			t.Fatalf("got\n%+v, want\n%+v", got, *want)
		}
	})
}

// The row does not change with the line that it was read from.
func TestParseJSONCopies(t *testing.T) {
	want := sampleRow(t)
	line, err := AppendJSON(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseJSON(line)
	if err != nil {
		t.Fatal(err)
	}
	clear(line)
	if !reflect.DeepEqual(&got, want) {
		t.Error("the row shares memory with the line")
	}
}

func TestParseJSONRefuses(t *testing.T) {
	line, err := AppendJSON(nil, sampleRow(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new, err string }{
		{"unknown member", `"phone"`, `"fax"`, "not a column"},
		{"name twice", `"item_id":`, `"account":"demo","item_id":`, "occurs twice"},
		{"null", `"first_name":"Ada"`, `"first_name":null`, "column first_name"},
		{"number for text", `"first_name":"Ada"`, `"first_name":7`, "column first_name"},
		{"text for a number", `"message_count":2`, `"message_count":"2"`, "column message_count"},
		{"fraction", `"message_count":2`, `"message_count":2.0`, "not an integer of 32 bits"},
		{"minus zero", `"message_count":2`, `"message_count":-0`, "column message_count"},
		{"too large", `"message_count":2`, `"message_count":2147483648`, "not an integer of 32 bits"},
		{"too large id", `"message_id":7001`, `"message_id":9223372036854775808`, "not an integer of 64 bits"},
		{"text for bool", `"financing_answer":false`, `"financing_answer":"no"`, "column financing_answer"},
		{"missing column", `"account":"demo",`, ``, "column account is missing"},
		{"event type", `"event_type":"snapshot"`, `"event_type":"deleted"`, "not an event type"},
		{"amount", `"fee_amount":"12.50"`, `"fee_amount":"12,50"`, "column fee_amount"},
		{"time without milliseconds", `"extracted_at":"2026-09-03T10:00:00.000Z"`, `"extracted_at":"2026-09-03T10:00:00Z"`, "column extracted_at"},
		{"time with a comma", `"extracted_at":"2026-09-03T10:00:00.000Z"`, `"extracted_at":"2026-09-03T10:00:00,000Z"`, "column extracted_at"},
		{"time of a zone", `"extracted_at":"2026-09-03T10:00:00.000Z"`, `"extracted_at":"2026-09-03T10:00:00.000+02:00"`, "column extracted_at"},
		{"no such day", `"extracted_at":"2026-09-03T10:00:00.000Z"`, `"extracted_at":"2026-02-30T10:00:00.000Z"`, "column extracted_at"},
		{"message's member", `"question"`, `"answer"`, "column messages"},
		{"message's time", `"created_at":"2026-09-01T10:00:00.000Z"`, `"created_at":""`, "column messages"},
		{"messages that are text", `"messages":[{`, `"messages":["",{`, "column messages"},
		{"extra that is no object", `"extra":"{`, `"extra":"[{`, "column extra"},
		{"extra as an object", `"extra":"{\"leadScore\":7,\"contactInformation.title\":\"Dr\"}"`, `"extra":{}`, "column extra"},
		{"syntax", `"account":`, `"account"`, "not JSON"},
		{"invalid UTF-8", `"Ada"`, "\"\xff\"", "not JSON"},
		{"a second value", "}\n", "}{}", "more follows"},
		{"an end too early", `Dr\"}"}`, ``, "ends within the row"},
		{"an end too early between", `,"extra":"{\"leadScore\":7,\"contactInformation.title\":\"Dr\"}"}`, ``, "ends within the row"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := string(line) + "\n"
			if !strings.Contains(text, test.old) {
				t.Fatalf("%s is not in %s", test.old, text)
			}
			text = strings.TrimSuffix(strings.Replace(text, test.old, test.new, 1), "\n")
			r, err := ParseJSON([]byte(text))
			if err == nil {
				t.Fatalf("read as %+v", r)
			}
			if !strings.Contains(err.Error(), test.err) {
				t.Errorf("the error is %q, not %q", err, test.err)
			}
			if strings.Contains(err.Error(), "Ada") || strings.Contains(err.Error(), "fax") || strings.Contains(err.Error(), "12,50") {
				t.Errorf("the error repeats what is in the row: %q", err)
			}
		})
	}
	for _, text := range []string{"", " ", "null", "[]", `""`, "{}", "{"} {
		if _, err := ParseJSON([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestParseJSONFreedoms(t *testing.T) {
	r, err := ParseJSON([]byte(` {"schema_version" : 1, "extracted_at":"2026-09-03T10:00:00.000Z", "content_hash":"", "message_count":0, "messages": [ ],
		"marketplace_id":"", "account":"\u0061\/", "lead_id":"", "event_type":"snapshot", "event_id":""} `))
	if err != nil {
		t.Fatal(err)
	}
	if r.Account != "a/" || !r.Messages.Valid || r.SchemaVersion != 1 {
		t.Errorf("read as %+v", r)
	}
}

// FuzzParseJSON: whatever is read can be written, and is then read as the same.
func FuzzParseJSON(f *testing.F) {
	line, err := AppendJSON(nil, sampleRow(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(strings.Replace(string(line), "12.50", "-0.00", 1)))
	f.Add([]byte(strings.Replace(string(line), `,"phone"`, `,"fax"`, 1)))
	f.Add([]byte(`{"event_id":"","event_type":"vanished","lead_id":"","lead_version":2,"account":"","marketplace_id":"","message_count":0,"messages":[{}],"changed_fields":["a"],"content_hash":"","extracted_at":"2026-09-03T10:00:00.000Z","schema_version":1,"extra":"{}"}`))
	f.Add([]byte(`{"message_count":01}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := ParseJSON(line)
		if err != nil {
			return
		}
		written, err := AppendJSON(nil, &r)
		if err != nil {
			t.Fatalf("%q was read, but cannot be written: %v", line, err)
		}
		again, err := ParseJSON(written)
		if err != nil {
			t.Fatalf("%q was written, but cannot be read: %v", written, err)
		}
		if !reflect.DeepEqual(r, again) {
			t.Fatalf("%q was written of\n%+v, and read as\n%+v", written, r, again)
		}
	})
}
