package flatten

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden holds the answers in testdata to the rows and reports beside them.
func TestGolden(t *testing.T) {
	answers, err := filepath.Glob("../../testdata/answers/*.json")
	if err != nil {
		t.Fatal(err)
	}
	answers = slices.DeleteFunc(answers, func(name string) bool { return strings.HasSuffix(name, ".report.json") })
	if len(answers) == 0 {
		t.Fatal("no answers in testdata")
	}
	for _, file := range answers {
		base := strings.TrimSuffix(file, ".json")
		t.Run(filepath.Base(base), func(t *testing.T) {
			answer, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			result := flatten(t, string(answer))
			var rows strings.Builder
			for _, r := range slices.Concat(result.Rows, result.Undated) {
				rows.WriteString(encode(t, &r) + "\n")
			}
			golden(t, base+".rows.ndjson", rows.String())
			golden(t, base+".report.json", report(t, string(answer), result))
		})
	}
}

// report is what there is to say of an answer beside its rows.
func report(t *testing.T, answer string, result Result) string {
	t.Helper()
	inspection, err := Inspect(strings.NewReader(answer))
	if err != nil {
		t.Fatal(err)
	}
	type letter struct {
		Listing, Response int
		Reason, Raw       string
	}
	var dead []letter
	for _, d := range result.Dead {
		dead = append(dead, letter{d.Listing, d.Response, d.Reason, string(d.Raw)})
	}
	text, err := json.MarshalIndent(map[string]any{"inspection": inspection, "dead": dead, "unfit": result.Unfit}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if that is meant, run with -update\n got: %s\nwant: %s", filepath.Base(file), got, want)
	}
}
