package deliver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// DeadLetters keeps the responses that could not be read, as they were
// received: one NDJSON file for each page that has any, named by the page's
// number, so that saving them again changes nothing. Nil keeps none: that is for
// those who only look.
type DeadLetters struct{ dir string }

// NewDeadLetters returns the dead letters in dir, which is made when the first
// one is saved. It removes what a run that was killed left half written, so it is
// for the holder of the journal's lock.
func NewDeadLetters(dir string) *DeadLetters {
	left, _ := filepath.Glob(filepath.Join(dir, ".*"+temporary)) // the pattern is well-formed
	for _, path := range left {
		_ = os.Remove(path) // what cannot be removed does no harm
	}
	return &DeadLetters{dir: dir}
}

// temporary ends the names of files that are not whole yet.
const temporary = ".tmp"

// deadLetter is one line of a file.
type deadLetter struct {
	Page     journal.Seq `json:"page"`
	Received time.Time   `json:"received"`
	Request  string      `json:"request"`
	Listing  int         `json:"listing"`
	Response int         `json:"response"`
	Reason   string      `json:"reason"`
	// Raw is the response as text, RawBase64 as bytes where it is no valid UTF-8.
	Raw       string `json:"raw,omitempty"`
	RawBase64 []byte `json:"raw_base64,omitempty"`
}

// Save writes the dead letters of one page and returns the file's path.
func (d *DeadLetters) Save(seq journal.Seq, page *journal.Page, letters []flatten.DeadLetter) (string, error) {
	if d == nil {
		return "", nil
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for _, l := range letters {
		line := deadLetter{
			Page: seq, Received: page.Received, Request: page.Request,
			Listing: l.Listing, Response: l.Response, Reason: l.Reason,
		}
		if utf8.Valid(l.Raw) {
			line.Raw = string(l.Raw)
		} else {
			line.RawBase64 = l.Raw
		}
		if err := enc.Encode(line); err != nil {
			return "", fmt.Errorf("encoding dead letters of page %d: %w", seq, err)
		}
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return "", fmt.Errorf("making the folder of dead letters: %w", err)
	}
	name := fmt.Sprintf("%020d.ndjson", seq)
	path, unfinished := filepath.Join(d.dir, name), filepath.Join(d.dir, "."+name+temporary)
	// Not synced: the journal holds the same, and each run writes them again.
	err := os.WriteFile(unfinished, lines.Bytes(), 0o600)
	if err == nil {
		err = os.Rename(unfinished, path)
	}
	if err != nil {
		return "", fmt.Errorf("writing dead letters to %s: %w", path, err)
	}
	return path, nil
}
