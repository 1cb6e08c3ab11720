package flatten

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
)

// content returns the row's API columns, as JSON has them, item_id and
// message_count aside; extra as its object.
func content(t *testing.T, r *schema.Row) map[string]any {
	t.Helper()
	all := decode(t, encode(t, r))
	for _, c := range schema.Columns {
		if !c.FromAPI() || c.Name == "item_id" || c.Name == "message_count" {
			delete(all, c.Name)
		}
	}
	if extra, ok := all["extra"].(string); ok {
		all["extra"] = decode(t, extra)
	}
	return all
}

func decode(tb testing.TB, object string) map[string]any {
	tb.Helper()
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(object))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		tb.Fatalf("%s: %v", object, err)
	}
	return m
}

// encoded is how extra holds JSON text that strict JSON does not allow.
func encoded(raw string) string {
	return `{"$base64":"` + base64.StdEncoding.EncodeToString([]byte(raw)) + `"}`
}

// TestMisfits: what becomes of one lead, value by value.
func TestMisfits(t *testing.T) {
	const surrogate = `"a\ud800b"`
	const bytes = "\"a\xff\xfeb\""
	tests := []struct {
		name, lead, want string
		unfit            int
	}{
		{"nothing", `{}`, `{}`, 0},
		{"null is absent", `{"userId":null,"financingAnswer":null,"leadFee":{"amount":null},"submittedTime":null,"contactInformation":null}`, `{}`, 0},
		{"empty is not absent", `{"userId":"","leadFee":{"description":""}}`, `{"user_id":"","fee_description":""}`, 0},
		{"escapes", `{"userId":"\u0061\t\"\\\/\ud83d\ude97"}`, `{"user_id":"a\t\"\\/🚗"}`, 0},
		{"an escaped name", `{"user\u0049d":"a"}`, `{"user_id":"a"}`, 0},
		{"names are exact", `{"userid":"a","UserId":"b"}`, `{"extra":{"userid":"a","UserId":"b"}}`, 0},

		{"text: number", `{"userId":12}`, `{"extra":{"userId":12}}`, 1},
		{"text: bool", `{"leadStatus":true}`, `{"extra":{"leadStatus":true}}`, 1},
		{"text: object", `{"email":{"a":[1, 2]}}`, `{"extra":{"email":{"a":[1,2]}}}`, 1},
		{"text: array", `{"externalEmail":[]}`, `{"extra":{"externalEmail":[]}}`, 1},
		{"text: lone surrogate", `{"additionalInformation":` + surrogate + `}`, `{"extra":{"additionalInformation":` + encoded(surrogate) + `}}`, 1},
		{"text: swapped surrogates", `{"userId":"\ude97\ud83d"}`, `{"extra":{"userId":` + encoded(`"\ude97\ud83d"`) + `}}`, 1},
		{"text: invalid UTF-8", `{"tradeInMake":` + bytes + `}`, `{"extra":{"tradeInMake":` + encoded(bytes) + `}}`, 1},
		{"text: invalid UTF-8 with escapes", "{\"tradeInModel\":\"\\n\xff\"}", `{"extra":{"tradeInModel":` + encoded("\"\\n\xff\"") + `}}`, 1},
		{"text: overlong UTF-8", "{\"tradeInModel\":\"\xc0\x80\"}", `{"extra":{"tradeInModel":` + encoded("\"\xc0\x80\"") + `}}`, 1},
		{"text: noncharacters are text", `{"tradeInYear":"\u0000\uffff"}`, `{"trade_in_year":"\u0000\uffff"}`, 0},

		{"bool", `{"financingAnswer":false}`, `{"financing_answer":false}`, 0},
		{"bool: text", `{"financingAnswer":"true"}`, `{"extra":{"financingAnswer":"true"}}`, 1},
		{"bool: number", `{"financingAnswer":1}`, `{"extra":{"financingAnswer":1}}`, 1},

		{"amount: number", `{"leadFee":{"amount":{"value":12.50}}}`, `{"fee_amount":"12.50"}`, 0},
		{"amount: negative", `{"leadFee":{"amount":{"value":"-0.0001"}}}`, `{"fee_amount":"-0.0001"}`, 0},
		{"amount: zeros beyond the scale", `{"leadFee":{"amount":{"value":"1.500000"}}}`, `{"fee_amount":"1.500000"}`, 0},
		{"amount: largest", `{"leadFee":{"amount":{"value":"99999999999999.9999"}}}`, `{"fee_amount":"99999999999999.9999"}`, 0},
		{"amount: too large", `{"leadFee":{"amount":{"value":"100000000000000"}}}`, `{"extra":{"leadFee.amount.value":"100000000000000"}}`, 1},
		{"amount: too fine", `{"leadFee":{"amount":{"convertedFromValue":"0.00001"}}}`, `{"extra":{"leadFee.amount.convertedFromValue":"0.00001"}}`, 1},
		{"amount: exponent", `{"leadFee":{"amount":{"value":1e2}}}`, `{"extra":{"leadFee.amount.value":1e2}}`, 1},
		{"amount: comma", `{"leadFee":{"amount":{"value":"1,5"}}}`, `{"extra":{"leadFee.amount.value":"1,5"}}`, 1},
		{"amount: empty", `{"leadFee":{"amount":{"value":""}}}`, `{"extra":{"leadFee.amount.value":""}}`, 1},
		{"amount: bool", `{"leadFee":{"amount":{"value":false}}}`, `{"extra":{"leadFee.amount.value":false}}`, 1},
		{"amount: surrogate", `{"leadFee":{"amount":{"value":` + surrogate + `}}}`, `{"extra":{"leadFee.amount.value":` + encoded(surrogate) + `}}`, 1},

		{"time: no time", `{"submittedTime":"soon"}`, `{"extra":{"submittedTime":"soon"}}`, 1},
		{"time: number", `{"submittedTime":1788256800}`, `{"extra":{"submittedTime":1788256800}}`, 1},
		{"time: empty", `{"submittedTime":""}`, `{"extra":{"submittedTime":""}}`, 1},
		{"time: year 10000", `{"submittedTime":"9999-12-31T23:59:59-00:01"}`, `{"extra":{"submittedTime":"9999-12-31T23:59:59-00:01"}}`, 1},
		{"time: year 0", `{"submittedTime":"0000-12-31T23:59:59Z"}`, `{"extra":{"submittedTime":"0000-12-31T23:59:59Z"}}`, 1},
		{"time: finer than ms", `{"submittedTime":"2026-09-01T10:00:00.9999Z"}`,
			`{"submitted_time":"2026-09-01T10:00:00.999Z","extra":{"submittedTime":"2026-09-01T10:00:00.9999Z"}}`, 1},
		{"time: finer, but zeros", `{"submittedTime":"2026-09-01T10:00:00.999000000Z"}`, `{"submitted_time":"2026-09-01T10:00:00.999Z"}`, 0},

		{"container: text", `{"contactInformation":"Ana","userId":"a"}`, `{"user_id":"a","extra":{"contactInformation":"Ana"}}`, 1},
		{"container: array", `{"leadFee":[{"description":"x"}]}`, `{"extra":{"leadFee":[{"description":"x"}]}}`, 1},
		{"container: amount", `{"leadFee":{"amount":"25 EUR","description":"x"}}`, `{"fee_description":"x","extra":{"leadFee.amount":"25 EUR"}}`, 1},
		{"container: lone surrogate", `{"contactInformation":` + surrogate + `}`, `{"extra":{"contactInformation":` + encoded(surrogate) + `}}`, 1},

		{"messages: absent", `{"memberMessage":{}}`, `{}`, 0},
		{"messages: null", `{"memberMessage":{"memberMessageExchange":null}}`, `{}`, 0},
		{"messages: empty", `{"memberMessage":{"memberMessageExchange":[]}}`, `{"messages":[]}`, 0},
		{"messages: object", `{"memberMessage":{"memberMessageExchange":{}}}`, `{"extra":{"memberMessage.memberMessageExchange":{}}}`, 1},
		{"messages: text", `{"memberMessage":"none"}`, `{"extra":{"memberMessage":"none"}}`, 1},
		{"messages: elements", `{"memberMessage":{"memberMessageExchange":[null,"a",[],{"response":"b"}]}}`,
			`{"messages":[{},{},{},{"response":"b"}],"extra":{"memberMessage.memberMessageExchange[1]":"a","memberMessage.memberMessageExchange[2]":[]}}`, 2},
		{"messages: members", `{"memberMessage":{"memberMessageExchange":[{"creationDate":"x","question":7,"response":1,"new":2}],"new":3}}`,
			`{"messages":[{}],"extra":{"memberMessage.memberMessageExchange[0].creationDate":"x","memberMessage.memberMessageExchange[0].question":7,
			"memberMessage.memberMessageExchange[0].response":1,"memberMessage.memberMessageExchange[0].new":2,"memberMessage.new":3}}`, 3},
		{"messages: question", `{"memberMessage":{"memberMessageExchange":[{},{"question":{"body":[],"messageID":"1","new":null}}]}}`,
			`{"messages":[{},{}],"extra":{"memberMessage.memberMessageExchange[1].question.body":[],
			"memberMessage.memberMessageExchange[1].question.messageID":"1","memberMessage.memberMessageExchange[1].question.new":null}}`, 2},
		{"message id: integral", `{"memberMessage":{"memberMessageExchange":[{"question":{"messageID":-1.20e1}}]}}`, `{"messages":[{"message_id":-12}]}`, 0},
		{"message id: fraction", `{"memberMessage":{"memberMessageExchange":[{"question":{"messageID":1.5}}]}}`,
			`{"messages":[{}],"extra":{"memberMessage.memberMessageExchange[0].question.messageID":1.5}}`, 1},
		{"message id: too large", `{"memberMessage":{"memberMessageExchange":[{"question":{"messageID":9223372036854775808}}]}}`,
			`{"messages":[{}],"extra":{"memberMessage.memberMessageExchange[0].question.messageID":9223372036854775808}}`, 1},

		{"repeated: known", `{"email":"a","email":"b","email":"a"}`, `{"email":"a","extra":{"email#2":"b","email#3":"a"}}`, 2},
		{"repeated: first is null", `{"email":null,"email":"b"}`, `{"extra":{"email#2":"b"}}`, 1},
		{"repeated: first does not fit", `{"email":1,"email":"b"}`, `{"extra":{"email":1,"email#2":"b"}}`, 2},
		{"repeated: time", `{"submittedTime":"soon","submittedTime":"2026-09-01T10:00:00Z"}`, `{"extra":{"submittedTime":"soon","submittedTime#2":"2026-09-01T10:00:00Z"}}`, 2},
		{"repeated: time after null", `{"submittedTime":null,"submittedTime":"2026-09-01T10:00:00Z"}`, `{"extra":{"submittedTime#2":"2026-09-01T10:00:00Z"}}`, 1},
		{"repeated: container", `{"contactInformation":{"phone":"1"},"contactInformation":{"phone":"2"}}`,
			`{"phone":"1","extra":{"contactInformation#2":{"phone":"2"}}}`, 1},
		{"repeated: unknown", `{"x":1,"x":2,"x":1}`, `{"extra":{"x":1,"x#2":2,"x#3":1}}`, 0},
		{"repeated: number taken", `{"email#2":"c","email":"a","email":"b"}`, `{"email":"a","extra":{"email#2":"c","email#3":"b"}}`, 1},
		{"path taken by a dot", `{"contactInformation.phone":1,"contactInformation":{"phone":2}}`,
			`{"extra":{"contactInformation.phone":1,"contactInformation.phone#2":2}}`, 1},

		{"unknown: exact numbers", `{"n":0.10000000000000000000000000001,"m":-0.0,"e":1E+400}`,
			`{"extra":{"n":0.10000000000000000000000000001,"m":-0.0,"e":1E+400}}`, 0},
		{"unknown: null is kept", `{"n":null}`, `{"extra":{"n":null}}`, 0},
		{"unknown: repeated names inside", `{"n":{"a":1,"a":2}}`, `{"extra":{"n":` + encoded(`{"a":1,"a":2}`) + `}}`, 0},
		{"unknown: bad text inside", `{"n":[` + surrogate + `]}`, `{"extra":{"n":` + encoded(`[`+surrogate+`]`) + `}}`, 0},
		{"unknown: like an encoded one", `{"n":{"\u0024base64":"eA=="}}`, `{"extra":{"n":` + encoded(`{"\u0024base64":"eA=="}`) + `}}`, 0},
		{"unknown: name without a name", `{"":1,"contactInformation":{"":2}}`, `{"extra":{"":1,"contactInformation.":2}}`, 0},
		{"unknown: bad name", "{\"\xff\":1,\"\\ud800\":2}", `{"extra":{"$base64:/w==":1,"$base64:XHVkODAw":2}}`, 0},
		{"unknown: name to be escaped", `{"a\"\n":1}`, `{"extra":{"a\"\n":1}}`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row, unfit := only(t, leadAnswer(tt.lead))
			assertInspected(t, leadAnswer(tt.lead), flatten(t, leadAnswer(tt.lead)))
			if got, want := content(t, &row), decode(t, tt.want); !reflect.DeepEqual(got, want) {
				t.Errorf("content differs\n got: %v\nwant: %v", got, want)
			}
			if unfit != tt.unfit {
				t.Errorf("unfit = %d, want %d", unfit, tt.unfit)
			}
			if want := len(row.Messages.Value); int(row.MessageCount) != want {
				t.Errorf("message_count = %d, want %d", row.MessageCount, want)
			}
			if row.ItemID.Value != "110" {
				t.Errorf("item_id = %q, want 110", row.ItemID.Value)
			}
		})
	}
}

// TestExtraText: extra is compact, sorted by bytes, and keeps the text of its
// values.
func TestExtraText(t *testing.T) {
	row, _ := only(t, leadAnswer("{\n\t\"ä\" : 1 , \"b\":[ 1.0 , \"\\u0041\\/\" ], \"a\" : { } , \"B\":\"x\"\n}"))
	const want = `{"B":"x","a":{},"b":[1.0,"\u0041\/"],"ä":1}`
	if row.Extra.Value != want {
		t.Errorf("extra = %s, want %s", row.Extra.Value, want)
	}
}

// TestListingMembers: what a listing has goes to each of its leads, wherever in
// the listing it stands.
func TestListingMembers(t *testing.T) {
	tests := []struct {
		name, listing       string
		itemID, title, want string
		unfit               int
	}{
		{"after the leads", `{"responses":[{},{}],"itemId":"1","itemTitle":"t"}`, "1", "t", "", 0},
		{"unknown", `{"a":1,"responses":[{},{}],"b":[2]}`, "", "", `{"listing.a":1,"listing.b":[2]}`, 0},
		{"misfit", `{"itemId":1,"responses":[{},{}],"itemTitle":{}}`, "", "", `{"listing.itemId":1,"listing.itemTitle":{}}`, 4},
		{"repeated", `{"itemId":"1","itemId":"2","responses":[{},{}]}`, "1", "", `{"listing.itemId#2":"2"}`, 2},
		{"null", `{"itemId":null,"responses":[{},{}],"itemTitle":null}`, "", "", "", 0},
		{"bad text", `{"itemTitle":"\udead","responses":[{},{}]}`, "", "", `{"listing.itemTitle":` + encoded(`"\udead"`) + `}`, 2},
		{"two responses", `{"responses":[{}],"itemId":"1","responses":[{}]}`, "1", "", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result := flatten(t, `{"classifiedLeads":[{"itemId":"before","x":1},`+tt.listing+`,{"itemId":"after","y":1}]}`)
			if len(result.Undated) != 2 || result.Unfit != tt.unfit {
				t.Fatalf("got %d rows and %d misfits, want 2 and %d", len(result.Undated), result.Unfit, tt.unfit)
			}
			for _, r := range result.Undated {
				if r.ItemID.Value != tt.itemID || r.ItemTitle.Value != tt.title || r.Extra.Value != tt.want {
					t.Errorf("got %q, %q, %s, want %q, %q, %s", r.ItemID.Value, r.ItemTitle.Value, r.Extra.Value, tt.itemID, tt.title, tt.want)
				}
				if r.ItemID.Valid != (tt.itemID != "") {
					t.Errorf("item_id is valid: %v", r.ItemID.Valid)
				}
			}
		})
	}
}
