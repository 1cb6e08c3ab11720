package files

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// What the manifests of a table and of events have in common.

// manifestVersion is the format of manifests that this build writes and reads.
const manifestVersion = 1

// file is one part.
type file struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	Rows   int    `json:"rows"`
	SHA256 string `json:"sha256"`
}

// move sets a file of the partition aside: To is relative to the root.
type move struct {
	Name string `json:"name"`
	To   string `json:"to"`
}

// fileNamed returns the part of that name, nil if none is listed.
func fileNamed(files []file, name string) *file {
	for i := range files {
		if files[i].Name == name {
			return &files[i]
		}
	}
	return nil
}

// check refuses sizes, counts and hashes that no part has.
func (f *file) check() error {
	if f.Size <= 0 || f.Rows <= 0 {
		return fmt.Errorf("%s has %d bytes and %d rows", f.Name, f.Size, f.Rows)
	}
	if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != 32 {
		return fmt.Errorf("%s has no SHA-256", f.Name)
	}
	return nil
}

// check refuses places outside the folder for what is set aside.
func (mv *move) check() error {
	if !filepath.IsLocal(mv.To) || filepath.Clean(mv.To) != mv.To ||
		!strings.HasPrefix(mv.To, supersededFolder+string(filepath.Separator)) {
		return fmt.Errorf("%q is no place to set a file aside", mv.To)
	}
	return nil
}

// checkCommit refuses what a commit is not known by.
func checkCommit(p deliver.Position, transaction string) error {
	if p.Journal == "" {
		return errors.New("no journal is named")
	}
	if !isTransaction(transaction) {
		return errors.New("the transaction has no id")
	}
	return nil
}

// errNewer says that the manifest was written by a later version.
var errNewer = errors.New("the manifest was written by a later version of leads-etl: use that one")

// foreignOwnerError says that the manifest belongs to somebody whose name maps
// to the same path, which happens on file systems that ignore case.
type foreignOwnerError struct{ account, marketplace string }

func (e *foreignOwnerError) Error() string {
	return fmt.Sprintf("the manifest belongs to account %q on %s: choose another dir for one of the two", e.account, e.marketplace)
}

// decodeManifest reads a manifest of this build's version. It takes nothing that
// it does not know: what is in a manifest is acted on.
func decodeManifest(data []byte, m any) error {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return fmt.Errorf("not a manifest: %w", err)
	}
	if version.Version > manifestVersion {
		return fmt.Errorf("%w (it has version %d, this one reads version %d)", errNewer, version.Version, manifestVersion)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return fmt.Errorf("not a manifest: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more follows the manifest")
	}
	if version.Version != manifestVersion {
		return fmt.Errorf("manifest version %d is unknown", version.Version)
	}
	return nil
}

// encodeManifest returns a manifest as it is stored, for people to read as well.
func encodeManifest(m any) ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return append(data, '\n'), nil
}

// damagedError says that there is a manifest that cannot be understood.
type damagedError struct{ Err error }

func (e *damagedError) Error() string { return "damaged manifest: " + e.Err.Error() }
func (e *damagedError) Unwrap() error { return e.Err }

// judge says what the failure to understand the manifest at path means: one that
// must not be touched is a *deliver.PermanentError, any other is a
// *damagedError.
func judge(path string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("read %s: %w", path, err)
	if _, foreign := errors.AsType[*foreignOwnerError](err); foreign || errors.Is(err, errNewer) {
		return &deliver.PermanentError{Err: err}
	}
	return &damagedError{err}
}
