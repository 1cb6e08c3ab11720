package schema

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Generators of rows and of their parts. Rows keep the invariants of Row.

// texts draws any valid UTF-8, with what JSON has to escape more often than
// chance would have it.
func texts() *rapid.Generator[string] {
	special := rapid.SampledFrom([]rune{0, 1, '\b', '\t', '\n', '\f', '\r', 0x1f, ' ', '"', '\\', '/', 0x7f, 0x80, 'ä', 'é', 0x301, 0x2028, '日', 0xfffd, 0xffff, '😀', 0x10ffff})
	return rapid.StringOf(rapid.OneOf(special, rapid.Rune(), rapid.RuneFrom([]rune("abcxyz012"))))
}

// instants draws times of milliseconds that RFC 3339 can write.
func instants() *rapid.Generator[time.Time] {
	first := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	last := time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC).UnixMilli()
	lately := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	return rapid.Map(rapid.OneOf(rapid.Int64Range(first, last), rapid.Int64Range(lately, lately+60_000)),
		func(ms int64) time.Time { return time.UnixMilli(ms).UTC() })
}

// decimals draws amounts that fit, with idle zeros.
func decimals() *rapid.Generator[Decimal] {
	return rapid.Map(rapid.StringMatching(`-?0{0,3}[0-9]{1,14}(\.[0-9]{1,4}0{0,3})?`), func(s string) Decimal {
		d, err := ParseDecimal(s)
		if err != nil {
			panic(err)
		}
		return d
	})
}

// optional draws null one time in two.
func optional[T any](of *rapid.Generator[T]) *rapid.Generator[Opt[T]] {
	return rapid.Custom(func(t *rapid.T) Opt[T] {
		if !rapid.Bool().Draw(t, "valid") {
			return Opt[T]{}
		}
		return Some(of.Draw(t, "value"))
	})
}

func messages() *rapid.Generator[[]Message] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Message {
		return Message{
			MessageID: optional(rapid.Int64()).Draw(t, "id"),
			CreatedAt: optional(instants()).Draw(t, "created"),
			Question:  optional(texts()).Draw(t, "question"),
			Response:  optional(texts()).Draw(t, "response"),
		}
	}), 0, 5)
}

// jsonValue is a JSON value that can be written in many ways: nil, bool, number
// as digits and power of ten, string, []jsonValue, or []jsonMember.
type jsonValue any

type jsonMember struct {
	name  string
	value jsonValue
}

type jsonNumber struct {
	negative bool
	digits   string // without zeros at its ends; empty for zero
	power    int
}

func jsonNumbers() *rapid.Generator[jsonNumber] {
	return rapid.Custom(func(t *rapid.T) jsonNumber {
		n := jsonNumber{
			negative: rapid.Bool().Draw(t, "negative"),
			digits:   strings.Trim(rapid.StringMatching(`[0-9]{0,25}`).Draw(t, "digits"), "0"),
			power:    rapid.OneOf(rapid.IntRange(-12, 12), rapid.IntRange(-999_999, 999_999)).Draw(t, "power"),
		}
		if n.digits == "" {
			return jsonNumber{}
		}
		return n
	})
}

// jsonObjects draws objects of unique names.
func jsonObjects(depth int) *rapid.Generator[jsonValue] {
	return rapid.Custom(func(t *rapid.T) jsonValue {
		names := rapid.SliceOfNDistinct(texts(), 0, 4, rapid.ID[string]).Draw(t, "names")
		object := make([]jsonMember, len(names))
		for i, name := range names {
			object[i] = jsonMember{name, jsonValues(depth-1).Draw(t, "member")}
		}
		return object
	})
}

func jsonValues(depth int) *rapid.Generator[jsonValue] {
	kinds := []*rapid.Generator[jsonValue]{
		rapid.Just[jsonValue](nil),
		rapid.Map(rapid.Bool(), func(b bool) jsonValue { return b }),
		rapid.Map(texts(), func(s string) jsonValue { return s }),
		rapid.Map(jsonNumbers(), func(n jsonNumber) jsonValue { return n }),
	}
	if depth > 0 {
		kinds = append(kinds, jsonObjects(depth), rapid.Map(rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[jsonValue] {
			return jsonValues(depth - 1)
		}), 0, 4), func(list []jsonValue) jsonValue { return list }))
	}
	return rapid.OneOf(kinds...)
}

// writeJSON writes v in a way that t chooses: order of members, white space,
// escapes, and the form of numbers are free.
func writeJSON(t *rapid.T, b *strings.Builder, v jsonValue) {
	space := rapid.SampledFrom([]string{"", "", "", " ", "\t", "\r\n"})
	b.WriteString(space.Draw(t, "space"))
	defer func() { b.WriteString(space.Draw(t, "space")) }()
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		fmt.Fprint(b, v)
	case string:
		writeString(t, b, v)
	case jsonNumber:
		b.WriteString(numberText(t, v))
	case []jsonValue:
		b.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(t, b, element)
		}
		b.WriteByte(']')
	case []jsonMember:
		b.WriteByte('{')
		for i, m := range rapid.Permutation(v).Draw(t, "order") {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(space.Draw(t, "space"))
			writeString(t, b, m.name)
			b.WriteByte(':')
			writeJSON(t, b, m.value)
		}
		b.WriteByte('}')
	default:
		panic("not a JSON value")
	}
}

// writeString writes s with escapes where they have to be, and where t wants.
func writeString(t *rapid.T, b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		must := r < 0x20 || r == '"' || r == '\\'
		switch {
		case r == '/' && rapid.Bool().Draw(t, "escape"):
			b.WriteString(`\/`)
		case !must && rapid.IntRange(0, 3).Draw(t, "escape") > 0:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff
			fmt.Fprintf(b, rapid.SampledFrom([]string{`\u%04x\u%04x`, `\u%04X\u%04X`}).Draw(t, "case"), high, low)
		default:
			fmt.Fprintf(b, rapid.SampledFrom([]string{`\u%04x`, `\u%04X`}).Draw(t, "case"), r)
		}
	}
	b.WriteByte('"')
}

// numberText writes n in a way that t chooses: where the point is, how many
// idle zeros there are, how the exponent is written.
func numberText(t *rapid.T, n jsonNumber) string {
	sign := ""
	if n.negative || n.digits == "" && rapid.Bool().Draw(t, "minus zero") {
		sign = "-"
	}
	digits, power := n.digits, n.power
	if zeros := rapid.IntRange(0, 3).Draw(t, "zeros"); zeros > 0 {
		digits += strings.Repeat("0", zeros)
		power -= zeros
	}
	whole := rapid.IntRange(0, len(digits)).Draw(t, "point")
	power += len(digits) - whole
	text := digits[:whole]
	if strings.Trim(text, "0") == "" {
		text = "0" // zero before the point, or none: JSON wants exactly one
	}
	if fraction := digits[whole:]; fraction != "" {
		text += "." + fraction
	}
	if power != 0 || rapid.Bool().Draw(t, "exponent") {
		form := "%d"
		if power >= 0 {
			form = rapid.SampledFrom([]string{"%d", "%+d", "%03d"}).Draw(t, "form")
		}
		text += rapid.SampledFrom([]string{"e", "E"}).Draw(t, "e") + fmt.Sprintf(form, power)
	}
	return sign + text
}

// jsonTexts draws the text of a JSON object.
func jsonTexts() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		writeJSON(t, &b, jsonObjects(3).Draw(t, "object"))
		return b.String()
	})
}

// rows draws whole rows: any API content, and identity that follows from it.
func rows() *rapid.Generator[*Row] {
	return rapid.Custom(func(t *rapid.T) *Row {
		r := new(Row)
		for _, c := range Columns {
			fill(t, c, r)
		}
		r.ContentHash = ContentHash(r)
		r.LeadID = LeadID(r, rapid.IntRange(1, 3).Draw(t, "ordinal"))
		r.EventID = EventID(r)
		return r
	})
}

// fill sets the column to anything that it can hold.
func fill(t *rapid.T, c Column, r *Row) {
	switch v := c.Field(r).(type) {
	case *string:
		*v = texts().Draw(t, c.Name)
	case *EventType:
		*v = rapid.SampledFrom(EventTypes).Draw(t, c.Name)
	case *int32:
		*v = rapid.Int32().Draw(t, c.Name)
	case *time.Time:
		*v = instants().Draw(t, c.Name)
	case *Opt[string]:
		of := texts()
		if c.Type == TypeJSON {
			of = jsonTexts()
		}
		*v = optional(of).Draw(t, c.Name)
	case *Opt[int32]:
		*v = optional(rapid.Int32()).Draw(t, c.Name)
	case *Opt[bool]:
		*v = optional(rapid.Bool()).Draw(t, c.Name)
	case *Opt[time.Time]:
		*v = optional(instants()).Draw(t, c.Name)
	case *Opt[Decimal]:
		*v = optional(decimals()).Draw(t, c.Name)
	case *Opt[[]Message]:
		*v = optional(messages()).Draw(t, c.Name)
	case *Opt[[]string]:
		*v = optional(rapid.SliceOfN(texts(), 0, 4)).Draw(t, c.Name)
	default:
		t.Fatalf("column %s: no generator for a %T", c.Name, v)
	}
}

// sampleRow is a row as most are: about 1.1 kB of JSON.
func sampleRow(tb testing.TB) *Row {
	tb.Helper()
	at := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	fee, err := ParseDecimal("12.50")
	if err != nil {
		tb.Fatal(err)
	}
	text := "Guten Tag, ist das Fahrzeug noch zu haben? Ich würde es mir gern am Samstag ansehen."
	r := &Row{
		EventType: Snapshot, Account: "demo", MarketplaceID: "EBAY_DE",
		ItemID: Some("110000000001"), ItemTitle: Some("Roadster 1967, one owner, all papers, restored in 2019"),
		SubmittedTime: Some(at), LeadStatus: Some("RESPONDED"),
		UserID: Some("ada_77"), Email: Some("ada@example.com"),
		FirstName: Some("Ada"), LastName: Some("Beispiel"), Phone: Some("+49 30 000000"), PostalCode: Some("10115"),
		AdditionalInformation: Some(text), FinancingAnswer: Some(false),
		FeeAmount: Some(fee), FeeCurrency: Some("EUR"), FeeDescription: Some("Pay per lead"),
		MessageCount: 2,
		Messages: Some([]Message{
			{MessageID: Some(int64(7001)), CreatedAt: Some(at), Question: Some(text), Response: Some("Ja, \"gern\"!\nBitte rufen Sie vorher an.")},
			{MessageID: Some(int64(7002)), CreatedAt: Some(at.Add(time.Hour)), Question: Some("Danke, bis dann.")},
		}),
		ExtractedAt: at.Add(48 * time.Hour), SchemaVersion: Version,
		Extra: Some(`{"leadScore":7,"contactInformation.title":"Dr"}`),
	}
	r.ContentHash = ContentHash(r)
	r.LeadID = LeadID(r, 1)
	r.EventID = EventID(r)
	return r
}
