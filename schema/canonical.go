package schema

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"
)

// The canonical form is what content_hash is taken of: one JSON object in
// UTF-8, without white space. IDENTITY.md says the same for readers.
//
//   - Its members are the columns for which Column.FromAPI holds. Nulls are left
//     out. Names are sorted by their bytes.
//   - Strings have the escapes of RFC 8785 and no others: \" \\ \b \f \n \r \t,
//     \u00xx in lower case for what else is below U+0020.
//   - Times are strings, RFC 3339 in UTC, cut to whole seconds.
//   - Amounts are strings: the shortest plain decimal (Decimal.Canonical).
//   - Booleans are true and false.
//   - Numbers are the shortest form of their exact value: digits without zeros
//     at the end, plainly (7, -0.5, 0.0000012) unless that takes zeros behind
//     the digits or more than five between the point and them, else with a power
//     of ten (1.2E+3 for 1200, 5E-7); 0 for every zero. This is exact however
//     many the digits, and short however large the exponent.
//   - messages is an array of objects with the members created_at, message_id,
//     question and response, by the same rules, sorted by the bytes of their
//     canonical text.
//   - extra is the JSON value that its text holds, not the text: objects have
//     their names sorted by bytes (of a name that occurs twice, the last counts),
//     arrays keep their order, nulls stay. A surrogate without its partner is
//     written as \udxxx in lower case.
//
// So the order of messages, fractions of a second, the way a number is written
// and white space in extra are no change of a lead. Everything else is.

// canonicalMember is a member of the canonical form.
type canonicalMember struct {
	key    string // the name as it is written, with the comma before and the colon
	typ    Type
	column func(*Row) any
}

// canonicalMembers are the members in their order.
var canonicalMembers = func() []canonicalMember {
	columns := slices.DeleteFunc(slices.Clone(Columns), func(c Column) bool { return !c.FromAPI() })
	slices.SortFunc(columns, func(a, b Column) int { return strings.Compare(a.Name, b.Name) })
	members := make([]canonicalMember, len(columns))
	for i, c := range columns {
		members[i] = canonicalMemberOf(c)
	}
	return members
}()

func canonicalMemberOf(c Column) canonicalMember {
	return canonicalMember{key: `,"` + c.Name + `":`, typ: c.Type, column: c.Field}
}

// scratch holds the buffers of one computation. They are kept between rows, as
// ids and hashes are computed for each.
type scratch struct {
	out     []byte   // the result
	aside   []byte   // texts before they are put in order
	names   []byte   // decoded strings of extra
	parts   []part   // texts in aside
	members []member // members of extra's open objects
}

// part is a piece of a buffer.
type part struct{ from, to int }

// scratchLimit is the size in bytes of buffers that are worth keeping; what one giant
// row needed is given back.
const scratchLimit = 1 << 20

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func borrowScratch() *scratch { return scratches.Get().(*scratch) }

func (s *scratch) giveBack() {
	if max(cap(s.out), cap(s.aside), cap(s.names), 16*cap(s.parts), 32*cap(s.members)) > scratchLimit {
		return
	}
	s.out = s.out[:0]
	scratches.Put(s)
}

// canonicalRow puts the row's canonical form into s.out.
func (s *scratch) canonicalRow(r *Row) {
	s.out = s.out[:0]
	for i := range canonicalMembers {
		s.canonicalMember(r, &canonicalMembers[i])
	}
	// Every member begins with a comma; the first one's is the brace.
	s.out[0] = '{'
	s.out = append(s.out, '}')
}

// canonicalMember appends the member with the comma before it, or nothing if it
// is null.
func (s *scratch) canonicalMember(r *Row, m *canonicalMember) {
	switch v := m.column(r).(type) {
	case *Opt[string]:
		switch {
		case !v.Valid:
		case m.typ == TypeJSON:
			s.out = append(s.out, m.key...)
			s.canonicalJSON(v.Value)
		default:
			s.out = appendString(append(s.out, m.key...), v.Value)
		}
	case *Opt[time.Time]:
		if v.Valid {
			s.out = appendQuotedSeconds(append(s.out, m.key...), v.Value)
		}
	case *Opt[bool]:
		if v.Valid {
			s.out = appendBool(append(s.out, m.key...), v.Value)
		}
	case *Opt[Decimal]:
		if v.Valid {
			s.out = append(append(s.out, m.key...), '"')
			s.out = append(v.Value.appendCanonical(s.out), '"')
		}
	case *int32:
		s.out = appendCanonicalInt(append(s.out, m.key...), int64(*v))
	case *Opt[[]Message]:
		if v.Valid {
			s.out = append(s.out, m.key...)
			s.canonicalMessages(v.Value)
		}
	default:
		panic("schema: column " + m.key + " has a type without a canonical form")
	}
}

// canonicalMessages appends the messages, sorted by their canonical text.
func (s *scratch) canonicalMessages(messages []Message) {
	s.aside, s.parts = s.aside[:0], s.parts[:0]
	for i := range messages {
		from := len(s.aside)
		s.aside = appendCanonicalMessage(s.aside, &messages[i])
		s.parts = append(s.parts, part{from, len(s.aside)})
	}
	text := s.aside
	slices.SortFunc(s.parts, func(a, b part) int {
		return bytes.Compare(text[a.from:a.to], text[b.from:b.to])
	})
	s.out = append(s.out, '[')
	for i, p := range s.parts {
		if i > 0 {
			s.out = append(s.out, ',')
		}
		s.out = append(s.out, text[p.from:p.to]...)
	}
	s.out = append(s.out, ']')
}

func appendCanonicalMessage(dst []byte, m *Message) []byte {
	start := len(dst)
	if m.CreatedAt.Valid {
		dst = appendQuotedSeconds(append(dst, `,"created_at":`...), m.CreatedAt.Value)
	}
	if m.MessageID.Valid {
		dst = appendCanonicalInt(append(dst, `,"message_id":`...), m.MessageID.Value)
	}
	if m.Question.Valid {
		dst = appendString(append(dst, `,"question":`...), m.Question.Value)
	}
	if m.Response.Valid {
		dst = appendString(append(dst, `,"response":`...), m.Response.Value)
	}
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

func appendQuotedSeconds(dst []byte, t time.Time) []byte {
	return append(appendSeconds(append(dst, '"'), t), '"')
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "true"...)
	}
	return append(dst, "false"...)
}
