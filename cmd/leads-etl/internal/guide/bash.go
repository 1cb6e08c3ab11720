package guide

import (
	"slices"
	"strings"
)

// bash writes a function for bash's complete -F. It needs nothing of the package
// bash-completion, and works with the bash 3.2 of macOS.
func (s *script) bash(root *command) {
	s.line("# bash completion for %s. Load it with", s.program)
	s.line("#     source <(%s completion bash)", s.program)
	s.line("# or put it into ~/.local/share/bash-completion/completions/%s", s.program)
	s.line("")
	s.line("%s() {", s.function)
	// A word with = in it comes in three words.
	s.WriteString(`    local cur="${COMP_WORDS[COMP_CWORD]}" flag='' path='' word i skip=''
    local children='' flags='' valued='' args=''
    COMPREPLY=()
    if [ "$COMP_CWORD" -gt 0 ]; then flag="${COMP_WORDS[COMP_CWORD-1]}"; fi
    if [ "$cur" = = ]; then
        cur=''
    elif [ "$flag" = = ] && [ "$COMP_CWORD" -gt 1 ]; then
        flag="${COMP_WORDS[COMP_CWORD-2]}"
    fi
`)
	s.line("    %s_at", s.function)
	s.WriteString(`    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        if [ -n "$skip" ]; then
            skip=''
            if [ "$word" = = ]; then skip=yes; fi
            continue
        fi
        case "$word" in
        =) skip=yes ;;
        -*) case " $valued " in *" $word "*) skip=yes ;; esac ;;
        *) case " $children " in *" $word "*)
            path="$path${path:+ }$word"
`)
	s.line("            %s_at ;;", s.function)
	s.WriteString(`            esac ;;
        esac
    done
    case "$flag" in
    -*) case " $valued " in *" $flag "*)
`)
	s.line("        %s_value", s.function)
	s.WriteString(`        return ;;
        esac ;;
    esac
    case "$cur" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "$children $args" -- "$cur")) ;;
    esac
}

`)
	s.line("# %s_at sets what may follow a command.", s.function)
	s.line("%s_at() {", s.function)
	s.line(`    case "$path" in`)
	for _, c := range root.all() {
		flags := flagsOf(root, c)
		var args []string
		for _, a := range c.args {
			args = append(args, a.values...)
		}
		s.line("    %s)", quote(c.path))
		s.line("        children=%s", quote(strings.Join(childNames(c), " ")))
		s.line("        args=%s", quote(strings.Join(args, " ")))
		s.line("        flags=%s", quote(strings.Join(namesOf(flags), " ")))
		s.line("        valued=%s ;;", quote(strings.Join(valued(flags), " ")))
	}
	s.line("    esac")
	s.line("}")
	s.line("")
	s.line("# %s_value completes the value of a flag.", s.function)
	s.line("%s_value() {", s.function)
	s.line(`    case "$path:$flag" in`)
	for _, c := range root.all() {
		for _, f := range flagsOf(root, c) {
			var reply string
			switch f.kind {
			case kindValues:
				reply = "compgen -W " + quote(strings.Join(f.values, " ")) + ` -- "$cur"`
			case kindFile:
				reply = `compgen -f -- "$cur"`
			case kindFolder:
				reply = `compgen -d -- "$cur"`
			default:
				continue
			}
			var patterns []string
			for _, n := range append(slices.Clone(f.names), f.aliases...) {
				patterns = append(patterns, quote(c.path+":"+n))
			}
			if f.kind == kindValues {
				s.line("    %s) COMPREPLY=($(%s)) ;;", strings.Join(patterns, "|"), reply)
				continue
			}
			// Names may hold blanks.
			s.line("    %s) local IFS=$'\\n'; COMPREPLY=($(%s)); compopt -o filenames 2>/dev/null ;;", strings.Join(patterns, "|"), reply)
		}
	}
	s.line("    esac")
	s.line("}")
	s.line("")
	s.line("complete -F %s %s", s.function, s.program)
}
