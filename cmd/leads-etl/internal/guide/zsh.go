package guide

import (
	"fmt"
	"strings"
)

// zsh writes functions for zsh's completion system, one a command.
func (s *script) zsh(root *command) {
	s.line("#compdef %s", s.program)
	s.line("# zsh completion for %s. Put it as _%s into a folder of $fpath, or load it with", s.program, s.program)
	s.line("#     source <(%s completion zsh)", s.program)
	for _, c := range root.all() {
		s.line("")
		s.zshCommand(root, c)
	}
	s.line("")
	s.line(`if [ "$funcstack[1]" = _%s ]; then`, s.program)
	s.line(`    %s "$@"`, s.function)
	s.line("else")
	s.line("    compdef %s %s", s.function, s.program)
	s.line("fi")
}

func (s *script) zshName(c *command) string {
	return s.function + strings.NewReplacer(" ", "__", "-", "_").Replace(strings.TrimRight("__"+c.path, "_"))
}

func (s *script) zshCommand(root, c *command) {
	s.line("%s() {", s.zshName(c))
	if len(c.children) == 0 {
		s.line("    _arguments -s \\")
		s.zshFlags(flagsOf(root, c))
		for i, a := range c.args {
			action := " "
			if len(a.values) > 0 {
				action = "(" + strings.Join(a.values, " ") + ")"
			}
			position := fmt.Sprint(i + 1)
			if a.IsCumulative() {
				position = "*"
			}
			s.line("        %s \\", quote(position+":"+zshText(a.Name)+":"+action))
		}
		s.line("        && return 0")
		s.line("}")
		return
	}
	s.line("    local curcontext=\"$curcontext\" state line ret=1")
	s.line("    typeset -A opt_args")
	s.line("    _arguments -s -C \\")
	s.zshFlags(flagsOf(root, c))
	s.line("        '1: :->command' '*:: :->rest' && ret=0")
	s.line("    case $state in")
	s.line("    command)")
	s.line("        local -a commands")
	s.line("        commands=(")
	for _, child := range c.children {
		s.line("            %s", quote(child.name+":"+child.help))
	}
	s.line("        )")
	s.line("        _describe command commands && ret=0 ;;")
	s.line("    rest)")
	s.line("        case $words[1] in")
	for _, child := range c.children {
		s.line("        %s) %s && ret=0 ;;", child.name, s.zshName(child))
	}
	s.line("        esac ;;")
	s.line("    esac")
	s.line("    return ret")
	s.line("}")
}

// zshFlags writes the specifications of _arguments.
func (s *script) zshFlags(flags []flag) {
	for i := range flags {
		f := &flags[i]
		value := ""
		switch f.kind {
		case kindValues:
			value = ":" + zshText(f.Name) + ":(" + strings.Join(f.values, " ") + ")"
		case kindFile:
			value = ":file:_files"
		case kindFolder:
			value = ":folder:_files -/"
		case kindOther:
			value = ":" + zshText(f.placeholder()) + ": "
		}
		exclude := "(" + strings.Join(f.names, " ") + ")"
		if f.repeated() {
			exclude = "*"
		}
		for _, name := range f.names {
			spec := name
			if value != "" {
				spec += "+" // a value of its own word, or in the same
				if strings.HasPrefix(name, "--") {
					spec = name + "="
				}
			}
			s.line("        %s \\", quote(exclude+spec+"["+zshText(f.Help)+"]"+value))
		}
	}
}

// zshText escapes what _arguments takes for its own.
func zshText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(text)
}
