package oracle

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// notAPI are the columns that the project adds; all others are hashed.
var notAPI = []string{
	"event_id", "event_type", "lead_id", "lead_version", "account", "marketplace_id",
	"changed_fields", "content_hash", "extracted_at", "schema_version",
}

// ContentHash returns the content hash of a row.
func ContentHash(row Row) string {
	sum := sha256.Sum256([]byte(Canonical(row)))
	return hex.EncodeToString(sum[:])
}

// Canonical returns the canonical form of a row.
func Canonical(row Row) string {
	var names []string
	for name := range row {
		if !slices.Contains(notAPI, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, compare)
	var members []string
	for _, name := range names {
		members = append(members, quote(name)+":"+canonicalColumn(name, row[name]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func canonicalColumn(name string, value any) string {
	switch name {
	case "submitted_time", "created_at":
		return quote(seconds(value.(string)))
	case "fee_amount", "fee_converted_from_amount":
		return quote(plainAmount(value.(string)))
	case "messages":
		var list []string
		for _, m := range value.([]map[string]any) {
			list = append(list, Canonical(m)) // none of its names is in notAPI
		}
		slices.SortFunc(list, compare)
		return "[" + strings.Join(list, ",") + "]"
	case "extra":
		return canonicalJSON(value.(string))
	}
	switch v := value.(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return canonicalNumber(strconv.FormatInt(v, 10))
	default:
		panic(fmt.Sprintf("column %s is a %T", name, value))
	}
}

// seconds cuts the fraction off a time of a row.
func seconds(t string) string { return t[:len("2006-01-02T15:04:05")] + "Z" }

// plainAmount is the shortest plain form of an amount.
func plainAmount(amount string) string {
	digits, negative := strings.CutPrefix(amount, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && whole != "0" {
		return "-" + whole
	}
	return whole
}

func canonicalJSON(text string) string {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(err) // extra is made of JSON
	}
	return canonicalValue(value)
}

func canonicalValue(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return quote(v)
	case json.Number:
		return canonicalNumber(v.String())
	case []any:
		var elements []string
		for _, e := range v {
			elements = append(elements, canonicalValue(e))
		}
		return "[" + strings.Join(elements, ",") + "]"
	case map[string]any:
		var names, members []string
		for name := range v {
			names = append(names, name)
		}
		slices.SortFunc(names, compare)
		for _, name := range names {
			members = append(members, quote(name)+":"+canonicalValue(v[name]))
		}
		return "{" + strings.Join(members, ",") + "}"
	default:
		panic(fmt.Sprintf("JSON gave a %T", value))
	}
}

// canonicalNumber is rule 5: the digits without zeros at either end, plainly if
// the number is neither a multiple of ten nor below 0.000001, else with an
// exponent.
func canonicalNumber(text string) string {
	text, negative := strings.CutPrefix(text, "-")
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(text[i+1:]); err != nil {
			panic(err) // the simulator's exponents are small
		}
		mantissa = text[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	for strings.HasSuffix(digits, "0") {
		digits = digits[:len(digits)-1]
		exponent++
	}
	if digits == "" {
		return "0"
	}
	sign := ""
	if negative {
		sign = "-"
	}
	first := exponent + len(digits) - 1 // the power of ten of the first digit
	switch {
	case exponent == 0:
		return sign + digits
	case exponent < 0 && first >= 0:
		return sign + digits[:first+1] + "." + digits[first+1:]
	case exponent < 0 && first >= -6:
		return sign + "0." + strings.Repeat("0", -first-1) + digits
	}
	if len(digits) > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	return sign + fmt.Sprintf("%sE%+d", digits, first)
}

// quote writes a string with the escapes of RFC 8785.
func quote(s string) string {
	var out bytes.Buffer
	out.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteRune(c)
		case c == '\b':
			out.WriteString(`\b`)
		case c == '\f':
			out.WriteString(`\f`)
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\r':
			out.WriteString(`\r`)
		case c == '\t':
			out.WriteString(`\t`)
		case c < ' ':
			fmt.Fprintf(&out, `\u%04x`, c)
		default:
			out.WriteRune(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// LeadName returns the text that the lead's id is made of, without an ordinal.
func LeadName(row Row) string {
	text := func(column string) string {
		s, _ := row[column].(string)
		return s
	}
	buyer := ""
	for _, column := range []string{"user_id", "external_email", "email", "phone"} {
		if buyer == "" {
			buyer = text(column)
		}
	}
	return text("item_id") + "\n" + text("submitted_time") + "\n" + buyer + "\n" + text("additional_information")
}

func leadID(name string, ordinal int) string {
	if ordinal > 1 {
		name += "\n" + strconv.Itoa(ordinal)
	}
	return uuid5(namespace, name)
}

func eventID(row Row) string {
	version := ""
	if n, ok := row["lead_version"].(int64); ok {
		version = strconv.FormatInt(n, 10)
	}
	return uuid5(namespace, strings.Join([]string{
		row["lead_id"].(string), row["event_type"].(string), row["content_hash"].(string), version,
	}, "\n"))
}

// The namespace of all ids, and the one of RFC 9562 for URLs that it is made in.
var (
	urlNamespace = [16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	namespace    = digest5(urlNamespace, "https://api.ebay.com/sell/leads")
)

// uuid5 is the version 5 UUID of a name (RFC 9562, 5.5).
func uuid5(namespace [16]byte, name string) string {
	b := digest5(namespace, name)
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func digest5(namespace [16]byte, name string) (id [16]byte) {
	sum := sha1.Sum(append(namespace[:], name...))
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}
