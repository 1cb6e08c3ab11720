package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

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

// parseManifest reads a manifest and checks that everything in it is what this
// package writes for the partition: the names in it will be opened, renamed and
// removed.
func parseManifest(data []byte, l layout, p deliver.Partition) (*manifest, error) {
	var m manifest
	if err := decodeManifest(data, &m); err != nil {
		return nil, err
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
	if err := checkCommit(m.Position, m.Transaction); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for i := range m.Files {
		f := &m.Files[i]
		if !l.owns(f.Name) {
			return fmt.Errorf("%q is not the name of a part", f.Name)
		}
		if seen[f.Name] {
			return fmt.Errorf("%s is listed twice", f.Name)
		}
		if err := f.check(); err != nil {
			return err
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
		if err := mv.check(); err != nil {
			return err
		}
	}
	return nil
}

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
	return m, judge(path, err)
}
