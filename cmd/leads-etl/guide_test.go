package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
)

// leaves are the commands that can be run, by what is typed.
func leaves(t *testing.T) map[string]*kong.Node {
	t.Helper()
	k, _ := parserOf(t)
	config.New(k.Model, envPrefix)
	byPath := map[string]*kong.Node{}
	for _, node := range k.Model.Leaves(true) {
		path := node.Name
		for above := node.Parent; above != nil && above.Type == kong.CommandNode; above = above.Parent {
			path = above.Name + " " + path
		}
		byPath[path] = node
	}
	return byPath
}

// Every command has examples in its help, and each is a command line that is
// understood, as far as that can be told without its configuration.
func TestEveryCommandHasExamples(t *testing.T) {
	for path, node := range leaves(t) {
		_, examples, found := strings.Cut(node.Detail, "Examples:\n\n")
		if !found {
			t.Errorf("%s: no examples in its help: write 'Examples:', an empty line, and indented command lines", path)
			continue
		}
		own := 0
		for line := range strings.Lines(examples) {
			if line == "\n" {
				break
			}
			line, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
			if !ok {
				t.Errorf("%s: an example is not indented by four blanks: %s", path, line)
				break
			}
			args := argsOfExample(line)
			if args == nil {
				continue
			}
			k, _ := parserOf(t)
			config.New(k.Model, envPrefix)
			trace, err := kong.Trace(k, args)
			if err != nil || trace.Error != nil {
				t.Errorf("%s: the example is not understood: %s: %v, %v", path, line, err, trace.Error)
				continue
			}
			if strings.HasPrefix(strings.Join(args, " ")+" ", path+" ") {
				own++
			}
		}
		if own == 0 {
			t.Errorf("%s: none of its examples is of it", path)
		}
	}
}

// argsOfExample returns what the shell would give the program, nil if the line
// does not run it.
func argsOfExample(line string) []string {
	_, args, found := strings.Cut(" "+strings.ReplaceAll(line, "<(", " "), " "+programName+" ")
	if !found {
		return nil
	}
	fields := strings.Fields(args)
	for i, f := range fields {
		if f = strings.TrimRight(f, ")"); f != fields[i] && !strings.Contains(f, "(") {
			return append(fields[:i:i], f)
		}
		if strings.HasPrefix(f, "|") || strings.HasPrefix(f, ">") || f == "&&" || strings.HasPrefix(f, "#") || strings.HasPrefix(f, "2>") {
			return fields[:i]
		}
	}
	return fields
}

// Every value that is offered for a setting is one: what checks it says so. And
// every name of the table is a flag's or an argument's.
func TestFewValues(t *testing.T) {
	names := map[string]bool{}
	for _, node := range leaves(t) {
		for _, flag := range node.Flags {
			names[flag.Name] = true
		}
		for _, arg := range node.Positional {
			names[arg.Name] = true
		}
	}
	for name, values := range fewValues {
		if !names[name] {
			t.Errorf("%s is no flag and no argument", name)
		}
		if strings.HasPrefix(name, "ebay-") || strings.HasPrefix(name, "kafka-") || strings.HasPrefix(name, "parquet-") || strings.HasPrefix(name, "ndjson-") {
			for _, value := range values {
				section, key, _ := strings.Cut(name, "-")
				if problems := problemsWith(t, section, key, "--"+name+"="+value); problems != "" {
					t.Errorf("--%s=%s is offered and refused: %s", name, value, problems)
				}
			}
			section, key, _ := strings.Cut(name, "-")
			if problemsWith(t, section, key, "--"+name+"=zzz") == "" {
				t.Errorf("--%s=zzz is not refused: is it checked at all?", name)
			}
		}
	}
}

// problemsWith says what is wrong with a setting on the command line of batch.
func problemsWith(t *testing.T, section, key, flag string) string {
	t.Helper()
	k, g := parserOf(t)
	config.New(k.Model, envPrefix)
	if _, err := k.Parse([]string{"batch", "--ebay-marketplace=EBAY_DE", flag}); err != nil {
		t.Fatal(err)
	}
	var found string
	g.Batch.validate(func(s, k, problem string) {
		if s == section && k == key {
			found = problem
		}
	})
	return found
}

// The manual page tells of every exit code.
func TestManualHasTheExitCodes(t *testing.T) {
	told := map[int]bool{exitDone: false}
	for _, m := range exitMeanings {
		told[m.code] = true
	}
	for _, code := range append(severity, exitDone) {
		if !told[code] {
			t.Errorf("nothing is told of exit code %d", code)
		}
	}
	if len(told) != len(severity)+1 {
		t.Errorf("%d codes are told of, there are %d", len(told), len(severity)+1)
	}
}
