package simulator

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// deadResponses are served in the place of a response object.
var deadResponses = []string{`"lead is not available"`, `42`, `["NEW"]`, `false`, `"500 Internal Server Error <html>\n"`}

// encoder appends one lead as JSON. Fields come in the reference's order, which
// is the alphabet's.
type encoder struct {
	dst   []byte
	d     *draft
	odd   bool // there are misfits, unknown fields or nulls to look for
	comma bool
}

// appendResponse appends the lead's response object as the API serves it.
func appendResponse(dst []byte, d *draft, messages bool) []byte {
	if d.Dead {
		return append(dst, deadResponses[d.Index%len(deadResponses)]...)
	}
	e := encoder{dst: dst, d: d, odd: len(d.Misfits)+len(d.Unknown) > 0 || d.null != ""}
	e.open()
	e.text("additionalInformation", "", d.AdditionalInformation)
	e.contact()
	e.text("email", "", d.Email)
	e.text("externalEmail", "", d.ExternalEmail)
	if e.key("financingAnswer", "", d.FinancingAnswer.Set) {
		e.dst = strconv.AppendBool(e.dst, d.FinancingAnswer.Value)
	}
	e.fee()
	e.text("leadStatus", "", d.LeadStatus)
	if messages {
		e.messages()
	}
	e.time("submittedTime", "", d.SubmittedTime, d.timeText)
	e.text("tradeInMake", "", d.TradeInMake)
	e.text("tradeInModel", "", d.TradeInModel)
	e.text("tradeInYear", "", d.TradeInYear)
	e.text("userId", "", d.UserID)
	e.unknown("")
	e.close()
	return e.dst
}

// appendListingHead appends the listing's fields, all but responses, each with
// a comma behind it.
func appendListingHead(dst []byte, d *draft) []byte {
	e := encoder{dst: dst, d: d, odd: len(d.Misfits)+len(d.Unknown) > 0}
	e.text("itemId", "listing.", d.ItemID)
	e.text("itemTitle", "listing.", d.ItemTitle)
	e.unknown("listing.")
	return append(e.dst, ',')
}

func (e *encoder) open() {
	e.dst = append(e.dst, '{')
	e.comma = false
}

func (e *encoder) close() {
	e.dst = append(e.dst, '}')
	e.comma = true
}

// name writes the name of a member.
func (e *encoder) name(name string) {
	if e.comma {
		e.dst = append(e.dst, ',')
	}
	e.comma = true
	e.dst = append(e.dst, '"')
	e.dst = append(e.dst, name...)
	e.dst = append(e.dst, '"', ':')
}

// key writes the name of a member whose value is set and reports true; if it is
// not, it writes what the lead has in its place, if anything.
func (e *encoder) key(name, prefix string, set bool) bool {
	if set {
		e.name(name)
		return true
	}
	if !e.odd {
		return false
	}
	path := prefix + name
	if raw, ok := e.d.Misfits[path]; ok {
		e.name(name)
		e.dst = append(e.dst, raw...)
	} else if e.d.null == path {
		e.name(name)
		e.dst = append(e.dst, "null"...)
	}
	return false
}

func (e *encoder) text(name, prefix string, o Opt[string]) {
	if e.key(name, prefix, o.Set) {
		e.dst = appendJSONString(e.dst, o.Value, e.d.ascii)
	}
}

func (e *encoder) time(name, prefix string, o Opt[time.Time], as string) {
	if !e.key(name, prefix, o.Set) {
		return
	}
	e.dst = append(e.dst, '"')
	if as != "" {
		e.dst = append(e.dst, as...)
	} else {
		e.dst = appendSecond(e.dst, o.Value)
	}
	e.dst = append(e.dst, '"')
}

// appendSecond appends a time in the reference's format; it is time.AppendFormat
// at a third of the cost, for the years of 4 digits.
func appendSecond(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	two := func(dst []byte, n int, end byte) []byte {
		return append(dst, byte('0'+n/10), byte('0'+n%10), end)
	}
	dst = append(dst, byte('0'+year/1000), byte('0'+year/100%10))
	dst = two(dst, year%100, '-')
	dst = two(dst, int(month), '-')
	dst = two(dst, day, 'T')
	dst = two(dst, hour, ':')
	dst = two(dst, minute, ':')
	return two(dst, second, 'Z')
}

// container reports whether an object is to be written, and opens it: if a value
// of it is set, or something odd lies below it. What stands in its place, if
// anything, is written at once.
func (e *encoder) container(name, prefix string, set bool) bool {
	path := prefix + name
	if e.odd {
		if _, ok := e.d.Misfits[path]; ok || e.d.null == path {
			e.key(name, prefix, false)
			return false
		}
		set = set || e.below(path+".")
	}
	if set {
		e.name(name)
		e.open()
	}
	return set
}

func (e *encoder) below(prefix string) bool {
	if strings.HasPrefix(e.d.null, prefix) {
		return true
	}
	for _, m := range []map[string][]byte{e.d.Misfits, e.d.Unknown} {
		for path := range m {
			if strings.HasPrefix(path, prefix) {
				return true
			}
		}
	}
	return false
}

// objects are the paths of the documented objects: a path that begins with one
// names a field in it, all other dots are part of a name.
var objects = []string{"contactInformation.", "leadFee.", "leadFee.amount.", "memberMessage.", "listing."}

// unknown writes the unknown fields that lie in the object with that prefix,
// with their names in order.
func (e *encoder) unknown(prefix string) {
	if len(e.d.Unknown) == 0 {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(e.d.Unknown)) {
		name, ok := strings.CutPrefix(path, prefix)
		if !ok || objectOf(path) != prefix {
			continue
		}
		e.name(name)
		e.dst = append(e.dst, e.d.Unknown[path]...)
	}
}

func objectOf(path string) string {
	if strings.HasPrefix(path, "memberMessage.memberMessageExchange[") {
		_, rest, _ := strings.Cut(path, "].")
		message := path[:len(path)-len(rest)]
		if strings.HasPrefix(rest, "question.") {
			return message + "question."
		}
		return message
	}
	longest := ""
	for _, o := range objects {
		if len(o) > len(longest) && strings.HasPrefix(path, o) {
			longest = o
		}
	}
	return longest
}

func (e *encoder) contact() {
	const at = "contactInformation."
	d := e.d
	if !e.container("contactInformation", "", d.FirstName.Set || d.LastName.Set || d.Phone.Set || d.PostalCode.Set) {
		return
	}
	e.text("firstName", at, d.FirstName)
	e.text("lastName", at, d.LastName)
	e.text("phone", at, d.Phone)
	e.text("postalCode", at, d.PostalCode)
	e.unknown(at)
	e.close()
}

func (e *encoder) fee() {
	const at = "leadFee."
	d := e.d
	amount := d.FeeAmount.Set || d.FeeCurrency.Set || d.FeeConvertedFromAmount.Set || d.FeeConvertedFromCurrency.Set
	if !e.container("leadFee", "", amount || d.FeeDescription.Set) {
		return
	}
	if e.container("amount", at, amount) {
		const at = "leadFee.amount."
		e.text("convertedFromCurrency", at, d.FeeConvertedFromCurrency)
		e.text("convertedFromValue", at, d.FeeConvertedFromAmount)
		e.text("currency", at, d.FeeCurrency)
		if e.key("value", at, d.FeeAmount.Set) {
			if d.feeNumber {
				e.dst = append(e.dst, d.FeeAmount.Value...)
			} else {
				e.dst = appendJSONString(e.dst, d.FeeAmount.Value, false)
			}
		}
		e.unknown(at)
		e.close()
	}
	e.text("description", at, d.FeeDescription)
	e.unknown(at)
	e.close()
}

func (e *encoder) messages() {
	if !e.container("memberMessage", "", e.d.Messages.Set) {
		return
	}
	if e.d.Messages.Set {
		e.name("memberMessageExchange")
		e.dst = append(e.dst, '[')
		for n := range e.d.Messages.Value {
			if n > 0 {
				e.dst = append(e.dst, ',')
			}
			e.message(n)
		}
		e.dst = append(e.dst, ']')
	}
	e.unknown("memberMessage.")
	e.close()
}

func (e *encoder) message(n int) {
	m := &e.d.Messages.Value[n]
	at, question := "", ""
	if e.odd {
		at = messagePath(n, "") + "."
		question = at + "question."
	}
	e.open()
	e.time("creationDate", at, m.CreationDate, "")
	if e.container("question", at, m.Body.Set || m.MessageID.Set) {
		e.text("body", question, m.Body)
		if e.key("messageID", question, m.MessageID.Set) {
			e.dst = strconv.AppendInt(e.dst, m.MessageID.Value, 10)
		}
		e.unknown(question)
		e.close()
	}
	e.text("response", at, m.Response)
	e.unknown(at)
	e.close()
}

// appendJSONString appends a JSON string. If ascii, everything that can be
// written as an escape is: both are the same text.
func appendJSONString(dst []byte, s string, ascii bool) []byte {
	const hex = "0123456789abcdef"
	plain := &plainText
	if ascii {
		plain = &plainASCII
	}
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		size := 1
		switch {
		case c == '"' || c == '\\' || c == '/':
			dst = append(dst, '\\', c)
		case c == '\n' && !ascii:
			dst = append(dst, '\\', 'n')
		case c < utf8.RuneSelf:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			for _, unit := range utf16.Encode([]rune{r}) {
				dst = append(dst, '\\', 'u', hex[unit>>12], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
			}
		}
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// plainText and plainASCII are the bytes that stand for themselves in strings.
var plainText, plainASCII = func() (text, ascii [256]bool) {
	for c := ' '; c < 256; c++ {
		text[c] = c != '"' && c != '\\'
		ascii[c] = text[c] && c < utf8.RuneSelf && c != '/'
	}
	return text, ascii
}()
