package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// Template is a configuration file for people to go on from: each key with its
// help, those that matter set, the others commented out with their defaults.
type Template struct {
	// Head is put in front, as comments.
	Head string
	// Sections are those to write, in this order, "" for the keys above them, with
	// their titles.
	Sections []TemplateSection
	// Keep reports whether a key is to be set although it has its default.
	Keep func(section, key string) bool
}

// TemplateSection is a section of a Template.
type TemplateSection struct{ Name, Title string }

// Write writes the settings of a grammar, whose targets hold the values. No value
// of a secret is written.
func (t *Template) Write(w io.Writer, c *Catalogue) error {
	var b strings.Builder
	for line := range strings.Lines(t.Head) {
		b.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
	for _, section := range t.Sections {
		if section.Name != "" {
			fmt.Fprintf(&b, "\n# %s.\n[%s]\n", section.Title, section.Name)
		}
		for _, k := range c.keys {
			if k.section == section.Name && !k.local {
				t.key(&b, k)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Template) key(b *strings.Builder, k *key) {
	fmt.Fprintf(b, "\n# %s\n", k.flag.Help)
	if k.secret {
		fmt.Fprintf(b, "# A secret, which does not belong here: %s.\n", k.ways())
		return
	}
	value := k.toml(k.flag.Target)
	mark := ""
	if value == k.toml(k.standard()) && !t.Keep(k.section, k.key) {
		mark = "# "
	}
	fmt.Fprintf(b, "%s%s = %s\n", mark, k.key, value)
}

// toml is a value of the key as the file has it.
func (k *key) toml(v reflect.Value) string {
	if k.flag.Tag.Type == sizeType {
		return quote(FormatSize(v.Int()))
	}
	text, _ := tomlValue(v)
	return text
}

// standard is the default of the key; the zero value if it has none.
func (k *key) standard() reflect.Value {
	v := reflect.New(k.flag.Target.Type()).Elem()
	if k.flag.HasDefault && k.flag.Default != "" {
		// Defaults are values: kong has decoded this one before.
		_ = k.flag.Mapper.Decode(&kong.DecodeContext{Value: k.flag.Value, Scan: kong.Scan().PushTyped(k.flag.Default, kong.FlagValueToken)}, v)
	}
	return v
}
