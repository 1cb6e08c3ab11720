package files

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// manifestVersion is the format of manifests that this build writes and reads.
const manifestVersion = 1

// manifest is what a partition consists of. It is the truth: what it does not
// list is not part of the table.
type manifest struct {
	Version     int    `json:"version"`
	Account     string `json:"account"`
	Marketplace string `json:"marketplace"`
	// Partition is the date, or "undated".
	Partition string           `json:"partition"`
	Position  deliver.Position `json:"position"`
	// Transaction is the id of the commit that wrote the manifest; the temporary
	// names of its parts follow from it.
	Transaction string `json:"transaction"`
	Files       []file `json:"files"`
	// Aside and Remove are what is still to be done to complete the commit; a
	// complete commit has neither.
	Aside  []move   `json:"aside,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

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

// errNewer says that the manifest was written by a later version.
var errNewer = errors.New("the manifest was written by a later version of leads-etl: use that one")

// foreignOwnerError says that the manifest belongs to somebody whose name maps
// to the same path, which happens on file systems that ignore case.
type foreignOwnerError struct{ account, marketplace string }

func (e *foreignOwnerError) Error() string {
	return fmt.Sprintf("the manifest belongs to account %q on %s: choose another dir for one of the two", e.account, e.marketplace)
}

// parseManifest reads a manifest and checks that everything in it is what this
// package writes for the partition: the names in it will be opened, renamed and
// removed.
func parseManifest(data []byte, l layout, p deliver.Partition) (*manifest, error) {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("not a manifest: %w", err)
	}
	if version.Version > manifestVersion {
		return nil, errNewer
	}
	var m manifest
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("not a manifest: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more follows the manifest")
	}
	if m.Version != manifestVersion {
		return nil, fmt.Errorf("manifest version %d is unknown", m.Version)
	}
	if m.Account != l.account || m.Marketplace != l.marketplace {
		return nil, &foreignOwnerError{m.Account, m.Marketplace}
	}
	if m.Partition != p.String() {
		return nil, fmt.Errorf("the manifest is that of partition %q", m.Partition)
	}
	if err := m.check(l); err != nil {
		return nil, err
	}
	return &m, nil
}

func (m *manifest) check(l layout) error {
	if m.Position.Journal == "" {
		return errors.New("no journal is named")
	}
	if !isTransaction(m.Transaction) {
		return errors.New("the transaction has no id")
	}
	seen := make(map[string]bool)
	for _, f := range m.Files {
		switch sum, err := hex.DecodeString(f.SHA256); {
		case !l.owns(f.Name):
			return fmt.Errorf("%q is not the name of a part", f.Name)
		case seen[f.Name]:
			return fmt.Errorf("%s is listed twice", f.Name)
		case f.Size <= 0 || f.Rows <= 0:
			return fmt.Errorf("%s has %d bytes and %d rows", f.Name, f.Size, f.Rows)
		case err != nil || len(sum) != 32:
			return fmt.Errorf("%s has no SHA-256", f.Name)
		}
		seen[f.Name] = true
	}
	for _, name := range m.Remove {
		if !l.owns(name) || seen[name] {
			return fmt.Errorf("%q is not to be removed", name)
		}
	}
	for _, mv := range m.Aside {
		if !l.owns(mv.Name) {
			return fmt.Errorf("%q is not to be set aside", mv.Name)
		}
		if !filepath.IsLocal(mv.To) || filepath.Clean(mv.To) != mv.To ||
			!strings.HasPrefix(mv.To, supersededFolder+string(filepath.Separator)) {
			return fmt.Errorf("%q is no place to set a file aside", mv.To)
		}
	}
	return nil
}

// encode returns the manifest as it is stored, for people to read as well.
func (m *manifest) encode() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return append(data, '\n'), nil
}

// file returns the part of that name, nil if none is listed.
func (m *manifest) file(name string) *file {
	for i := range m.Files {
		if m.Files[i].Name == name {
			return &m.Files[i]
		}
	}
	return nil
}

// damagedError says that there is a manifest that cannot be understood.
type damagedError struct{ Err error }

func (e *damagedError) Error() string { return "damaged manifest: " + e.Err.Error() }
func (e *damagedError) Unwrap() error { return e.Err }

// readManifest reads the partition's manifest; nil if there is none. A manifest
// that is not to be understood is a *damagedError; one that must not be touched
// is a *deliver.PermanentError.
func readManifest(l layout, p deliver.Partition) (*manifest, error) {
	path := filepath.Join(l.root, l.manifest(p))
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("read", path, err)
	}
	m, err := parseManifest(data, l, p)
	if err == nil {
		return m, nil
	}
	err = fmt.Errorf("read %s: %w", path, err)
	if _, foreign := errors.AsType[*foreignOwnerError](err); foreign || errors.Is(err, errNewer) {
		return nil, &deliver.PermanentError{Err: err}
	}
	return nil, &damagedError{err}
}
