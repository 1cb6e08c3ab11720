package guide

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Shells are those that there are completions for.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

// Complete writes the completion script of a grammar for a shell. It is an error
// if the shell is none of Shells.
func Complete(w io.Writer, app *kong.Application, shell string, values Values) error {
	writers := map[string]func(*script, *command){"bash": (*script).bash, "zsh": (*script).zsh, "fish": (*script).fish}
	write, ok := writers[shell]
	if !ok {
		return fmt.Errorf("%q is none of %s", shell, strings.Join(Shells(), ", "))
	}
	root := read(app.Node, values)
	s := &script{program: app.Name, function: "_" + strings.ReplaceAll(app.Name, "-", "_")}
	write(s, root)
	_, err := io.WriteString(w, s.String())
	return err
}

// script is a completion script in the making.
type script struct {
	strings.Builder
	program string
	// function is the name of the function that completes.
	function string
}

func (s *script) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

// quote quotes a text for all three shells.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// flagsOf are the flags that may be given with a command: its own, and those of
// the commands above it.
func flagsOf(root, c *command) []flag {
	flags := slices.Clone(c.flags)
	for _, above := range root.all() {
		if above != c && (above.path == "" || strings.HasPrefix(c.path, above.path+" ")) {
			flags = append(flags, above.flags...)
		}
	}
	return flags
}

// namesOf are the names of these flags that are offered.
func namesOf(flags []flag) []string {
	var names []string
	for i := range flags {
		names = append(names, flags[i].names...)
	}
	return names
}

// valued are all names of those flags that take a value.
func valued(flags []flag) []string {
	var names []string
	for i := range flags {
		if flags[i].kind != kindNone {
			names = append(append(names, flags[i].names...), flags[i].aliases...)
		}
	}
	return names
}

func childNames(c *command) []string {
	names := make([]string, len(c.children))
	for i, child := range c.children {
		names[i] = child.name
	}
	return names
}
