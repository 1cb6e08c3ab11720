package guide

import (
	"cmp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Values names the values that a flag or an argument takes, where they are few;
// nil for others. An argument is named as its command spells it.
type Values func(name string) []string

// command is one node of the grammar, without what is hidden.
type command struct {
	// path is the command as it is typed, without the program's name: "" for the
	// program itself.
	path     string
	name     string
	help     string
	detail   string
	flags    []flag
	args     []argument
	children []*command
}

// kinds of values.
const (
	kindNone   = iota // a switch
	kindOther         // nothing is known about it
	kindValues        // one of a few
	kindFile
	kindFolder
)

// flag is a flag of a command, or one that all commands share.
type flag struct {
	*kong.Flag
	// names are what it is typed as: the long one with two dashes, the short one
	// with one, the negated one last. Aliases are others that work too, and that
	// nobody has to be told.
	names   []string
	aliases []string
	kind    int
	values  []string
}

type argument struct {
	*kong.Positional
	values []string
}

// repeated says that it may be given more than once.
func (f *flag) repeated() bool { return f.IsSlice() }

// placeholder stands for the value.
func (f *flag) placeholder() string { return cmp.Or(f.PlaceHolder, strings.ToUpper(f.Name)) }

// env is the variable that gives the flag, "" if none.
func (f *flag) env() string {
	if len(f.Envs) == 0 {
		return ""
	}
	return f.Envs[0]
}

// read makes a command of a node, and of those below it.
func read(node *kong.Node, values Values) *command {
	c := &command{name: node.Name, help: node.Help, detail: node.Detail}
	if node.Type == kong.CommandNode {
		c.path = strings.Join(pathOf(node), " ")
	}
	for _, f := range node.Flags {
		if !f.Hidden {
			c.flags = append(c.flags, readFlag(f, values))
		}
	}
	for _, p := range node.Positional {
		c.args = append(c.args, argument{p, valuesOf(p, values)})
	}
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			c.children = append(c.children, read(child, values))
		}
	}
	return c
}

func pathOf(node *kong.Node) []string {
	if node == nil || node.Type != kong.CommandNode {
		return nil
	}
	return append(pathOf(node.Parent), node.Name)
}

func readFlag(f *kong.Flag, values Values) flag {
	r := flag{Flag: f, values: valuesOf(f.Value, values)}
	r.names = append(r.names, "--"+f.Name)
	for _, alias := range f.Aliases {
		r.aliases = append(r.aliases, "--"+alias)
	}
	if f.Short != 0 {
		r.names = append(r.names, "-"+string(f.Short))
	}
	if f.IsBool() && f.Tag.Negatable != "" {
		negated := "no-" + f.Name
		if f.Tag.Negatable != "_" { // kong's mark for the usual name
			negated = f.Tag.Negatable
		}
		r.names = append(r.names, "--"+negated)
	}
	switch {
	case f.IsBool() || f.IsCounter():
		r.kind = kindNone
	case len(r.values) > 0:
		r.kind = kindValues
	case f.PlaceHolder == "FILE":
		r.kind = kindFile
	case f.PlaceHolder == "DIR":
		r.kind = kindFolder
	default:
		r.kind = kindOther
	}
	return r
}

func valuesOf(v *kong.Value, values Values) []string {
	if v.Enum != "" {
		return slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
	}
	if values == nil {
		return nil
	}
	return values(v.Name)
}

// all returns the command and those below it, in the order of the grammar.
func (c *command) all() []*command {
	list := []*command{c}
	for _, child := range c.children {
		list = append(list, child.all()...)
	}
	return list
}

// runnable are the commands that have none below them.
func (c *command) runnable() []*command {
	return slices.DeleteFunc(c.all(), func(d *command) bool { return len(d.children) > 0 || d.path == "" })
}
