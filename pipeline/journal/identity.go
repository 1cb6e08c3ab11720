package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"syscall"

	"github.com/google/uuid"
)

// Identity is what a state folder belongs to: one seller on one marketplace of
// one API.
type Identity struct {
	// Account is the seller's name in the config.
	Account     string `json:"account"`
	Marketplace string `json:"marketplace"`
	// API is the base URL.
	API string `json:"api"`
}

// String is the identity as it is named to people.
func (i Identity) String() string {
	return fmt.Sprintf("account %q on %s of %s", i.Account, i.Marketplace, i.API)
}

const identityFile = "identity.json"

// identity is the content of the identity file.
type identity struct {
	Format  int       `json:"format"`
	Journal uuid.UUID `json:"journal"`
	First   Seq       `json:"first"`
	// Base is the folder that stands for the records before First, and BaseSum the
	// SHA-256 of its list of files; empty if none were removed.
	Base    string `json:"base,omitempty"`
	BaseSum string `json:"base_sha256,omitempty"`
	// Lost are the answers that were lost to damage among the records before First.
	Lost []Loss `json:"lost,omitempty"`
	Identity
}

// newIdentity makes the identity of a journal that did not exist before.
func newIdentity(of Identity) (identity, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return identity{}, fmt.Errorf("make an id for the journal: %w", err)
	}
	return identity{Format: formatVersion, Journal: id, Identity: of}, nil
}

func (id identity) equal(o identity) bool { return reflect.DeepEqual(id, o) }

func (id identity) encode() ([]byte, error) {
	b, err := json.MarshalIndent(id, "", "  ")
	return append(b, '\n'), err
}

// readIdentity reads the identity file of the state folder dir. The error is
// fs.ErrNotExist if there is neither that file nor a segment.
func readIdentity(dir string) (identity, error) {
	folder := filepath.Join(dir, journalFolder)
	path := filepath.Join(folder, identityFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		bases, listErr := listSegments(folder)
		if listErr != nil && !errors.Is(listErr, fs.ErrNotExist) {
			return identity{}, listErr
		}
		if len(bases) > 0 {
			return identity{}, &StateError{Dir: dir, Problem: fmt.Sprintf("%s holds %d segments of a journal, but %s is missing", folder, len(bases), identityFile)}
		}
	}
	if err != nil {
		return identity{}, fmt.Errorf("read the journal's identity: %w", err)
	}
	id, err := parseIdentity(b)
	if version, ok := errors.AsType[*VersionError](err); ok {
		version.Path = path
		return identity{}, version
	}
	if err != nil {
		return identity{}, &StateError{Dir: dir, Problem: fmt.Sprintf("%s is damaged (%v)", path, err)}
	}
	return id, nil
}

// parseIdentity reads the content of an identity file. A format that is newer
// is a *VersionError without path.
func parseIdentity(b []byte) (identity, error) {
	// The format comes first: of a newer one nothing else is known. This also
	// refuses anything behind the object.
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return identity{}, err
	}
	if version.Format > newestVersion {
		return identity{}, &VersionError{Have: version.Format, Supported: newestVersion}
	}
	var id identity
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&id); err != nil {
		return identity{}, err
	}
	switch {
	case id.Format < formatVersion:
		return identity{}, fmt.Errorf("there is no format %d", id.Format)
	case id.Format < newestVersion && (id.Base != "" || len(id.Lost) > 0):
		return identity{}, fmt.Errorf("format %d does not go with the base %q", id.Format, id.Base)
	case id.Base != "" && (id.Base != baseName(id.First) || len(id.BaseSum) != hex.EncodedLen(sha256.Size)):
		return identity{}, fmt.Errorf("%q is no base of record %d", id.Base, id.First)
	case id.Journal == uuid.Nil:
		return identity{}, errors.New("it names no journal")
	}
	return id, nil
}

// Exists reports whether the state folder has a journal, in whatever state.
func Exists(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, journalFolder))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the journal: %w", err)
	}
	return true, nil
}
