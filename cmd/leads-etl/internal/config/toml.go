package config

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// kind is what sort of value a file gives for a key.
type kind uint8

const (
	kindString kind = iota
	kindBool
	kindInteger
	kindFloat
	kindTime
	kindList
	kindOther
)

// String names the kind to people.
func (k kind) String() string {
	return [...]string{"text", "true or false", "an integer", "a decimal number", "a time", "a list", "a table"}[k]
}

// name is a key's identity: its section ("" for keys above the sections) and
// its name there.
type name struct{ section, key string }

// String is the key as people write it: "[fetch] window".
func (n name) String() string {
	if n.section == "" {
		return n.key
	}
	return "[" + n.section + "] " + n.key
}

// entry is one key of a file with its value as text.
type entry struct {
	name
	line int
	kind kind
	// text is the value, strings unescaped, everything else as written; elements
	// are those of a list.
	text     string
	elements []entry
}

// document is a TOML file cut into its keys, in the order of the file.
type document struct {
	entries  []entry
	sections []entry // the headers: section and line only
	problems []Problem
	// muddled are the keys and sections that the problems concern; cut is set if
	// the file could not be read to its end.
	muddled []name
	cut     bool
}

// parseTOML reads a file's keys. path is only for the problems' places. What
// can be read is returned also if there are problems.
func parseTOML(path string, data []byte) document {
	r := tomlReader{path: path, data: data}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		r.doc.cut = true
		r.report(r.line(i), name{}, "", "the file is not text", "")
		return r.doc
	}
	r.read()
	if len(r.doc.problems) == 0 {
		r.strict()
	}
	return r.doc
}

type tomlReader struct {
	path   string
	data   []byte
	parser unstable.Parser
	doc    document
	// table is the section that keys belong to; skip is set while in one that
	// cannot be a section.
	table string
	skip  bool
}

// report adds a problem with n, which may be a section or, if empty, the file.
func (r *tomlReader) report(line int, n name, shown, text, hint string) {
	if n != (name{}) {
		r.doc.muddled = append(r.doc.muddled, n)
	}
	r.doc.problems = append(r.doc.problems, Problem{Place: place(r.path, line), Key: shown, Text: text, Hint: hint})
}

func place(path string, line int) string { return path + ":" + strconv.Itoa(line) }

// line returns the number, from 1, of the line that holds the byte.
func (r *tomlReader) line(offset int) int {
	return 1 + bytes.Count(r.data[:offset], []byte{'\n'})
}

// read walks the expressions. The parser stops at the first that it cannot
// read, so that nothing after it is known.
func (r *tomlReader) read() {
	r.parser.Reset(r.data)
	for r.parser.NextExpression() {
		switch node := r.parser.Expression(); node.Kind {
		case unstable.Table:
			r.header(node)
		case unstable.ArrayTable:
			r.skip = true
			parts, line := r.key(node)
			r.report(line, name{parts[0], everyKey}, "[["+strings.Join(parts, ".")+"]]", "a section cannot be a list", "write it in single brackets")
		case unstable.KeyValue:
			if !r.skip {
				r.keyValue(r.table, node)
			}
		}
	}
	if err := r.parser.Error(); err != nil {
		line := r.line(len(r.data))
		if perr, ok := errors.AsType[*unstable.ParserError](err); ok {
			line = r.lineOf(perr.Highlight)
		}
		// The parser's message may quote a character, but never a value.
		r.doc.cut = true
		r.report(line, name{}, "", "the file is not TOML from here on: "+err.Error(), `the form is key = value, with text in quotes`)
	}
}

// lineOf returns the line of a part of the input; its last line if b is none.
func (r *tomlReader) lineOf(b []byte) int {
	offset := cap(r.data) - cap(b)
	if b == nil || offset < 0 || offset > len(r.data) {
		offset = len(r.data)
	}
	return r.line(offset)
}

// strict has the library read the whole file, for the rules of TOML that
// concern more than one expression.
func (r *tomlReader) strict() {
	var all map[string]any
	err := toml.Unmarshal(r.data, &all)
	if err == nil {
		return
	}
	line := 1
	if derr, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ = derr.Position()
	}
	r.report(line, name{}, "", "the file is not valid TOML: "+strings.TrimPrefix(err.Error(), "toml: "), "")
}

// key returns the parts of a dotted key and its line.
func (r *tomlReader) key(node *unstable.Node) (parts []string, line int) {
	line = 1
	for it := node.Key(); it.Next(); {
		part := it.Node()
		if parts == nil {
			line = r.line(int(part.Raw.Offset))
		}
		parts = append(parts, string(part.Data))
	}
	return parts, line
}

func (r *tomlReader) header(node *unstable.Node) {
	parts, line := r.key(node)
	r.table, r.skip = strings.Join(parts, "."), false
	if len(parts) > 1 {
		r.skip = true
		r.report(line, name{parts[0], everyKey}, "["+r.table+"]", "sections have no sections of their own", "")
		return
	}
	for _, s := range r.doc.sections {
		if s.section == r.table {
			r.report(line, name{section: r.table}, "["+r.table+"]", fmt.Sprintf("the section is there twice, first in line %d", s.line), "put its keys together")
			return
		}
	}
	r.doc.sections = append(r.doc.sections, entry{name: name{section: r.table}, line: line})
}

// keyValue takes a key up. Dotted keys and inline tables are other ways to
// write a section.
func (r *tomlReader) keyValue(section string, node *unstable.Node) {
	parts, line := r.key(node)
	value := node.Value()
	if section == "" && len(parts) == 2 {
		section, parts = parts[0], parts[1:]
	}
	if len(parts) > 1 {
		r.report(line, name{section, parts[0]}, name{section, strings.Join(parts, ".")}.String(), "unknown key", "keys of a section have no keys of their own")
		return
	}
	if value.Kind == unstable.InlineTable && section == "" {
		for it := value.Children(); it.Next(); {
			r.keyValue(parts[0], it.Node())
		}
		return
	}
	e := r.value(value)
	e.name, e.line = name{section, parts[0]}, line
	for _, o := range r.doc.entries {
		if o.name == e.name {
			r.report(line, e.name, e.String(), fmt.Sprintf("is there twice, first in line %d", o.line), "remove one")
			return
		}
	}
	r.doc.entries = append(r.doc.entries, e)
}

// value returns kind and text of a value.
func (r *tomlReader) value(node *unstable.Node) entry {
	e := entry{text: string(node.Data)}
	switch node.Kind {
	case unstable.String:
		e.kind = kindString
	case unstable.Bool:
		e.kind = kindBool
	case unstable.Integer:
		e.kind = kindInteger
		// TOML's 0o17, 0xff, 0b1 and 1_000 are Go's too.
		if n, err := strconv.ParseInt(strings.TrimPrefix(e.text, "+"), 0, 64); err == nil {
			e.text = strconv.FormatInt(n, 10)
		}
	case unstable.Float:
		e.kind = kindFloat
	case unstable.LocalDate, unstable.LocalDateTime, unstable.DateTime:
		e.kind = kindTime
	case unstable.Array:
		e.kind = kindList
		for it := node.Children(); it.Next(); {
			e.elements = append(e.elements, r.value(it.Node()))
		}
	default:
		e.kind = kindOther
	}
	return e
}
