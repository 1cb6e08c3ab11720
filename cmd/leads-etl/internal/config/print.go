package config

import (
	"encoding"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// Print writes what is in force as a configuration file, each key with a comment
// that says where its value came from. Secrets are comments without the value.
// Read back, the file gives the same settings, secrets excepted.
func (f *InForce) Print(w io.Writer) error {
	var b strings.Builder
	section := ""
	for i := 0; i < len(f.keys); {
		end := i
		for end < len(f.keys) && f.keys[end].section == f.keys[i].section {
			end++
		}
		if s := f.keys[i].section; s != section {
			section = s
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "[%s]\n", section)
		}
		f.printBlock(&b, f.keys[i:end])
		i = end
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printBlock writes keys of one section, with their comments below each other.
func (f *InForce) printBlock(b *strings.Builder, keys []*key) {
	type line struct{ text, origin string }
	var lines []line
	width := 0
	for _, k := range keys {
		if k.local {
			continue
		}
		value, set := tomlValue(f.flags[k].Target)
		if k.flag.Tag.Type == sizeType {
			value = quote(FormatSize(f.flags[k].Target.Int()))
		}
		l := line{text: k.key + " = " + value, origin: f.origin[k]}
		switch {
		case k.secret && set:
			l.text = "# " + k.key + " is set, and not shown"
		case l.origin == "" && !set:
			l.text, l.origin = "# "+l.text, "not set"
		case l.origin == "":
			l.origin = "default"
		}
		lines = append(lines, l)
		width = max(width, utf8.RuneCountInString(l.text))
	}
	for _, l := range lines {
		fmt.Fprintf(b, "%-*s  # %s\n", width, l.text, l.origin)
	}
}

// tomlValue writes a setting's value; set is false if it is empty text or an
// empty list, which stands for a setting that was not made.
func tomlValue(v reflect.Value) (text string, set bool) {
	if v.Kind() == reflect.Slice {
		var parts []string
		for i := range v.Len() {
			part, _ := tomlValue(v.Index(i))
			parts = append(parts, part)
		}
		return "[" + strings.Join(parts, ", ") + "]", len(parts) > 0
	}
	if d, ok := v.Interface().(time.Duration); ok {
		return quote(FormatDuration(d)), true
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		data, err := m.MarshalText()
		if err == nil {
			return quote(string(data)), len(data) > 0
		}
	}
	if v.Kind() == reflect.String {
		return quote(v.String()), v.Len() > 0
	}
	return fmt.Sprint(v.Interface()), true
}

// quote writes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
