package flatten

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestInspectTotals(t *testing.T) {
	tests := []struct {
		answer       string
		items, leads string
	}{
		{`{}`, "none", "none"},
		{`{"totalItems":3,"totalLeads":0}`, "3", "0"},
		{`{"totalItems":3.0,"totalLeads":1e2}`, "3", "100"},
		{`{"totalItems":"3","totalLeads":null}`, "none", "none"},
		{`{"totalItems":2.5,"totalLeads":-1}`, "none", "none"},
		{`{"totalItems":9223372036854775808,"totalLeads":[]}`, "none", "none"},
		{`{"totalItems":1,"totalItems":2}`, "1", "none"},
		{`{"classifiedLeads":[],"total\u0049tems":4}`, "4", "none"},
	}
	for _, tt := range tests {
		got, err := Inspect(strings.NewReader(tt.answer))
		if err != nil {
			t.Errorf("%s: %v", tt.answer, err)
			continue
		}
		if items, leads := show(got.TotalItems), show(got.TotalLeads); items != tt.items || leads != tt.leads {
			t.Errorf("%s: totals are %s and %s, want %s and %s", tt.answer, items, leads, tt.items, tt.leads)
		}
	}
}

func show(n *int) string {
	if n == nil {
		return "none"
	}
	return fmt.Sprint(*n)
}

// TestNotAnAnswer: what Inspect and Page refuse, and how.
func TestNotAnAnswer(t *testing.T) {
	const whole = `{"totalLeads":1,"classifiedLeads":[{"itemId":"1","responses":[{"userId":"a\u00e4","leadFee":{"amount":{"value":-12.5e1}}}]}]}`
	tests := map[string]string{
		"empty":                "",
		"white space":          " \n",
		"HTML":                 "<html><body>502 Bad Gateway</body></html>",
		"plain text":           "upstream error",
		"byte order mark":      "\ufeff{}",
		"an array":             `[{"classifiedLeads":[]}]`,
		"text":                 `"{}"`,
		"a number":             `17`,
		"null":                 `null`,
		"more behind":          whole + `x`,
		"a second answer":      whole + whole,
		"a bracket more":       whole + `}`,
		"a comma more":         `{"totalLeads":1,}`,
		"no comma":             `{"a":1 "b":2}`,
		"no colon":             `{"a" 1}`,
		"single quotes":        `{'a':1}`,
		"name without quotes":  `{a:1}`,
		"comment":              `{/* */}`,
		"number: leading zero": `{"a":01}`,
		"number: plus":         `{"a":+1}`,
		"number: bare point":   `{"a":1.}`,
		"NaN":                  `{"a":NaN}`,
		"control in text":      "{\"a\":\"\n\"}",
		"bad escape":           `{"a":"\x41"}`,
		"bad lead":             `{"classifiedLeads":[{"responses":[{"a":tru}]}]}`,
		"wrong bracket":        `{"classifiedLeads":[{"responses":[}]}`,
		"zero byte behind":     "{}\x00",
	}
	for at := range whole {
		tests[fmt.Sprintf("cut at %d", at)] = whole[:at]
	}
	for name, answer := range tests {
		for reading, reader := range map[string]io.Reader{
			"at once": strings.NewReader(answer), "by bytes": iotest.OneByteReader(strings.NewReader(answer)),
		} {
			inspection, err := Inspect(reader)
			if _, ok := errors.AsType[*CorruptError](err); !ok {
				t.Errorf("%s, %s: Inspect = %v, want a *CorruptError", name, reading, err)
			}
			if strings.HasPrefix(name, "cut") && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s, %s: Inspect = %v, want unexpected EOF", name, reading, err)
			}
			if !reflect.ValueOf(inspection).IsZero() {
				t.Errorf("%s, %s: Inspect returns something beside its error", name, reading)
			}
		}
		_, err := flattener.Page(page(t, answer), always)
		if _, ok := errors.AsType[*CorruptError](err); !ok {
			t.Errorf("%s: Page = %v, want a *CorruptError", name, err)
		}
	}
	if _, err := Inspect(strings.NewReader(whole + " \r\n\t")); err != nil {
		t.Errorf("white space behind: %v", err)
	}
}

// TestErrorsQuoteNothing: an error holds no text of the answer.
func TestErrorsQuoteNothing(t *testing.T) {
	answer := leadAnswer(`{"userId":"secret","secret-name":{"secret":"secret" "x"}}`)
	_, err := Inspect(strings.NewReader(answer))
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error = %v", err)
	}
}

// TestInspectReader: the errors of a reader are its own, not the answer's.
func TestInspectReader(t *testing.T) {
	broken := errors.New("connection reset")
	for _, before := range []string{"", `{"classifiedLeads":[{"resp`, `{}`} {
		_, err := Inspect(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)))
		if _, corrupt := errors.AsType[*CorruptError](err); corrupt || !errors.Is(err, broken) {
			t.Errorf("behind %q: Inspect = %v, want the reader's error", before, err)
		}
	}
}

func TestPageBody(t *testing.T) {
	whole := zip(t, leadAnswer(`{"userId":"a"}`))
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)-5]++ // in the checksum
	for name, body := range map[string][]byte{
		"none":              nil,
		"not gzip":          []byte(`{"classifiedLeads":[]}`),
		"cut in the header": whole[:5],
		"cut":               whole[:len(whole)-10],
		"cut in the end":    whole[:len(whole)-1],
		"wrong checksum":    flipped,
		"garbage behind":    append(append([]byte(nil), whole...), "garbage"...),
	} {
		p := page(t, "{}")
		p.Body = body
		_, err := flattener.Page(p, always)
		if _, ok := errors.AsType[*CorruptError](err); !ok {
			t.Errorf("%s: Page = %v, want a *CorruptError", name, err)
		}
	}
}

func TestMessages(t *testing.T) {
	long := strings.Repeat("ä", maxMessageText)
	tests := []struct {
		name, answer string
		want         []APIMessage
	}{
		{"id as text", `{"errors":[{"errorId":"350000"}]}`, []APIMessage{{ID: 350000}}},
		{"id of another kind", `{"errors":[{"errorId":[1]},{"errorId":1.5},{"errorId":"x"}]}`, []APIMessage{{}, {}, {}}},
		{"not in a list", `{"errors":{"errorId":1}}`, []APIMessage{{ID: 1}}},
		{"text", `{"errors":["down",7,null]}`, []APIMessage{{Message: "down"}}},
		{"null", `{"errors":null}`, nil},
		{"two lists", `{"errors":[{"errorId":1}],"errors":[{"errorId":2}]}`, []APIMessage{{ID: 1}, {ID: 2}}},
		{"of other kinds", `{"errors":[{"message":{"a":1},"domain":5,"category":null,"parameters":[7,{"name":"n","value":[1]}],"inputRefIds":"x"}]}`,
			[]APIMessage{{Message: `{"a":1}`, Domain: "5", InputRefIDs: []string{"x"}, Parameters: []Parameter{{Name: "n", Value: "[1]"}}}}},
		{"controls", `{"errors":[{"message":"a\r\nb\u001b[31m\u202e\u0000","longMessage":"\ud800"}]}`,
			[]APIMessage{{Message: "a  b [31m  ", LongMessage: `"\ud800"`}}},
		{"invalid UTF-8", "{\"errors\":[{\"message\":\"a\xffb\"}]}", []APIMessage{{Message: "\"a\uFFFDb\""}}},
		{"long", `{"errors":[{"message":"` + long + `"}]}`, []APIMessage{{Message: strings.Repeat("ä", 510) + "…"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Inspect(strings.NewReader(tt.answer))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Errors, tt.want) {
				t.Errorf("errors = %+v, want %+v", got.Errors, tt.want)
			}
		})
	}

	many := `{"warnings":[` + strings.Repeat(`{"parameters":[`+strings.Repeat(`{},`, 99)+`{}]},`, 999) + `{}]}`
	got, err := Inspect(strings.NewReader(many))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Warnings) != maxMessages || len(got.Warnings[0].Parameters) != maxParameters {
		t.Errorf("kept %d warnings with %d parameters", len(got.Warnings), len(got.Warnings[0].Parameters))
	}
}

// assertShown checks that a message can be shown as it is.
func assertShown(t *testing.T, text string) {
	t.Helper()
	if len(text) > maxMessageText || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00\x1b") {
		t.Errorf("a message is not fit to be shown: %q", text)
	}
}

// TestInspectMemory: what Inspect needs does not grow with the answer.
func TestInspectMemory(t *testing.T) {
	lead := `{"submittedTime":"2026-09-01T10:00:00Z","additionalInformation":"` + strings.Repeat("x", 1000) + `"},`
	const leads = 40_000
	var peak uint64
	body := io.MultiReader(strings.NewReader(`{"classifiedLeads":[{"responses":[`),
		&repeater{text: lead, times: leads, each: func(i int) {
			if i%1000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
		}}, strings.NewReader(`{}]}]}`))
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	inspection, err := Inspect(body)
	if err != nil {
		t.Fatal(err)
	}
	if inspection.Leads != leads+1 || inspection.Undated != 1 {
		t.Errorf("counted %d leads, %d undated", inspection.Leads, inspection.Undated)
	}
	const limit = 16 << 20 // of an answer of 43 MB; what is above zero is garbage
	if peak > before.HeapAlloc+limit {
		t.Errorf("the heap grew by %d bytes", peak-before.HeapAlloc)
	}
}

// repeater reads as a text that repeats.
type repeater struct {
	text  string
	times int
	each  func(i int)
	rest  string
}

func (r *repeater) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.times == 0 {
			return 0, io.EOF
		}
		r.each(r.times)
		r.times--
		r.rest = r.text
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
