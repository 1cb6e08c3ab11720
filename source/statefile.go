package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stateFile is a small JSON file in the state folder that only its owner can
// read. It is replaced as a whole, so a reader and a crash see the old content
// or the new. The zero value keeps nothing.
type stateFile struct{ path string }

// newStateFile returns the file of that name in dir, or the zero value if dir
// is empty.
func newStateFile(dir, name string) stateFile {
	if dir == "" {
		return stateFile{}
	}
	return stateFile{filepath.Join(dir, name)}
}

// temporary is the name under which new content is written. It is always the
// same, so that a crash leaves one such file at most.
func (f stateFile) temporary() string {
	return filepath.Join(filepath.Dir(f.path), "."+filepath.Base(f.path)+".tmp")
}

// sweep removes what a crash may have left.
func (f stateFile) sweep() {
	if f.path != "" {
		_ = os.Remove(f.temporary())
	}
}

// load reads the file into v. It reports false if there is no file; also if
// there is one that is no such JSON, together with an error that does not
// repeat what the file holds, and v is then of no use.
func (f stateFile) load(v any) (bool, error) {
	if f.path == "" {
		return false, nil
	}
	content, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(content, v); err != nil {
		return false, fmt.Errorf("%s is damaged", f.path)
	}
	return true, nil
}

// save replaces the file; it makes the folder if there is none. It tries twice:
// another process that begins may sweep in between.
func (f stateFile) save(v any) error {
	if f.path == "" {
		return nil
	}
	content, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	if f.replace(content) == nil {
		return nil
	}
	return f.replace(content)
}

func (f stateFile) replace(content []byte) (err error) {
	name := f.temporary()
	// A file of this name with other rights would keep them.
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(name)
		}
	}()
	if _, err := file.Write(content); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(name, f.path)
}
