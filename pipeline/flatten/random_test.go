package flatten

import (
	"encoding/json"
	"strings"

	"pgregory.net/rapid"
)

// Random answers: mostly well formed, from small sets of values so that leads
// come out alike, with values of any type in any place now and then.

type members []member

type member struct {
	name  string
	value any // members, []any, or JSON text
}

// answers generates the JSON text of answers without repeated names.
func answers() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		write(t, &b, members{
			{"totalLeads", "7"},
			{"classifiedLeads", some(t, 3, listing)},
			{"href", `"https://example.com"`},
		})
		return b.String()
	})
}

func listing(t *rapid.T) any {
	return oddly(t, objectOf(t,
		member{"itemId", oneOf(t, `"1"`, `"2"`, `3`)},
		member{"itemTitle", text(t)},
		member{"responses", oddly(t, some(t, 5, lead))},
		member{"listingFormat", text(t)},
	))
}

func lead(t *rapid.T) any {
	return oddly(t, objectOf(t,
		member{"submittedTime", moment(t)},
		member{"leadStatus", oneOf(t, `"NEW"`, `"RESPONDED"`)},
		member{"userId", oneOf(t, `"a"`, `"b"`, `""`)},
		member{"email", text(t)},
		member{"externalEmail", oneOf(t, `"x@example.com"`, `""`)},
		member{"contactInformation", oddly(t, objectOf(t,
			member{"firstName", text(t)}, member{"lastName", text(t)}, member{"phone", oneOf(t, `"1"`, `"2"`)},
			member{"postalCode", text(t)}, member{"title", text(t)}))},
		member{"additionalInformation", oneOf(t, `"hello"`, `"hallo, \u00e4\n\ud83d\ude97"`)},
		member{"financingAnswer", oneOf(t, `true`, `false`)},
		member{"tradeInMake", text(t)},
		member{"tradeInModel", text(t)},
		member{"tradeInYear", text(t)},
		member{"leadFee", oddly(t, objectOf(t,
			member{"amount", oddly(t, objectOf(t, member{"value", amount(t)}, member{"currency", text(t)},
				member{"convertedFromValue", amount(t)}, member{"convertedFromCurrency", text(t)}, member{"tax", amount(t)}))},
			member{"description", text(t)}, member{"kind", text(t)}))},
		member{"memberMessage", oddly(t, objectOf(t, member{"memberMessageExchange", oddly(t, some(t, 3, exchange))}, member{"unread", `1`}))},
		member{"leadScore", amount(t)},
	))
}

func exchange(t *rapid.T) any {
	return oddly(t, objectOf(t,
		member{"creationDate", moment(t)},
		member{"question", oddly(t, objectOf(t, member{"body", text(t)},
			member{"messageID", oneOf(t, `1`, `-2.0`, `3e2`, `1e19`, `0.5`, `"4"`)}, member{"language", text(t)}))},
		member{"response", text(t)},
		member{"attachments", text(t)},
	))
}

// objectOf returns some of the members, in any order.
func objectOf(t *rapid.T, all ...member) any {
	order := rapid.Permutation(all).Draw(t, "order")
	return members(order[:rapid.IntRange(0, len(order)).Draw(t, "members")])
}

func some(t *rapid.T, most int, element func(*rapid.T) any) any {
	list := make([]any, rapid.IntRange(0, most).Draw(t, "elements"))
	for i := range list {
		list[i] = element(t)
	}
	return list
}

// oddly returns the value, or now and then another one.
func oddly(t *rapid.T, value any) any {
	if rapid.IntRange(0, 11).Draw(t, "odd") > 0 {
		return value
	}
	return oneOf(t, `null`, `true`, `12.50`, `"text"`, `[]`, `{}`, `[{"a":[1, null]}, "b"]`, `{"a": {"b": "c"}}`)
}

func text(t *rapid.T) any {
	if rapid.Bool().Draw(t, "plain") {
		return oddly(t, oneOf(t, `"a"`, `"ä 🚗"`, `"\u0000\"\\\/"`, `""`))
	}
	quoted, err := json.Marshal(rapid.String().Draw(t, "text"))
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted)
}

func amount(t *rapid.T) any {
	return oddly(t, oneOf(t, `"25.00"`, `25`, `-0.5`, `"0.00001"`, `"99999999999999.9999"`, `100000000000000`, `1e2`, `"1,5"`))
}

func moment(t *rapid.T) any {
	return oddly(t, oneOf(t, `"2026-09-01T10:00:00Z"`, `"2026-09-01T12:00:00+0200"`, `"2026-09-01T10:00:00.000"`, `"2026-09-01T10:00:01.25Z"`,
		`"2026-09-01T10:00:01.2500009Z"`, `"2026-09-15T00:00:00Z"`, `"2026-10-01T00:00:00Z"`, `"2026-02-30T10:00:00Z"`))
}

func oneOf(t *rapid.T, values ...string) any { return rapid.SampledFrom(values).Draw(t, "value") }

// write writes a value with white space wherever it may be.
func write(t *rapid.T, b *strings.Builder, value any) {
	space := func() {
		b.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "\n\t\r"}).Draw(t, "space"))
	}
	space()
	switch value := value.(type) {
	case string:
		b.WriteString(value)
	case []any:
		b.WriteString("[")
		for i, element := range value {
			if i > 0 {
				b.WriteString(",")
			}
			write(t, b, element)
		}
		b.WriteString("]")
	case members:
		b.WriteString("{")
		for i, m := range value {
			if i > 0 {
				b.WriteString(",")
			}
			space()
			b.WriteString(`"` + m.name + `"`)
			space()
			b.WriteString(":")
			write(t, b, m.value)
		}
		b.WriteString("}")
	}
	space()
}
