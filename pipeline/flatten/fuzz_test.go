package flatten

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/leads-etl/leads-etl/schema"
)

// seeds are the answers in testdata, and those that hardly any file has.
func seeds(f *testing.F) []string {
	f.Helper()
	files, err := filepath.Glob("../../testdata/answers/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	list := []string{
		"", `{}`, `[]`, `null`, `{"classifiedLeads":{}}`, `{"classifiedLeads":null}`,
		leadAnswer("{\"userId\":\"\xff\",\"\xff\":1,\"a\":\"\\ud800\"}"),
		leadAnswer(`{"email":1,"email":2,"email#2":3}`),
		leadAnswer(`{"submittedTime":"soon","submittedTime":"2026-09-01T10:00:00Z"}`),
		leadAnswer(`{"a":` + nested(maxDepth+1) + `}`),
		leadAnswer(`{"a":` + nested(10_001) + `},{}`),
		`{"classifiedLeads":[{"responses":[{}],"x":` + nested(10_001) + `}]`,
		"{\"errors\":[{\"errorId\":1e3,\"message\":\"\\u0000\xff\",\"parameters\":[{\"name\":1}]}]}",
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, string(data))
	}
	return list
}

// FuzzPage: whatever the answer, Page and Inspect agree on whether it is one and
// what it holds, and rows keep their invariants.
func FuzzPage(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		p := page(t, answer)
		result, err := flattener.Page(p, always)
		if _, inspectErr := Inspect(strings.NewReader(answer)); (err == nil) != (inspectErr == nil) {
			t.Fatalf("Page: %v, Inspect: %v", err, inspectErr)
		}
		if err != nil {
			if _, ok := errors.AsType[*CorruptError](err); !ok {
				t.Fatalf("Page: %v, want a *CorruptError", err)
			}
			return
		}
		assertInspected(t, answer, result)
		ids := make(map[string]bool)
		for _, r := range slices.Concat(result.Rows, result.Undated) {
			assertRow(t, &r)
			if ids[r.LeadID] {
				t.Errorf("two rows have the lead id %s", r.LeadID)
			}
			ids[r.LeadID] = true
		}
		for _, r := range result.Rows {
			if !r.SubmittedTime.Valid {
				t.Error("a dated row has no time")
			}
		}
		for _, r := range result.Undated {
			if r.SubmittedTime.Valid {
				t.Error("an undated row has a time")
			}
		}
		for _, d := range result.Dead {
			if !strings.Contains(answer, string(d.Raw)) {
				t.Error("a dead letter is not as received")
			}
		}
		if again, err := flattener.Page(p, always); err != nil || !reflect.DeepEqual(again, result) {
			t.Errorf("Page gives something else the second time: %v", err)
		}
	})
}

// assertRow checks the invariants of schema.Row.
func assertRow(t *testing.T, r *schema.Row) {
	t.Helper()
	encode(t, r) // fails on strings that are not UTF-8
	times := []schema.Opt[time.Time]{r.SubmittedTime}
	for _, m := range r.Messages.Value {
		times = append(times, m.CreatedAt)
	}
	for _, at := range times {
		if at.Valid && (at.Value.Location() != time.UTC || at.Value.Nanosecond()%int(time.Millisecond) != 0 || at.Value.Year() < 1 || at.Value.Year() > 9999) {
			t.Errorf("a column holds the time %v", at.Value)
		}
	}
	if extra := jsontext.Value(r.Extra.Value); r.Extra.Valid {
		compact := slices.Clone(extra)
		if !extra.IsValid() || extra.Kind() != '{' || len(extra) < len(`{"":0}`) {
			t.Errorf("extra is no strict JSON object: %s", extra)
		} else if err := compact.Compact(); err != nil || !bytes.Equal(compact, extra) {
			t.Errorf("extra is not compact: %s", extra)
		}
	}
	if r.EventID == "" || r.LeadID == "" || r.ContentHash == "" || r.EventType != schema.Snapshot || r.SchemaVersion != schema.Version {
		t.Error("the row is not complete")
	}
}

// FuzzInspect: Inspect takes exactly what is a JSON object and nothing more,
// however it arrives.
func FuzzInspect(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		got, err := Inspect(strings.NewReader(answer))
		byBytes, errByBytes := Inspect(iotest.OneByteReader(strings.NewReader(answer)))
		if !reflect.DeepEqual(got, byBytes) || (err == nil) != (errByBytes == nil) {
			t.Fatalf("read byte by byte it is another: %+v, %v and %+v, %v", got, err, byBytes, errByBytes)
		}
		value := jsontext.Value(answer)
		valid := value.IsValid(lenient...) && value.Kind() == '{'
		switch {
		case valid && err != nil:
			t.Fatalf("refused: %v", err)
		case !valid && err == nil && nesting(value) <= maxDepth:
			t.Fatal("taken")
		case err != nil && !utf8.ValidString(err.Error()):
			t.Fatalf("the error is not valid text: %q", err)
		}
		for _, m := range slices.Concat(got.Errors, got.Warnings) {
			for _, text := range []string{m.Domain, m.SubDomain, m.Category, m.Message, m.LongMessage} {
				assertShown(t, text)
			}
			for _, p := range m.Parameters {
				assertShown(t, p.Name)
				assertShown(t, p.Value)
			}
		}
	})
}

var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// nesting returns how deep objects and arrays nest in a piece of JSON text that
// begins outside of strings.
func nesting(text []byte) int {
	var scan nestingScan
	deepest := 0
	for _, c := range text {
		scan.next(c)
		deepest = max(deepest, scan.depth)
	}
	return deepest
}

// FuzzBody: a body that is not the gzip of an answer is an error and nothing
// worse.
func FuzzBody(f *testing.F) {
	whole := zip(f, leadAnswer(`{"userId":"a"}`))
	f.Add(whole)
	f.Add(whole[:len(whole)-4])
	f.Add(append(slices.Clone(whole), whole...))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := page(t, "{}")
		p.Body = body
		if _, err := flattener.Page(p, always); err != nil {
			if _, ok := errors.AsType[*CorruptError](err); !ok {
				t.Fatalf("Page: %v, want a *CorruptError", err)
			}
		}
	})
}
