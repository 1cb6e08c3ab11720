package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// exampleConfig is the file that shows all settings.
const exampleConfig = "../../config.example.toml"

const exampleHead = `# leads-etl: all settings, each with its default.
#
# A setting is taken from the first of: its flag, its environment variable, this file, the default.
# The flag of [fetch] window is --fetch-window, its variable LEADS_ETL_FETCH_WINDOW; [batch] from, to and last,
# [stream] interval, settle, lookback and drain-timeout, [ebay] status (--status) and items (--item) have short flags.
#
# The file is leads-etl.toml in the current folder, or the one that --config names. Unknown keys are errors.
# 'leads-etl --print-config' shows what is in force, and where each value came from.
#
# Durations are written "30d", "24h", "90s"; sizes "512MiB"; times "2026-09-01" (UTC) or "2026-09-01T15:04:05Z".
`

// The example holds every key of the grammar, with its help and its default.
func TestExampleConfigIsComplete(t *testing.T) {
	k, _ := parserOf(t)
	golden(t, exampleConfig, exampleHead+exampleSettings(t, k))
}

// exampleSettings writes the settings of 'run' and of the program as a
// configuration in which everything is commented out.
func exampleSettings(t *testing.T, k *kong.Kong) string {
	t.Helper()
	titles := map[string]string{}
	for _, g := range sectionGroups {
		_, titles[g.Key], _ = strings.Cut(g.Title, ": ")
	}
	flags := append(append([]*kong.Flag{}, commandNode(t, k, "run").Flags...), k.Model.Flags...)
	secret := map[string]bool{}
	for _, f := range flags {
		if name, ok := strings.CutSuffix(f.Name, "-file"); ok {
			secret[name] = true
		}
	}
	var b strings.Builder
	section := ""
	for _, f := range flags {
		if len(f.Envs) == 0 || f.Name == "config" {
			continue
		}
		if f.Group != nil && f.Group.Key != section {
			section = f.Group.Key
			title := titles[section]
			fmt.Fprintf(&b, "\n# %s.\n[%s]\n", strings.ToUpper(title[:1])+title[1:], section)
		}
		fmt.Fprintf(&b, "\n# %s\n", f.Help)
		if secret[f.Name] {
			fmt.Fprintf(&b, "# A secret: only as %s, or in a file that the next key names.\n", f.Envs[0])
			continue
		}
		fmt.Fprintf(&b, "# %s = %s\n", f.Tag.Name, exampleDefault(f))
	}
	return b.String()
}

// exampleDefault is the flag's default as TOML.
func exampleDefault(f *kong.Flag) string {
	t := f.Target.Type()
	switch {
	case t.Kind() == reflect.Slice:
		return "[]"
	case t.Kind() == reflect.Bool && f.Default == "":
		return "false"
	case f.Tag.Type != "" || t == reflect.TypeFor[time.Duration](),
		t.Kind() == reflect.String, t.Kind() == reflect.Struct:
		return fmt.Sprintf("%q", f.Default)
	default:
		return f.Default
	}
}

// What the example says the defaults are, they are: with all of it in force,
// nothing changes.
func TestExampleConfigHoldsTheDefaults(t *testing.T) {
	data, err := os.ReadFile(exampleConfig)
	if err != nil {
		t.Fatal(err)
	}
	active := regexp.MustCompile(`(?m)^# ([a-z-]+ = )`).ReplaceAll(data, []byte("$1"))
	if n := bytes.Count(active, []byte("\n")); n < 100 {
		t.Fatalf("only %d lines", n)
	}
	path := filepath.Join(t.TempDir(), "all.toml")
	if err := os.WriteFile(path, active, 0o600); err != nil {
		t.Fatal(err)
	}
	// What has no default comes from the environment, which wins over the file.
	required := []string{
		"LEADS_ETL_EBAY_MARKETPLACE=EBAY_DE", "LEADS_ETL_EBAY_CLIENT_ID=id", "LEADS_ETL_EBAY_CLIENT_SECRET=x",
		"LEADS_ETL_BATCH_LAST=30d", "LEADS_ETL_NDJSON_DIR=out",
	}
	settings := func(args ...string) string {
		code, stdout, stderr := runIn(t, required, append(args, "--print-config")...)
		if code != exitDone || stderr != "" {
			t.Errorf("%v: exit code %d\n%s", args, code, stderr)
		}
		// Neither the origin counts, nor whether an empty value is set.
		stdout = regexp.MustCompile(`(?m) *# [^#\n]*$`).ReplaceAllString(stdout, "")
		return regexp.MustCompile(`(?m)^# `).ReplaceAllString(stdout, "")
	}
	t.Chdir(t.TempDir())
	if got, want := settings("--config", path), settings(); got != want {
		t.Errorf("with the example:\n%s\nwithout:\n%s", got, want)
	}
}
