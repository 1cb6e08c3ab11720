package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
)

// understanding is what a command line came to, in so far as anybody can tell.
type understanding struct {
	// shown is what users see: help, configuration, warnings, problems, errors.
	shown string
	code  int
	// name and target are the command and what it goes by.
	name   string
	target any
	quiet  bool
}

func understand(args, environ []string, options ...kong.Option) understanding {
	var out bytes.Buffer
	c := &console{out: &out, err: progress.NewScreen(&out)}
	line, err := parseBy(args, environ, c, readBuild(), options...)
	u := understanding{code: exitCode(err)}
	if line != nil {
		u.name, u.target, u.quiet = line.name, line.target, line.grammar.Quiet
		fmt.Fprintln(&out, line.warnings, line.levelSet, line.file, line.grammar.Log, line.grammar.PrintConfig)
		if line.inForce != nil {
			err = errors.Join(err, line.inForce.Print(&out))
		}
	}
	show(&out, err)
	u.shown = out.String()
	return u
}

// The short way to understand a command line leads where the whole grammar leads,
// whatever the line, the environment and the file say: or it gives up, and the
// whole grammar is asked.
func TestPartOfGrammar(t *testing.T) {
	t.Chdir(t.TempDir())
	k, _ := parserOf(t)
	login := []string{
		"LEADS_ETL_EBAY_MARKETPLACE=EBAY_DE", "LEADS_ETL_EBAY_CLIENT_ID=id", "LEADS_ETL_EBAY_CLIENT_SECRET=x",
		"LEADS_ETL_BATCH_LAST=1d", "LEADS_ETL_NDJSON_DIR=out",
	}
	environs := [][]string{nil, {
		"LEADS_ETL_EBAY_MARKTPLACE=EBAY_DE", "LEADS_ETL_SOMETHING_ELSE=1", "LEADS_ETL_STREAM_INTERVAL=soon", "LEADS_ETL_METRICS_LISTN=:1",
		"LEADS_ETL_KAFKA_SASL_PASSWORD=x", "LEADS_ETL_LOG_LEVEL=loud", "LEADS_ETL_MODE=stream",
	}}
	for _, path := range partFiles(t, k) {
		environs = append(environs, append(slices.Clone(login), "LEADS_ETL_CONFIG="+path))
	}
	gaveUp, understood := 0, 0
	check := func(environ []string, args ...string) {
		part, ok := partFor(args)
		if !ok {
			t.Fatalf("%q: the command is not known", args)
		}
		got := understand(args, environ, part)
		if got.name == "" && got.code != exitDone {
			gaveUp++
			return
		}
		understood++
		if want := understand(args, environ); !reflect.DeepEqual(got, want) {
			t.Errorf("%q, %q:\nin part: %d %s %+v\n%s\nin whole: %d %s %+v\n%s", args, environ,
				got.code, got.name, got.target, got.shown, want.code, want.name, want.target, want.shown)
		}
	}
	for _, node := range k.Model.Children {
		for _, name := range append(slices.Clone(node.Aliases), node.Name) {
			for _, environ := range environs {
				check(environ, name)
			}
			for _, rest := range partLines {
				check(login, append([]string{name}, strings.Fields(rest)...)...)
			}
		}
	}
	if gaveUp == 0 || understood == 0 {
		t.Errorf("%d lines were understood in part, %d were not: the test needs both", understood, gaveUp)
	}
}

// partLines is what may come after any command.
var partLines = []string{
	"--help", "--version", "--print-config", "-q -v", "--log-level loud", "--hlep", "--interval 5m --log-level debug", "--from 2026-01-01 -q",
	"--from", "--ebay-client-secret x", "--config batch", "batch", "bash", "1 --mode=stream",
}

// partFiles writes configurations and returns where they are: one with every key of
// the grammar set to what fits none of them, one with names that are none, and one
// that is right.
func partFiles(t *testing.T, k *kong.Kong) []string {
	t.Helper()
	bySection := map[string][]string{}
	for _, node := range k.Model.Children {
		for _, flag := range node.Flags {
			if len(flag.Envs) == 0 {
				continue
			}
			section := ""
			if flag.Group != nil {
				section = flag.Group.Key
			}
			if line := flag.Tag.Name + " = { wrong = 1 }\n"; !slices.Contains(bySection[section], line) {
				bySection[section] = append(bySection[section], line)
			}
		}
	}
	every, unknown := strings.Join(bySection[""], ""), "mood = 1\n"
	for _, g := range sectionGroups {
		every += "[" + g.Key + "]\n" + strings.Join(bySection[g.Key], "")
		unknown += "[" + g.Key + "]\nmood = 1\nintervall = 1\nlisten-on = 1\n"
	}
	unknown += "[streams]\nx = 1\n[weather]\nx = 1\n"
	var files []string
	for name, text := range map[string]string{
		"every.toml": every, "unknown.toml": unknown,
		"right.toml": "mode = \"stream\"\n[batch]\nlast = \"2d\"\n[stream]\ninterval = \"5m\"\n[metrics]\nlisten = \":9100\"\n[kafka]\nbrokers = [\"a:1\"]\n[ebay]\naccount = \"shop\"\n",
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	return files
}

// Lines that do not begin with a command need the whole grammar.
func TestWholeGrammar(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"--config", "batch"}, {"-q", "batch"}, {"bach"}, {"Batch"}, {""}} {
		if _, ok := partFor(args); ok {
			t.Errorf("%q: is understood in part", args)
		}
	}
}
