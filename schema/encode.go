package schema

import (
	"fmt"
	"strconv"
	"time"
)

// encodedKeys are the columns' names as AppendJSON writes them, with the comma
// before and the colon.
var encodedKeys = func() []string {
	keys := make([]string, len(Columns))
	for i, c := range Columns {
		keys[i] = `,"` + c.Name + `":`
	}
	return keys
}()

// AppendJSON appends the row as one compact JSON object, without a line end:
// the columns in the order of the table, nulls left out, times as FormatTime has
// them, amounts as the text that was sent, extra as a string that holds JSON. It
// is the line of NDJSON files and the value of Kafka records, and the same row
// is always the same bytes.
//
// The one error is a string that is not valid UTF-8, against the row's
// invariants; it names the column, and dst is returned as it was.
func AppendJSON(dst []byte, r *Row) ([]byte, error) {
	start := len(dst)
	for i := range Columns {
		key := encodedKeys[i]
		ok := true
		switch v := Columns[i].Field(r).(type) {
		case *string:
			dst, ok = appendText(append(dst, key...), *v)
		case *Opt[string]:
			if v.Valid {
				dst, ok = appendText(append(dst, key...), v.Value)
			}
		case *EventType:
			dst, ok = appendText(append(dst, key...), string(*v))
		case *int32:
			dst = strconv.AppendInt(append(dst, key...), int64(*v), 10)
		case *Opt[int32]:
			if v.Valid {
				dst = strconv.AppendInt(append(dst, key...), int64(v.Value), 10)
			}
		case *Opt[bool]:
			if v.Valid {
				dst = appendBool(append(dst, key...), v.Value)
			}
		case *time.Time:
			dst = appendQuotedTime(append(dst, key...), *v)
		case *Opt[time.Time]:
			if v.Valid {
				dst = appendQuotedTime(append(dst, key...), v.Value)
			}
		case *Opt[Decimal]:
			if v.Valid {
				dst, ok = appendText(append(dst, key...), v.Value.Text)
			}
		case *Opt[[]Message]:
			if v.Valid {
				dst, ok = appendMessages(append(dst, key...), v.Value)
			}
		case *Opt[[]string]:
			if v.Valid {
				dst, ok = appendStrings(append(dst, key...), v.Value)
			}
		default:
			panic("schema: column " + Columns[i].Name + " has a type without an encoding")
		}
		if !ok {
			return dst[:start], fmt.Errorf("encode row: column %s is not valid UTF-8", Columns[i].Name)
		}
	}
	// Every member begins with a comma; the first one's is the brace.
	dst[start] = '{'
	return append(dst, '}'), nil
}

// appendText appends s as a JSON string and reports whether it is valid UTF-8.
func appendText(dst []byte, s string) ([]byte, bool) {
	dst, ascii := appendStringASCII(dst, s)
	return dst, ascii || ValidText(s)
}

func appendQuotedTime(dst []byte, t time.Time) []byte {
	return append(AppendTime(append(dst, '"'), t), '"')
}

func appendStrings(dst []byte, list []string) (_ []byte, ok bool) {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, ok = appendText(dst, s); !ok {
			return dst, false
		}
	}
	return append(dst, ']'), true
}

func appendMessages(dst []byte, messages []Message) (_ []byte, ok bool) {
	dst = append(dst, '[')
	for i := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, ok = appendMessage(dst, &messages[i]); !ok {
			return dst, false
		}
	}
	return append(dst, ']'), true
}

func appendMessage(dst []byte, m *Message) ([]byte, bool) {
	start := len(dst)
	question, response := true, true
	if m.MessageID.Valid {
		dst = strconv.AppendInt(append(dst, `,"message_id":`...), m.MessageID.Value, 10)
	}
	if m.CreatedAt.Valid {
		dst = appendQuotedTime(append(dst, `,"created_at":`...), m.CreatedAt.Value)
	}
	if m.Question.Valid {
		dst, question = appendText(append(dst, `,"question":`...), m.Question.Value)
	}
	if m.Response.Valid {
		dst, response = appendText(append(dst, `,"response":`...), m.Response.Value)
	}
	if len(dst) == start {
		return append(dst, '{', '}'), true
	}
	dst[start] = '{'
	return append(dst, '}'), question && response
}
