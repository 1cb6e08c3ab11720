package schema

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// released is an Avro schema as it was released. The files of released/ are
// written once, with the release of a schema version, and never again.
type released struct {
	Fields []map[string]any `json:"fields"`
}

func readReleased(t *testing.T, text []byte) released {
	t.Helper()
	var r released
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// incompatible says what readers of rows of the old schema would trip over in
// rows of the new one, which is of the same schema_version.
func incompatible(old, now released) []string {
	var problems []string
	fields := make(map[string]map[string]any)
	for _, f := range now.Fields {
		fields[f["name"].(string)] = f
	}
	for _, was := range old.Fields {
		name := was["name"].(string)
		is, ok := fields[name]
		delete(fields, name)
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("%s is gone", name))
		case !reflect.DeepEqual(bare(is["type"]), bare(was["type"])):
			problems = append(problems, fmt.Sprintf("%s is %v, and was %v", name, is["type"], was["type"]))
		}
	}
	for name, f := range fields {
		if value, ok := f["default"]; !ok || value != nil {
			problems = append(problems, fmt.Sprintf("%s is new and not nullable", name))
		}
	}
	return problems
}

// bare is a type without its documentation.
func bare(typ any) any {
	switch t := typ.(type) {
	case map[string]any:
		out := make(map[string]any)
		for k, v := range t {
			if k != "doc" {
				out[k] = bare(v)
			}
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i := range t {
			out[i] = bare(t[i])
		}
		return out
	}
	return typ
}

// Within one schema_version, columns are only ever added, and can be null: what
// else changes needs a higher one.
func TestChangesAreAdditiveOrRaiseTheVersion(t *testing.T) {
	paths, err := filepath.Glob("released/*.avsc")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no released schema: %v", err)
	}
	current := readReleased(t, Avro())
	for _, path := range paths {
		version, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".avsc"))
		if err != nil {
			t.Fatalf("%s is not named by a version", path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		old := readReleased(t, text)
		switch {
		case version > Version:
			t.Errorf("version %d was released, and schema.Version is %d", version, Version)
		case version == Version:
			for _, p := range incompatible(old, current) {
				t.Errorf("schema_version %d was released: %s; raise schema.Version", version, p)
			}
		}
	}
}

func TestIncompatibleChangesAreFound(t *testing.T) {
	text := string(Avro())
	old := readReleased(t, Avro())
	if problems := incompatible(old, old); len(problems) > 0 {
		t.Fatalf("of the same: %v", problems)
	}
	change := func(what, with string) released {
		t.Helper()
		if !strings.Contains(text, what) {
			t.Fatalf("no %q in the schema", what)
		}
		return readReleased(t, []byte(strings.Replace(text, what, with, 1)))
	}
	if p := incompatible(old, change(`"item_title"`, `"title"`)); len(p) != 1 || p[0] != "item_title is gone" {
		t.Errorf("a renamed column: %v", p)
	}
	if p := incompatible(old, change(`"int"`, `"long"`)); len(p) != 1 || !strings.Contains(p[0], "and was") {
		t.Errorf("another type: %v", p)
	}
	added := old
	added.Fields = append(added.Fields[:len(added.Fields):len(added.Fields)], map[string]any{"name": "score", "type": "int"})
	if p := incompatible(old, added); len(p) != 1 || !strings.Contains(p[0], "score is new and not nullable") {
		t.Errorf("a new column that cannot be null: %v", p)
	}
	added.Fields[len(added.Fields)-1]["default"] = nil
	if p := incompatible(old, added); len(p) > 0 {
		t.Errorf("a new column that can be null: %v", p)
	}
}
