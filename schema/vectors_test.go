package schema

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// vector is a line of testdata/identity/vectors.ndjson. Their names and
// canonical texts were written by hand from the rules, and the digests taken of
// these texts by Python's hashlib and uuid.
type vector struct {
	About     string         `json:"about"`
	Ordinal   int            `json:"ordinal"`
	Name      string         `json:"name"`      // what lead_id is the UUID of
	Canonical string         `json:"canonical"` // what content_hash is the digest of
	Row       jsontext.Value `json:"row"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	file, err := os.ReadFile("../testdata/identity/vectors.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	lines := bufio.NewScanner(bytes.NewReader(file))
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v, json.RejectUnknownMembers(true)); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d vectors", len(all))
	}
	return all
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.About, func(t *testing.T) {
			r, err := ParseJSON(v.Row)
			if err != nil {
				t.Fatal(err)
			}
			if got := canonicalText(&r); got != v.Canonical {
				t.Errorf("canonical form\n%s, want\n%s", got, v.Canonical)
			}
			if got := ContentHash(&r); got != r.ContentHash {
				t.Errorf("content_hash %s, want %s", got, r.ContentHash)
			}
			if got := LeadID(&r, v.Ordinal); got != r.LeadID {
				t.Errorf("lead_id %s, want %s", got, r.LeadID)
			}
			if got := EventID(&r); got != r.EventID {
				t.Errorf("event_id %s, want %s", got, r.EventID)
			}
			line, err := AppendJSON(nil, &r)
			if err != nil || string(line) != string(v.Row) {
				t.Errorf("row\n%s, want\n%s (%v)", line, v.Row, err)
			}
		})
	}
}

// The twins of the vectors are numbered as the rule says.
func TestVectorsTwins(t *testing.T) {
	last := map[string]string{}
	twins := 0
	for _, v := range vectors(t) {
		r, err := ParseJSON(v.Row)
		if err != nil {
			t.Fatal(err)
		}
		if v.Ordinal > 2 {
			continue // the lead between is not there
		}
		name, _ := strings.CutSuffix(v.Name, "\n"+strconv.Itoa(v.Ordinal))
		if v.Ordinal == 2 {
			twins++
			if last[name] == "" || last[name] >= r.ContentHash {
				t.Errorf("%s: not in the order of the content hashes", v.About)
			}
		}
		last[name] = r.ContentHash
	}
	if twins == 0 {
		t.Error("there are no twins")
	}
}

// python runs the script for readers over rows, and returns a line of
// content_hash, lead_id and event_id for each.
func python(t *testing.T, ordinal int, rows []byte) []string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no python3, and CI must have it")
		}
		t.Skip("there is no python3 to run the script with")
	}
	command := exec.CommandContext(t.Context(), path, "-B", "../testdata/identity/identity.py", strconv.Itoa(ordinal))
	command.Stdin = bytes.NewReader(rows)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	return strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
}

func ids(r *Row) string { return fmt.Sprintf("%s %s %s", r.ContentHash, r.LeadID, r.EventID) }

// The script for readers reproduces the vectors.
func TestPythonReproducesVectors(t *testing.T) {
	lines, want := map[int][]byte{}, map[int][]string{}
	for _, v := range vectors(t) {
		r, err := ParseJSON(v.Row)
		if err != nil {
			t.Fatal(err)
		}
		lines[v.Ordinal] = append(append(lines[v.Ordinal], v.Row...), '\n')
		want[v.Ordinal] = append(want[v.Ordinal], ids(&r))
	}
	for ordinal := range lines {
		compareLines(t, python(t, ordinal, lines[ordinal]), want[ordinal])
	}
}

// The script for readers and this package agree on rows that nobody chose.
func TestPythonAgrees(t *testing.T) {
	var lines []byte
	var want []string
	for seed := range 300 {
		r := rows().Example(seed)
		r.LeadID = LeadID(r, 1)
		r.EventID = EventID(r)
		line, err := AppendJSON(lines, r)
		if err != nil {
			t.Fatal(err)
		}
		lines, want = append(line, '\n'), append(want, ids(r))
	}
	compareLines(t, python(t, 1, lines), want)
}

func compareLines(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("line %d: %s, want %s", i, got[i], want[i])
		}
	}
}

// The README shows the script as it is.
func TestTheReadmeShowsTheScript(t *testing.T) {
	script, err := os.ReadFile("../testdata/identity/identity.py")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(readme, append([]byte("```python\n"), append(script, "```\n"...)...)) {
		t.Error("README.md does not hold testdata/identity/identity.py")
	}
}
