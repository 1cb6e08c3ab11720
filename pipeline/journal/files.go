package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const (
	fileMode   fs.FileMode = 0o600
	folderMode fs.FileMode = 0o700
)

// files is how the journal writes. There is one in production; tests put
// failures and power cuts in between.
type files interface {
	// create makes a file that must not exist.
	create(path string) (segmentFile, error)
	// open opens a file that exists for writing.
	open(path string) (segmentFile, error)
	// syncDir makes the names in a folder durable.
	syncDir(path string) error
}

// segmentFile is a file being written.
type segmentFile interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// osFiles is the file system.
type osFiles struct{}

func (osFiles) create(path string) (segmentFile, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
}

func (osFiles) open(path string) (segmentFile, error) { return os.OpenFile(path, os.O_RDWR, 0) }

func (osFiles) syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // which has no such call, and journals its names
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeFile makes a file with that content and syncs it, but not its name.
func writeFile(fs files, path string, content []byte) error {
	f, err := fs.create(path)
	if err != nil {
		return &WriteError{Op: "create", Path: path, Err: err}
	}
	if err := writeSynced(f, path, content); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return &WriteError{Op: "close", Path: path, Err: err}
	}
	return nil
}

// writeSynced writes content to the beginning of a file and syncs it.
func writeSynced(f segmentFile, path string, content []byte) error {
	if n, err := f.WriteAt(content, 0); err != nil || n < len(content) {
		return &WriteError{Op: "write", Path: path, Err: orShort(err)}
	}
	if err := f.Sync(); err != nil {
		return &WriteError{Op: "sync", Path: path, Err: err}
	}
	return nil
}

func orShort(err error) error {
	if err == nil {
		return io.ErrShortWrite
	}
	return err
}

// makeDir makes a folder and those above it that are missing, durably.
func makeDir(fs files, dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(fs, parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, folderMode); err != nil && !errors.Is(err, os.ErrExist) {
		return &WriteError{Op: "make the folder", Path: dir, Err: err}
	}
	if err := fs.syncDir(parent); err != nil {
		return &WriteError{Op: "sync", Path: parent, Err: err}
	}
	return nil
}
