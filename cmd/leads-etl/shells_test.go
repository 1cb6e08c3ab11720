package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// offer asks a shell what it offers after a command line, whose last word may be
// begun.
type offer func(t *testing.T, script, line string) []string

// What the shells themselves offer, with the scripts as the program prints them.
// bash is everywhere; the others are asked where they are installed, and must be
// in CI.
func TestCompletions(t *testing.T) {
	for shell, ask := range map[string]offer{"bash": askBash, "zsh": askZsh, "fish": askFish} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				if shell == "bash" || os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip("not installed: ", shell)
			}
			dir := t.TempDir()
			t.Chdir(dir)
			for _, name := range []string{"a folder", "pem"} {
				if err := os.Mkdir(name, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile("my ca.pem", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			code, script, stderr := runIn(t, nil, "completion", shell)
			if code != exitDone || stderr != "" {
				t.Fatalf("exit code %d, stderr %q", code, stderr)
			}
			path := filepath.Join(t.TempDir(), "_"+programName)
			if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			var commands []string
			for command := range leaves(t) {
				commands = append(commands, strings.Fields(command)[0])
			}
			slices.Sort(commands)
			for _, c := range []struct {
				line string
				// want is all that is offered, has a part of it, and lacks what must not be.
				want, has, lacks []string
			}{
				{line: "", want: slices.Compact(commands)},
				{line: "st", want: []string{"status", "stream"}},
				{line: "--config pem st", want: []string{"status", "stream"}},
				{line: "-q batch --la", want: []string{"--last"}},
				{line: "batch --ebay-", has: []string{"--ebay-marketplace", "--ebay-client-secret-file"}, lacks: []string{"--ebay-client-secret", "--last"}},
				{line: "batch --no-e", want: []string{"--no-ebay-include-messages"}},
				{line: "batch --last 30d --ver", want: []string{"--verbose", "--version"}},
				{line: "batch --ebay-environment ", want: []string{"production", "sandbox"}},
				{line: "batch --ebay-marketplace EBAY_D", want: []string{"EBAY_DE"}},
				{line: "run --mode s", want: []string{"stream"}},
				{line: "check --log-level ", want: []string{"debug", "error", "info", "warn"}},
				{line: "check --kafka-sasl-mechanism SCRAM", want: []string{"SCRAM-SHA-256", "SCRAM-SHA-512"}},
				{line: "schema sql-s", want: []string{"sql-snowflake", "sql-spark"}},
				{line: "completion ", want: []string{"bash", "fish", "zsh"}},
				{line: "batch --parquet-dir ", has: []string{"a folder/", "pem/"}, lacks: []string{"my ca.pem"}},
				{line: "batch --kafka-tls-ca m", want: []string{"my ca.pem"}},
				{line: "demo --pa"},
				{line: "batch --last 30d zz"},
			} {
				got := ask(t, path, c.line)
				slices.Sort(got)
				if c.has == nil && !slices.Equal(got, c.want) {
					t.Errorf("%q: offered %q, want %q", c.line, got, c.want)
				}
				for _, has := range c.has {
					if !slices.Contains(got, has) {
						t.Errorf("%q: %q is not offered, but %q", c.line, has, got)
					}
				}
				for _, lacks := range c.lacks {
					if slices.Contains(got, lacks) {
						t.Errorf("%q: %q is offered", c.line, lacks)
					}
				}
			}
		})
	}
}

// lines runs a shell and returns what it printed, line by line.
func lines(t *testing.T, name string, args ...string) []string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("%s %q: %v\n%s", name, args, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.TrimRight(string(out), "\n"); text != "" {
		return strings.Split(text, "\n")
	}
	return nil
}

// askBash does what bash does at a Tab.
func askBash(t *testing.T, script, line string) []string {
	const tab = `
source "$1"
set -f
COMP_WORDS=(leads-etl $2)
set +f
case "$2" in ''|*' ') COMP_WORDS+=('') ;; esac
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
complete -p leads-etl | grep -q ' -F _leads_etl ' || exit 1
_leads_etl leads-etl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
for reply in "${COMPREPLY[@]}"; do
	if [ -d "$reply" ]; then reply="$reply/"; fi
	printf '%s\n' "$reply"
done`
	return lines(t, "bash", "--norc", "--noprofile", "-c", tab, "bash", script, line)
}

// With = in it a word comes in three.
func TestBashCompletesAfterEquals(t *testing.T) {
	_, script, _ := runIn(t, nil, "completion", "bash")
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string][]string{
		"batch --ebay-environment =":                  {"production", "sandbox"},
		"batch --ebay-environment = s":                {"sandbox"},
		"--log-level = info st":                       {"status", "stream"},
		"batch --last = 30d --ebay-environment = san": {"sandbox"},
	} {
		got := askBash(t, path, line)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q: offered %q, want %q", line, got, want)
		}
	}
}

// askZsh runs an interactive zsh in a pseudo-terminal of zsh's own, presses Tab
// there, and has the function that adds matches write them down instead.
func askZsh(t *testing.T, script, line string) []string {
	const capture = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT= RPROMPT= ; stty -echo; fpath=(${1:h} \$fpath); autoload -Uz compinit; compinit -u -d $3/dump"
zpty -w z '
compadd () {
	local -a shown hits=() stripped
	zparseopts -E -a stripped O: A: D:
	if (( ${#stripped} )); then builtin compadd "$@"; return; fi
	local suffix=
	[[ " $* " == *" -f "* || " $* " == *" -W "* ]] && suffix=file
	builtin compadd -O hits "$@"
	local hit
	for hit in "${hits[@]}"; do
		hit="$IPREFIX${(Q)hit}"
		[[ -n $suffix && -d $hit ]] && hit="$hit/"
		print -r -- "$hit" >> '$3'/replies
	done
	builtin compadd "$@"
}
zstyle ":completion:*" verbose no
finish () { zle list-choices; print -n > '$3'/done; zle kill-buffer; }
zle -N finish
bindkey "^X" finish
print ready > '$3'/ready
'
for i in {1..2000}; do [[ -e $3/ready ]] && break; sleep 0.05; done
zpty -w -n z "leads-etl $2"$'\x18'
for i in {1..2000}; do [[ -e $3/done ]] && break; sleep 0.05; done
zpty -d z
[[ -e $3/done ]] || exit 1
[[ -e $3/replies ]] && sort -u $3/replies
true`
	dir := t.TempDir()
	return lines(t, "zsh", "-f", "-c", capture, "zsh", script, line, dir)
}

// askFish uses fish's own way to ask.
func askFish(t *testing.T, script, line string) []string {
	t.Setenv("HOME", t.TempDir())
	var offered []string
	for _, l := range lines(t, "fish", "--no-config", "-c", `source $argv[1]; complete -C "leads-etl $argv[2]"`, script, line) {
		word, _, _ := strings.Cut(l, "\t") // the description follows
		offered = append(offered, strings.ReplaceAll(word, `\ `, " "))
	}
	return offered
}

// The manual page is one that its readers find no fault with.
func TestManualPage(t *testing.T) {
	code, page, stderr := runIn(t, nil, "man")
	if code != exitDone || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	for path, node := range leaves(t) {
		if !strings.Contains(page, roffOf(programName+" "+path)) || !strings.Contains(page, roffOf(node.Help)) {
			t.Errorf("nothing is said of %s", path)
		}
		for _, flag := range node.Flags {
			if n := strings.Count(page, roffOf("--"+flag.Name)); n == 0 && !flag.Hidden {
				t.Errorf("nothing is said of --%s", flag.Name)
			}
		}
	}
	if strings.Contains(page, roffOf("--ebay-client-secret ")) {
		t.Error("a secret's flag is shown")
	}
	if _, err := exec.LookPath("mandoc"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("mandoc is not installed")
	}
	path := filepath.Join(t.TempDir(), programName+".1")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	lint := exec.Command("mandoc", "-T", "lint", "-W", "warning", path)
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	shown := strings.Join(lines(t, "mandoc", "-T", "ascii", "-O", "width=100", path), "\n")
	for _, want := range []string{"leads-etl batch --last 30d", "LEADS_ETL_FETCH_WINDOW; default 24h", "EXIT STATUS"} {
		if !strings.Contains(strip(shown), want) {
			t.Errorf("%q is not shown", want)
		}
	}
}

func roffOf(text string) string { return strings.NewReplacer("-", `\-`, "…", "...").Replace(text) }

// strip takes away how terminals of old print bold: each character over itself.
func strip(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for i, r := range runes {
		if r == '\b' || i+1 < len(runes) && runes[i+1] == '\b' {
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
