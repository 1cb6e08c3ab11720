package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// configs holds configurations, those in bad each with the error that it must
// give.
const configs = "../../testdata/configs"

// runIn runs the program in this process, with an environment of its own.
func runIn(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	files := [2]*os.File{}
	for i := range files {
		f, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	code = run(t.Context(), args, environ, files[0], files[1])
	texts := [2]string{}
	for i, f := range files {
		data, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(data)
	}
	return code, texts[0], texts[1]
}

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

func TestBadConfigs(t *testing.T) {
	t.Chdir(filepath.Join(configs, "bad"))
	files, err := filepath.Glob("*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			code, stdout, stderr := runIn(t, nil, "run", "--config", file)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code %d, stdout %q", code, stdout)
			}
			if strings.Contains(stderr, "hush") {
				t.Errorf("a secret is shown:\n%s", stderr)
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".txt", stderr)
		})
	}
}

func TestGoodConfigs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(configs, "good", "*.toml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			code, stdout, stderr := runIn(t, []string{"LEADS_ETL_EBAY_CLIENT_SECRET=x"}, "--print-config", "--config", file)
			if code != exitDone || stderr != "" {
				t.Errorf("exit code %d, stderr:\n%s", code, stderr)
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".txt", strings.ReplaceAll(stdout, file, filepath.Base(file)))
		})
	}
}
