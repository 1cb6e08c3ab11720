package flatten

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// APIMessage is an error or a warning in eBay's common form. Its texts are cut
// to 1 KiB each and hold only characters that can be printed. They are the API's
// words about a request, not data of a lead.
type APIMessage struct {
	// ID is errorId; 0 if there is none.
	ID                          int64
	Domain, SubDomain, Category string
	Message, LongMessage        string
	InputRefIDs, OutputRefIDs   []string
	Parameters                  []Parameter
}

// Parameter is a detail of an APIMessage: which value the API means.
type Parameter struct{ Name, Value string }

// Bounds of what is kept of messages.
const (
	maxMessages    = 100
	maxParameters  = 32
	maxMessageText = 1 << 10
)

// appendMessages appends the messages in v, an array of objects, as far as
// it is in that form; one object alone and plain strings are taken as well.
func appendMessages(list []APIMessage, v value) []APIMessage {
	eachElement(v, maxMessages-len(list), func(element value) {
		switch element.kind() {
		case '{':
			list = append(list, messageOf(element))
		case '"':
			list = append(list, APIMessage{Message: shown(element)})
		}
	})
	return list
}

func messageOf(object value) APIMessage {
	var m APIMessage
	for c := object.into(); ; {
		name, v, ok := c.member()
		if !ok {
			return m
		}
		switch name {
		case "errorId":
			m.ID = messageID(v)
		case "domain":
			m.Domain = shown(v)
		case "subDomain":
			m.SubDomain = shown(v)
		case "category":
			m.Category = shown(v)
		case "message":
			m.Message = shown(v)
		case "longMessage":
			m.LongMessage = shown(v)
		case "inputRefIds":
			m.InputRefIDs = appendShown(m.InputRefIDs, v)
		case "outputRefIds":
			m.OutputRefIDs = appendShown(m.OutputRefIDs, v)
		case "parameters":
			m.Parameters = appendParameters(m.Parameters, v)
		}
	}
}

// messageID takes the id as a number, and as a string of one.
func messageID(v value) int64 {
	if text, ok := v.text(); ok {
		id, _ := strconv.ParseInt(text, 10, 64)
		return id
	}
	id, _ := integerOf(v)
	return id
}

func appendParameters(list []Parameter, v value) []Parameter {
	eachElement(v, maxParameters-len(list), func(element value) {
		if element.kind() != '{' {
			return
		}
		var p Parameter
		for c := element.into(); ; {
			name, v, ok := c.member()
			if !ok {
				break
			}
			switch name {
			case "name":
				p.Name = shown(v)
			case "value":
				p.Value = shown(v)
			}
		}
		list = append(list, p)
	})
	return list
}

func appendShown(list []string, v value) []string {
	eachElement(v, maxParameters-len(list), func(element value) {
		list = append(list, shown(element))
	})
	return list
}

// eachElement calls read for the first elements of v, up to limit; a value
// that is no array is taken for its only element, null for none.
func eachElement(v value, limit int, read func(element value)) {
	if v.kind() != '[' {
		if !v.isNull() && limit > 0 {
			read(v)
		}
		return
	}
	for c := v.into(); limit > 0; limit-- {
		element, ok := c.element()
		if !ok {
			return
		}
		read(element)
	}
}

// shown returns a value as it can be shown: the text of a string, others as
// they are written; at most maxMessageText bytes, on one line.
func shown(v value) string {
	text, ok := v.text()
	if !ok {
		if v.isNull() {
			return ""
		}
		text = strings.ToValidUTF8(v.raw(), "\uFFFD")
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
