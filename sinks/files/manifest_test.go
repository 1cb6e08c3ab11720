package files

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func sampleManifest() *manifest {
	return &manifest{
		Version: 1, Account: sinktest.Account, Marketplace: sinktest.Marketplace, Partition: day,
		Position:    deliver.Position{Journal: journalID, Next: 1<<64 - 1},
		Transaction: "0123456789abcdef",
		Files:       []file{{Name: "leads-example-motors-00000.ids", Size: 5, Rows: 1, SHA256: strings.Repeat("ab", 32)}},
		Aside:       []move{{Name: "leads-example-motors-00000.ids", To: "_superseded/x/marketplace=EBAY_DE/date=2026-09-01/leads-example-motors-00000.ids.superseded"}},
		Remove:      []string{"leads-example-motors-00001.ids"},
	}
}

func TestManifestRoundTrip(t *testing.T) {
	m := sampleManifest()
	data, err := encodeManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseManifest(data, spec("/out").layout("/out"), today)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("read %+v, wrote %+v", got, m)
	}
}

// Names in a manifest are opened, renamed and removed: none may lead out of the
// partition, or to what is not ours.
func TestManifestRefused(t *testing.T) {
	for name, change := range map[string]func(m *manifest){
		"version":          func(m *manifest) { m.Version = 0 },
		"partition":        func(m *manifest) { m.Partition = "2026-09-02" },
		"journal":          func(m *manifest) { m.Position.Journal = "" },
		"transaction":      func(m *manifest) { m.Transaction = "../../../../x" },
		"path":             func(m *manifest) { m.Files[0].Name = "../leads-example-motors-00000.ids" },
		"not ours":         func(m *manifest) { m.Files[0].Name = "leads-other-00000.ids" },
		"twice":            func(m *manifest) { m.Files = append(m.Files, m.Files[0]) },
		"size":             func(m *manifest) { m.Files[0].Size = -1 },
		"rows":             func(m *manifest) { m.Files[0].Rows = 0 },
		"hash":             func(m *manifest) { m.Files[0].SHA256 = "abc" },
		"remove listed":    func(m *manifest) { m.Remove[0] = m.Files[0].Name },
		"remove elsewhere": func(m *manifest) { m.Remove[0] = "/etc/passwd" },
		"aside not ours":   func(m *manifest) { m.Aside[0].Name = "notes.txt" },
		"aside outside":    func(m *manifest) { m.Aside[0].To = "_superseded/../../x" },
		"aside in table":   func(m *manifest) { m.Aside[0].To = "marketplace=EBAY_DE/x" },
		"aside absolute":   func(m *manifest) { m.Aside[0].To = "/_superseded/x" },
	} {
		m := sampleManifest()
		change(m)
		data, err := encodeManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(data, spec("/out").layout("/out"), today); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What must not be touched is refused for good; what is merely broken is not.
func TestReadManifestErrors(t *testing.T) {
	dir := t.TempDir()
	l := spec(dir).layout(dir)
	path := filepath.Join(dir, l.manifest(today))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	other := sampleManifest()
	other.Account = "Example-Motors"
	foreign, err := encodeManifest(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data      string
		permanent bool
	}{
		"newer":         {`{"version":2,"colour":"red"}`, true},
		"foreign owner": {string(foreign), true},
		"empty":         {"", false},
		"cut":           {`{"version":1,"acc`, false},
		"unknown":       {`{"version":1,"colour":"red"}`, false},
		"zeros":         {"\x00\x00\x00\x00", false},
	} {
		if err := os.WriteFile(path, []byte(c.data), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readManifest(l, today)
		_, permanent := errors.AsType[*deliver.PermanentError](err)
		_, damaged := errors.AsType[*damagedError](err)
		if permanent != c.permanent || damaged == c.permanent {
			t.Errorf("%s: %v (permanent: %t, damaged: %t)", name, err, permanent, damaged)
		}
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
	}
}

// FuzzParseManifest: whatever is read as a manifest names only files of ours in
// the partition and places under the folder for what is set aside, and is the
// same when written and read again.
func FuzzParseManifest(f *testing.F) {
	data, err := encodeManifest(sampleManifest())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":1,"account":"example-motors","marketplace":"EBAY_DE","partition":"2026-09-01","position":{"journal":"j","next":0},"transaction":"0123456789abcdef","files":[]}`))
	f.Add([]byte(`{"version":1,"account":"example-motors","marketplace":"EBAY_DE","partition":"2026-09-01","position":{"journal":"j","next":0},"transaction":"0123456789abcdef","files":null,"aside":[{"name":"leads-example-motors-00000.ids","to":"_superseded/../x"}]}`))
	l := spec("/out").layout("/out")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data, l, today)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if !l.owns(file.Name) || filepath.Base(file.Name) != file.Name {
				t.Fatalf("lists %q", file.Name)
			}
		}
		for _, name := range m.Remove {
			if !l.owns(name) || fileNamed(m.Files, name) != nil {
				t.Fatalf("removes %q", name)
			}
		}
		for _, mv := range m.Aside {
			to := filepath.Join(l.root, mv.To)
			if !l.owns(mv.Name) || !strings.HasPrefix(to, "/out/_superseded/") {
				t.Fatalf("moves %q to %q", mv.Name, mv.To)
			}
		}
		again, err := encodeManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		second, err := parseManifest(again, l, today)
		if err != nil {
			t.Fatalf("its own encoding is refused: %v", err)
		}
		if a, b := mustJSON(t, m), mustJSON(t, second); a != b {
			t.Fatalf("%s became %s", a, b)
		}
	})
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
