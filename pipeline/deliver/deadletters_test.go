package deliver_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

func TestDeadLettersAreKeptAsReceived(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dead-letters")
	letters := []flatten.DeadLetter{
		{Listing: 0, Response: 2, Reason: "the lead response is not an object", Raw: []byte(`"a <text>"`)},
		{Listing: 1, Response: 0, Reason: "too deep", Raw: []byte{'"', 0xff, '"'}},
	}
	page := &journal.Page{Request: "GET /classified_lead", Received: epoch}
	for range 2 { // saving them again changes nothing
		path, err := deliver.NewDeadLetters(dir).Save(7, page, letters)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"page":7,"received":"2026-09-01T22:00:00Z","request":"GET /classified_lead","listing":0,"response":2,"reason":"the lead response is not an object","raw":"\"a <text>\""}
{"page":7,"received":"2026-09-01T22:00:00Z","request":"GET /classified_lead","listing":1,"response":0,"reason":"too deep","raw_base64":"Iv8i"}
`
		if string(got) != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
}

// What a run that was killed left half written is removed by the next one.
func TestDeadLettersOfAKilledRunAreRemoved(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".00000000000000000007.ndjson.tmp", "00000000000000000003.ndjson"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	deliver.NewDeadLetters(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }) {
		t.Errorf("left: %v", entries)
	}
}
