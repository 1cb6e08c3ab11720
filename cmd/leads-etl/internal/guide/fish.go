package guide

import (
	"slices"
	"strings"
)

// fish writes commands for fish's complete.
func (s *script) fish(root *command) {
	s.line("# fish completion for %s. Put it into ~/.config/fish/completions/%s.fish, or load it with", s.program, s.program)
	s.line("#     %s completion fish | source", s.program)
	s.line("")
	var flags []flag
	for _, c := range root.all() {
		flags = append(flags, c.flags...)
	}
	s.line("# _%s_at succeeds where the command that was typed so far is the given one.", s.function)
	s.line("function _%s_at", s.function)
	s.line("    set -l valued %s", strings.Join(slices.Compact(slices.Sorted(slices.Values(valued(flags)))), " "))
	s.line("    set -l path ''")
	s.line("    set -l skip no")
	s.line("    for word in (commandline -opc)[2..-1]")
	s.line("        if test $skip = yes")
	s.line("            set skip no")
	s.line("        else if contains -- $word $valued")
	s.line("            set skip yes")
	s.line("        else if not string match -q -- '-*' $word")
	s.line("            switch (string trim \"$path $word\")")
	for _, c := range root.all()[1:] {
		s.line("                case %s", quote(c.path))
		s.line("                    set path %s", quote(c.path))
	}
	s.line("            end")
	s.line("        end")
	s.line("    end")
	s.line("    contains -- \"$path\" $argv")
	s.line("end")
	s.line("")
	s.line("complete -c %s -f", s.program)
	for _, c := range root.all() {
		s.line("")
		at := "_" + s.function + "_at " + quote(c.path)
		for _, child := range c.children {
			s.line("complete -c %s -n %s -a %s -d %s", s.program, quoteFish(at), child.name, quoteFish(child.help))
		}
		for _, a := range c.args {
			if len(a.values) > 0 {
				s.line("complete -c %s -n %s -a %s", s.program, quoteFish(at), quoteFish(strings.Join(a.values, " ")))
			}
		}
		for i := range c.flags {
			s.fishFlag(root, c, &c.flags[i])
		}
	}
}

// fishFlag writes the flag of a command, which those below it take too.
func (s *script) fishFlag(root, c *command, f *flag) {
	at := "_" + s.function + "_at"
	for _, d := range root.all() {
		if d == c || c.path == "" || strings.HasPrefix(d.path, c.path+" ") {
			at += " " + quote(d.path)
		}
	}
	names := ""
	for _, n := range f.names {
		if long, ok := strings.CutPrefix(n, "--"); ok {
			names += " -l " + long
		} else {
			names += " -s " + n[1:]
		}
	}
	value := ""
	switch f.kind {
	case kindValues:
		value = " -x -a " + quoteFish(strings.Join(f.values, " "))
	case kindFile:
		value = " -r -F"
	case kindFolder:
		value = " -x -a '(__fish_complete_directories)'"
	case kindOther:
		value = " -x"
	}
	s.line("complete -c %s -n %s%s%s -d %s", s.program, quoteFish(at), names, value, quoteFish(f.Help))
}

// quoteFish quotes for fish alone, in whose single quotes a backslash escapes.
func quoteFish(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
