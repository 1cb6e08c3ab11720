package twin

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
)

// Bounds of what is kept of messages.
const (
	maxMessages    = 100
	maxParameters  = 32
	maxMessageText = 1 << 10
)

// appendMessages appends the messages in value, an array of objects, as far as
// it is in that form; one object alone and plain strings are taken as well.
func appendMessages(list []flatten.APIMessage, value string) []flatten.APIMessage {
	eachElement(value, maxMessages-len(list), func(element string) {
		switch element[0] {
		case '{':
			list = append(list, messageOf(element))
		case '"':
			list = append(list, flatten.APIMessage{Message: shown(element)})
		}
	})
	return list
}

func messageOf(object string) flatten.APIMessage {
	var m flatten.APIMessage
	for c := into(object); ; {
		quoted, value, ok := c.member()
		if !ok {
			return m
		}
		switch nameOf(quoted) {
		case "errorId":
			m.ID = messageID(value)
		case "domain":
			m.Domain = shown(value)
		case "subDomain":
			m.SubDomain = shown(value)
		case "category":
			m.Category = shown(value)
		case "message":
			m.Message = shown(value)
		case "longMessage":
			m.LongMessage = shown(value)
		case "inputRefIds":
			m.InputRefIDs = appendShown(m.InputRefIDs, value)
		case "outputRefIds":
			m.OutputRefIDs = appendShown(m.OutputRefIDs, value)
		case "parameters":
			m.Parameters = appendParameters(m.Parameters, value)
		}
	}
}

// messageID takes the id as a number, and as a string of one.
func messageID(value string) int64 {
	if text, ok := textOf(value); ok {
		id, _ := strconv.ParseInt(text, 10, 64)
		return id
	}
	id, _ := integerOf(value)
	return id
}

func appendParameters(list []flatten.Parameter, value string) []flatten.Parameter {
	eachElement(value, maxParameters-len(list), func(element string) {
		if element[0] != '{' {
			return
		}
		var p flatten.Parameter
		for c := into(element); ; {
			quoted, value, ok := c.member()
			if !ok {
				break
			}
			switch nameOf(quoted) {
			case "name":
				p.Name = shown(value)
			case "value":
				p.Value = shown(value)
			}
		}
		list = append(list, p)
	})
	return list
}

func appendShown(list []string, value string) []string {
	eachElement(value, maxParameters-len(list), func(element string) {
		list = append(list, shown(element))
	})
	return list
}

// eachElement calls read for the first elements of value, up to limit; a value
// that is no array is taken for its only element, null for none.
func eachElement(value string, limit int, read func(element string)) {
	if value[0] != '[' {
		if value != "null" && limit > 0 {
			read(value)
		}
		return
	}
	for c := into(value); limit > 0; limit-- {
		element, ok := c.element()
		if !ok {
			return
		}
		read(element)
	}
}

// shown returns a value as it can be shown: the text of a string, others as
// they are written; at most maxMessageText bytes, on one line.
func shown(value string) string {
	text, ok := textOf(value)
	if !ok {
		if value == "null" {
			return ""
		}
		text = strings.ToValidUTF8(value, "\uFFFD")
	}
	if len(text) > maxMessageText {
		cut := maxMessageText - len("…")
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.Clone(text))
}
