package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// disk is the one place where files are changed. Every change goes through
// change, which is where tests let a program crash.
type disk struct {
	fileMode, dirMode fs.FileMode
	// folders keeps one transaction from removing an empty folder in which another
	// is about to make one.
	folders *sync.Mutex
	// step, if set, is called before each change; its error is the change's.
	step func(op, path string) error
}

func (d disk) change(op, path string, f func() error) error {
	if d.step != nil {
		if err := d.step(op, path); err != nil {
			return explain(op, path, err)
		}
	}
	return explain(op, path, f())
}

// create makes a new file with the configured mode, whatever the umask.
func (d disk) create(path string) (*os.File, error) {
	var f *os.File
	err := d.change("create", path, func() (err error) {
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, d.fileMode); err != nil {
			return err
		}
		if err := f.Chmod(d.fileMode); err != nil {
			return errors.Join(err, f.Close(), os.Remove(path))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// close closes a file, also where the step is to fail.
func (d disk) close(f *os.File) error {
	closed := f.Close()
	return d.change("close", f.Name(), func() error { return closed })
}

// makeAll makes the folder and those above it that are missing, durably, and
// leaves the modes of those that are there alone.
func (d disk) makeAll(path string) error {
	d.folders.Lock()
	defer d.folders.Unlock()
	return d.makeMissing(path)
}

func (d disk) makeMissing(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		return explain("make folder", path, syscall.ENOTDIR)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return explain("make folder", path, err)
	}
	parent := filepath.Dir(path)
	if err := d.makeMissing(parent); err != nil {
		return err
	}
	err = d.change("make folder", path, func() error {
		// Another process may make it at the same time, with its own mode.
		if err := os.Mkdir(path, d.dirMode); err != nil {
			if errors.Is(err, fs.ErrExist) {
				return nil
			}
			return err
		}
		return os.Chmod(path, d.dirMode)
	})
	if err != nil {
		return err
	}
	return d.syncFolder(parent)
}

// syncFolder makes the names in a folder durable.
func (d disk) syncFolder(path string) error {
	return d.change("sync folder", path, func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = f.Sync()
		if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
			err = nil // a file system that has no such thing
		}
		return errors.Join(err, f.Close())
	})
}

func (d disk) rename(from, to string) error {
	return d.change("rename to", to, func() error { return os.Rename(from, to) })
}

// remove removes a file; it may be gone already.
func (d disk) remove(path string) error {
	return d.change("remove", path, func() error {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// prune removes the folder if it is empty, and then those above it, up to root.
func (d disk) prune(root, path string) error {
	d.folders.Lock()
	defer d.folders.Unlock()
	for ; path != root && len(path) > len(root); path = filepath.Dir(path) {
		var kept bool
		err := d.change("remove folder", path, func() error {
			err := os.Remove(path)
			switch {
			case errors.Is(err, syscall.ENOTEMPTY), errors.Is(err, syscall.EEXIST):
				kept = true
				return nil
			case errors.Is(err, fs.ErrNotExist):
				return nil
			}
			return err
		})
		if err != nil || kept {
			return err
		}
	}
	return nil
}

// replace puts data in the place of the file at path, atomically and durably:
// whatever happens, the path holds the old content or the new.
func (d disk) replace(path string, data []byte) error {
	folder := filepath.Dir(path)
	if err := d.makeAll(folder); err != nil {
		return err
	}
	tmp := filepath.Join(folder, "."+filepath.Base(path)+tempSuffix)
	// It can only be what a crash left.
	if err := d.remove(tmp); err != nil {
		return err
	}
	f, err := d.create(tmp)
	if err != nil {
		return err
	}
	err = d.change("write", tmp, func() error { _, err := f.Write(data); return err })
	if err == nil {
		err = d.change("sync", tmp, f.Sync)
	}
	if cerr := d.close(f); err == nil {
		err = cerr
	}
	if err == nil {
		err = d.rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, d.remove(tmp))
	}
	return d.syncFolder(folder)
}

// readFolder lists a folder; one that is not there is empty.
func readFolder(path string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, explain("read folder", path, err)
}

// exists reports whether something has the name.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, explain("look at", path, err)
}
