package files

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/sinktest"
)

func sampleEventManifest() *eventManifest {
	name := "events-example-motors-0190c0de-00000000000000000003-00000.ids"
	return &eventManifest{
		Version: 1, Account: sinktest.Account, Marketplace: sinktest.Marketplace, From: 3,
		Position:    deliver.Position{Journal: streamID, Next: 9, Base: 1, Through: 12, Snapshot: "12:bAk"},
		Committed:   time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC),
		Transaction: "0123456789abcdef",
		Files:       []eventFile{{dateFolder, file{Name: name, Size: 5, Rows: 1, SHA256: strings.Repeat("ab", 32)}}},
		Aside:       []eventMove{{dateFolder, move{name, "_superseded/x/" + dateFolder + "/" + name + ".superseded"}}},
	}
}

func TestEventManifestRoundTrip(t *testing.T) {
	m := sampleEventManifest()
	data, err := encodeManifest(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := spec("/out").layout("/out").parseEventManifest(data, m.ref())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("read %+v, wrote %+v", got, m)
	}
}

// Names in a manifest are opened, renamed and removed: none may lead out of the
// partitions, or to what is not this commit's.
func TestEventManifestRefused(t *testing.T) {
	ref := sampleEventManifest().ref()
	for name, change := range map[string]func(m *eventManifest){
		"version":          func(m *eventManifest) { m.Version = 0 },
		"journal":          func(m *eventManifest) { m.Position.Journal = "" },
		"other journal":    func(m *eventManifest) { m.Position.Journal = otherID },
		"other position":   func(m *eventManifest) { m.Position.Next++ },
		"backwards":        func(m *eventManifest) { m.From = 10 },
		"empty stretch":    func(m *eventManifest) { m.From = 9 },
		"transaction":      func(m *eventManifest) { m.Transaction = "../../../../x" },
		"path":             func(m *eventManifest) { m.Files[0].Name = "../" + m.Files[0].Name },
		"folder":           func(m *eventManifest) { m.Files[0].Folder = "marketplace=EBAY_DE/date=2026-09-01/.." },
		"folder elsewhere": func(m *eventManifest) { m.Files[0].Folder = "/date=2026-09-01" },
		"a table's":        func(m *eventManifest) { m.Files[0].Name = "leads-example-motors-00000.ids" },
		"other commit's": func(m *eventManifest) {
			m.Files[0].Name = "events-example-motors-0190c0de-00000000000000000004-00000.ids"
		},
		"other journal's": func(m *eventManifest) {
			m.Files[0].Name = "events-example-motors-5eed1e55-00000000000000000003-00000.ids"
		},
		"twice":          func(m *eventManifest) { m.Files = append(m.Files, m.Files[0]) },
		"size":           func(m *eventManifest) { m.Files[0].Size = 0 },
		"rows":           func(m *eventManifest) { m.Files[0].Rows = 0 },
		"hash":           func(m *eventManifest) { m.Files[0].SHA256 = "abc" },
		"aside not ours": func(m *eventManifest) { m.Aside[0].Name = "leads-example-motors-00000.ids" },
		"aside of":       func(m *eventManifest) { m.Aside[0].Folder = "_leads-etl" },
		"aside outside":  func(m *eventManifest) { m.Aside[0].To = "_superseded/../../x" },
	} {
		m := sampleEventManifest()
		change(m)
		data, err := encodeManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := spec("/out").layout("/out").parseEventManifest(data, ref); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What must not be touched is refused for good.
func TestEventManifestNotOurs(t *testing.T) {
	other := sampleEventManifest()
	other.Account = "Example-Motors"
	foreign, err := encodeManifest(other)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{string(foreign), `{"version":2,"colour":"red"}`} {
		dir := t.TempDir()
		s := mustOpenEvents(t, eventSpec(dir))
		put(t, s.manifestPath(other.ref()), data)
		_, err := OpenEvents(t.Context(), eventSpec(dir))
		if _, ok := errors.AsType[*deliver.PermanentError](err); !ok || !strings.Contains(err.Error(), dir) {
			t.Errorf("%v", err)
		}
	}
}

// FuzzParseEventManifest: whatever is read as a manifest names only files of its
// commit in partitions and places under the folder for what is set aside, and is
// the same when written and read again.
func FuzzParseEventManifest(f *testing.F) {
	data, err := encodeManifest(sampleEventManifest())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":1,"account":"example-motors","marketplace":"EBAY_DE","from":9,"position":{"journal":"0190c0de","next":9},"committed":"2026-09-01T12:00:00Z","transaction":"0123456789abcdef","files":[]}`))
	ref := sampleEventManifest().ref()
	l := spec("/out").layout("/out")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := l.parseEventManifest(data, ref)
		if err != nil {
			return
		}
		if m.ref() != ref {
			t.Fatalf("%+v is taken for %+v", m.ref(), ref)
		}
		inPartition := func(folder, name string) bool {
			path := filepath.Join(l.root, folder, name)
			return l.ownsEvents(filepath.Base(path)) && strings.HasPrefix(path, "/out/marketplace=EBAY_DE/date=") &&
				strings.Count(path, "/") == 4
		}
		for _, file := range m.Files {
			if !inPartition(file.Folder, file.Name) {
				t.Fatalf("lists %q in %q", file.Name, file.Folder)
			}
		}
		for _, mv := range m.Aside {
			if !inPartition(mv.Folder, mv.Name) || !strings.HasPrefix(filepath.Join(l.root, mv.To), "/out/_superseded/") {
				t.Fatalf("moves %q of %q to %q", mv.Name, mv.Folder, mv.To)
			}
		}
		again, err := encodeManifest(m)
		if err != nil {
			t.Fatal(err)
		}
		second, err := l.parseEventManifest(again, ref)
		if err != nil {
			t.Fatalf("its own encoding is refused: %v", err)
		}
		if a, b := mustJSON(t, m), mustJSON(t, second); a != b {
			t.Fatalf("%s became %s", a, b)
		}
	})
}
