package guide

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Page is what a manual page says besides the grammar.
type Page struct {
	// Description is the text of the program, in paragraphs; indented lines are
	// kept as they are.
	Description string
	// Source is what the page is part of, "leads-etl 1.2.0", and Date when that was
	// made, YYYY-MM-DD.
	Source, Date string
	// Sections follow the commands and settings, in this order.
	Sections []Section
}

// Section is a section of a manual page: a text, as in Page, and a list of terms.
type Section struct {
	Title string
	Text  string
	Terms []Term
}

// Term is one entry of a list.
type Term struct{ Name, Text string }

// Man writes the manual page of a grammar, in the macros of man(7). Flags that
// have a variable of the environment are settings, which commands share: they
// stand in a section of their own, and once.
func Man(w io.Writer, app *kong.Application, p Page, values Values) error {
	root := read(app.Node, values)
	m := &page{}
	// The date is no text: it is read.
	fmt.Fprintf(m, ".TH \"%s\" \"1\" \"%s\" \"%s\" \"User Commands\"\n", roff(strings.ToUpper(app.Name)), p.Date, roff(p.Source))
	m.macro("SH", "NAME")
	summary, _, _ := strings.Cut(p.Description, "\n")
	m.text(app.Name + ` \- ` + roff(lowered(strings.TrimSuffix(summary, "."))))
	m.macro("SH", "SYNOPSIS")
	for i, c := range root.runnable() {
		if i > 0 {
			m.macro("br")
		}
		m.macro("B", app.Name+" "+c.path)
		m.text(roff(strings.Join(usageOf(c), " ")))
	}
	m.macro("SH", "DESCRIPTION")
	m.prose(p.Description)
	m.macro("SH", "OPTIONS")
	m.flags(ownFlags(root))
	m.macro("SH", "COMMANDS")
	for _, c := range root.runnable() {
		m.command(app.Name, c)
	}
	m.settings(root)
	for _, s := range p.Sections {
		m.macro("SH", strings.ToUpper(s.Title))
		m.prose(s.Text)
		for _, t := range s.Terms {
			m.macro("TP")
			m.macro("B", t.Name)
			m.text(roff(t.Text))
		}
	}
	_, err := io.WriteString(w, m.String())
	return err
}

// page is a manual page in the making.
type page struct{ strings.Builder }

// macro writes a request with its arguments.
func (p *page) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		fmt.Fprintf(p, ` "%s"`, strings.ReplaceAll(roff(a), `"`, `\(dq`))
	}
	p.WriteByte('\n')
}

// text writes a line that is already in roff's form.
func (p *page) text(line string) {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		line = `\&` + line
	}
	p.WriteString(line + "\n")
}

// prose writes paragraphs, and indented lines as they are.
func (p *page) prose(text string) {
	indented := func(line string) bool { return strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t") }
	lines := strings.Split(strings.TrimSpace(text), "\n")
	// What begins a section is a paragraph already.
	begun := true
	for i := 0; i < len(lines); i++ {
		switch {
		case strings.TrimSpace(lines[i]) == "":
			begun = false
		case indented(lines[i]):
			p.macro("PP")
			p.macro("RS", "4")
			p.macro("nf")
			for ; i < len(lines) && (indented(lines[i]) || lines[i] == "" && i+1 < len(lines) && indented(lines[i+1])); i++ {
				p.text(roff(strings.TrimPrefix(lines[i], "    ")))
			}
			i--
			p.macro("fi")
			p.macro("RE")
			begun = false
		default:
			if !begun {
				p.macro("PP")
			}
			p.text(roff(strings.TrimSpace(lines[i])))
			begun = true
		}
	}
}

func (p *page) command(program string, c *command) {
	p.macro("SS", strings.Join(append([]string{program, c.path}, usageOf(c)...), " "))
	p.prose(c.help)
	if c.detail != "" {
		p.macro("PP")
		p.prose(c.detail)
	}
	for _, a := range c.args {
		p.macro("TP")
		p.macro("I", a.Name)
		p.text(roff(a.Help))
	}
	p.flags(ownFlags(c))
}

// flags writes a list of flags.
func (p *page) flags(flags []flag) {
	for i := range flags {
		p.flag(&flags[i], nil)
	}
}

// flag writes one flag, with more lines below its text.
func (p *page) flag(f *flag, more []string) {
	names := slices.SortedStableFunc(slices.Values(f.names), func(a, b string) int { // the short one first, as in the help
		return cmp.Compare(min(len(a), 3), min(len(b), 3))
	})
	p.macro("TP")
	name := strings.Join(names, ", ")
	if f.kind != kindNone {
		name += " " + f.placeholder()
	}
	p.macro("B", name)
	p.text(roff(f.Help))
	for _, line := range more {
		p.macro("br")
		p.text(roff(line))
	}
}

// settings writes the flags that are settings, by their groups.
func (p *page) settings(root *command) {
	p.macro("SH", "SETTINGS")
	p.prose(`Each is a flag of the commands that need it, a variable of the environment, and a key of the configuration file, in this order of precedence.`)
	var groups []*kong.Group
	byGroup := map[string][]*flag{}
	for _, f := range settingsOf(root) {
		if byGroup[f.Group.Key] == nil {
			groups = append(groups, f.Group)
		}
		byGroup[f.Group.Key] = append(byGroup[f.Group.Key], f)
	}
	for _, g := range groups {
		p.macro("SS", g.Title)
		if g.Description != "" {
			p.prose(g.Description)
		}
		for _, f := range byGroup[g.Key] {
			from := fmt.Sprintf("[%s] %s, %s", g.Key, f.Tag.Name, f.env())
			if f.HasDefault && f.Default != "" {
				from += "; default " + f.Default
			}
			p.flag(f, []string{from})
		}
	}
}

// settingsOf returns the settings of all commands, each once, with the names that
// it has in any of them.
func settingsOf(root *command) []*flag {
	var settings []*flag
	byEnv := map[string]*flag{}
	for _, c := range root.all() {
		for _, f := range c.flags {
			if f.env() == "" || f.Group == nil {
				continue
			}
			known := byEnv[f.env()]
			if known == nil {
				byEnv[f.env()] = &f
				settings = append(settings, &f)
				continue
			}
			for _, name := range f.names {
				if !slices.Contains(known.names, name) {
					known.names = append(known.names, name)
				}
			}
		}
	}
	return settings
}

// ownFlags are those of a command that are no settings.
func ownFlags(c *command) []flag {
	return slices.DeleteFunc(slices.Clone(c.flags), func(f flag) bool { return f.env() != "" && f.Group != nil })
}

// usageOf is what follows the command's name.
func usageOf(c *command) []string {
	var usage []string
	for _, a := range c.args {
		usage = append(usage, a.Summary())
	}
	return append(usage, "[flags]")
}

// lowered begins a sentence small, as the name line of a manual page does.
func lowered(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// roff escapes what roff takes for its own.
func roff(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...").Replace(text)
}
