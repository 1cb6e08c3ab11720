package flatten_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/flatten/internal/twin"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// pieces are parts of answers that a fuzzer hardly finds by itself.
var pieces = []string{
	``, `{}`, `[]`, `null`, `-`, `{"classifiedLeads":{}}`, `{"classifiedLeads":null,"classifiedLeads":[null,{}]}`,
	"{\"userId\":\"\xff\",\"\xff\":1,\"a\":\"\\ud800\"}", `{"a":"\ud83d\ude00\u00e4\/\b\f\n\r\t\"\\"}`, `{"a":"\ud800\u0041"}`, `{"a":"\ud800\ud800"}`,
	`{"email":1,"email":2,"email#2":3,"e\u006dail":4}`, `{"submittedTime":"soon","submittedTime":"2026-09-01T10:00:00Z"}`,
	`{"submittedTime":"2026-09-01T10:00:00.123456Z","financingAnswer":truex}`, `{"financingAnswer":false,"tradeInYear":2009}`,
	`{"leadFee":{"amount":{"value":-0.50,"currency":"EUR","x":[1,{}]},"description":null}}`, `{"a":-01}`, `{"a":1.e1}`, `{"a":1e}`, `{"a":1E+400}`,
	`{"memberMessage":{"memberMessageExchange":[{"question":{"messageID":1e3,"body":"\u0000"}},7,null,[]]}}`, `{"$base64":1}`, `{"x":{"\u0024base64":1}}`,
	"{\"a\":\"\x1f\"}", "{\"a\":\"\x7f\u2028\"}", `{"a":1,}`, `{"a":[1,]}`, `{"a":{"b":1,}}`, `{"a" :1}`, `{,}`, `{"a":1 "b":2}`, `[1 2]`, `{"a":nul}`, `{"a":"\x"}`, `{"a":"\u12g4"}`,
}

// seeds are whole answers.
func seeds(f *testing.F) (answers []string) {
	f.Helper()
	files, err := filepath.Glob("../../testdata/answers/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		answers = append(answers, string(data))
	}
	for _, depth := range []int{498, 499, 500, 501, 9_990, 9_999, 10_001} {
		pieces = append(pieces, `{"a":`+strings.Repeat("[", depth)+strings.Repeat("]", depth)+`}`,
			`{"a":`+strings.Repeat(`{"b":`, depth)+`tru`+strings.Repeat("}", depth)+`}`, strings.Repeat("[", depth))
	}
	for _, p := range pieces {
		answers = append(answers, p, `{"classifiedLeads":[{"itemId":"1","responses":[`+p+`,{}],"x":2}]}`,
			`{"classifiedLeads":[`+p+`,{"responses":[{}]}]}`, `{"classifiedLeads":`+p+`,"totalLeads":1}`,
			`{"x":`+p+` , "errors":[`+p+`,{"message":"m","errorId":"7"}]}`, `{"classifiedLeads":[{"responses":`+p+`}]}`)
	}
	return answers
}

// FuzzTwin: the parser of this package takes and refuses the same answers as its
// twin, which goes by a library's decoder, and makes the same of them.
func FuzzTwin(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed, uint16(0), uint16(60))
	}
	f.Fuzz(func(t *testing.T, answer string, from, minutes uint16) {
		assertTwins(t, answer, from, minutes)
	})
}

func assertTwins(t *testing.T, answer string, from, minutes uint16) {
	t.Helper()
	begin := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	asked := window.New(begin, begin.AddDate(0, 1, 0))
	for name, inspect := range map[string]func() (flatten.Inspection, error){
		"at once": func() (flatten.Inspection, error) {
			return flatten.Inspector{Asked: asked}.Inspect(strings.NewReader(answer))
		},
		"by bytes": func() (flatten.Inspection, error) {
			return flatten.Inspector{Asked: asked}.Inspect(iotest.OneByteReader(strings.NewReader(answer)))
		},
		"by halves": func() (flatten.Inspection, error) {
			return flatten.Inspector{Asked: asked}.Inspect(iotest.DataErrReader(iotest.HalfReader(strings.NewReader(answer))))
		},
	} {
		got, err := inspect()
		want, wantErr := twin.Inspect(flatten.Inspector{Asked: asked}, strings.NewReader(answer))
		assertSameError(t, name, err, wantErr)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("Inspect, %s: got %+v, the twin %+v", name, got, want)
		}
	}

	var body bytes.Buffer
	zipper := gzip.NewWriter(&body)
	_, _ = zipper.Write([]byte(answer))
	_ = zipper.Close()
	page := &journal.Page{Window: asked, Received: begin, Leads: 3, Body: body.Bytes()}
	flattener := flatten.Flattener{Account: "motors", Marketplace: "EBAY_DE"}
	start := begin.Add(time.Duration(from) * time.Minute)
	for _, within := range []window.Window{asked, window.New(start, start.Add(time.Duration(minutes)*time.Minute)), {}} {
		got, err := flattener.Page(page, within)
		want, wantErr := twin.Page(flattener, page, within)
		assertSameError(t, within.String(), err, wantErr)
		assertSameResult(t, "Page, "+within.String(), got, want)
		cut, err := flattener.Cut(page, 90*time.Minute)
		assertSameError(t, "Cut", err, wantErr)
		if err == nil {
			got, err := cut.Page(within)
			if err != nil {
				t.Fatal(err)
			}
			assertSameResult(t, "Cut, "+within.String(), got, want)
		}
		all, err := flattener.Page(page, asked)
		if err == nil {
			assertSameResult(t, "Within, "+within.String(), all.Within(within), want)
		}
	}
}

func assertSameResult(t *testing.T, what string, got, want flatten.Result) {
	t.Helper()
	for name, same := range map[string]bool{
		// How no rows are allocated is of no concern.
		"rows":    len(got.Rows) == 0 && len(want.Rows) == 0 || reflect.DeepEqual(got.Rows, want.Rows),
		"undated": reflect.DeepEqual(got.Undated, want.Undated),
		"dead":    reflect.DeepEqual(got.Dead, want.Dead),
		"misfits": got.Unfit == want.Unfit && got.UnfitUndated == want.UnfitUndated,
	} {
		if !same {
			t.Fatalf("%s: other %s: got\n%+v\nthe twin\n%+v", what, name, got, want)
		}
	}
}

// assertSameError asserts that both took the answer, or refused it for the same
// reason as far as the callers can tell.
func assertSameError(t *testing.T, what string, got, want error) {
	t.Helper()
	_, corrupt := errors.AsType[*flatten.CorruptError](got)
	_, wantCorrupt := errors.AsType[*flatten.CorruptError](want)
	if (got == nil) != (want == nil) || corrupt != wantCorrupt {
		t.Fatalf("%s: got the error %v, the twin %v", what, got, want)
	}
}
