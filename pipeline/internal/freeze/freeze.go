// Package freeze is a file system for an embedded database whose disk may fail it:
// fill up, reach a quota, go bad.
//
// Pebble ends the process where it cannot write its log or its manifest, from
// goroutines of its own where nobody can recover. A database that can be derived
// again is not worth that. So from the first failure on the files stay as they are,
// which is just what a crash at that moment would leave, and what the database
// writes after it goes into memory: it goes on unaware until it is closed. Who owns
// it asks Err, and should close it soon.
//
// What must not be here: anything that knows what is in the files.
package freeze

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// FS is a file system that freezes at the first failure to write to it. Make it with
// New.
type FS struct {
	vfs.FS // what is on the disk

	mu    sync.Mutex
	first error
	after *vfs.MemFS // what came after the first failure
}

// New returns a file system of the files of another one.
func New(inner vfs.FS) *FS { return &FS{FS: inner} }

// Err returns the failure at which the files were frozen; nil if there was none.
func (f *FS) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first
}

// freeze keeps the first failure, before anybody can build on what has failed.
func (f *FS) freeze(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		f.first, f.after = err, vfs.NewMem()
	}
}

// memory is the file system in memory; nil while the disk works.
func (f *FS) memory() *vfs.MemFS {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.after
}

// Create implements vfs.FS.
func (f *FS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.begin(name, category, func() (vfs.File, error) { return f.FS.Create(name, category) })
}

// ReuseForWrite implements vfs.FS.
func (f *FS) ReuseForWrite(oldName, newName string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.begin(newName, category, func() (vfs.File, error) { return f.FS.ReuseForWrite(oldName, newName, category) })
}

// begin begins a file on the disk or, where that fails or has failed, in memory.
func (f *FS) begin(name string, category vfs.DiskWriteCategory, onDisk func() (vfs.File, error)) (vfs.File, error) {
	if f.memory() == nil {
		switch begun, err := onDisk(); {
		case err == nil:
			return &file{begun, f, isTable(name)}, nil
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist):
			return nil, err // a mistake of the caller's
		default:
			f.freeze(err)
		}
	}
	memory := f.memory()
	if err := memory.MkdirAll(f.PathDir(name), 0o700); err != nil {
		return nil, err
	}
	return memory.Create(name, category)
}

// isTable reports whether the file is one that the database reads again while it is
// open, of which it never takes one that is not whole.
func isTable(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
}

// Open implements vfs.FS.
func (f *FS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if memory := f.memory(); memory != nil {
		if opened, err := memory.Open(name, opts...); err == nil {
			return opened, nil
		}
	}
	return f.FS.Open(name, opts...)
}

// OpenDir implements vfs.FS.
func (f *FS) OpenDir(name string) (vfs.File, error) {
	dir, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &file{dir, f, false}, nil
}

// Link implements vfs.FS.
func (f *FS) Link(oldName, newName string) error {
	return f.rename(oldName, newName, f.FS.Link)
}

// Rename implements vfs.FS.
func (f *FS) Rename(oldName, newName string) error {
	return f.rename(oldName, newName, f.FS.Rename)
}

func (f *FS) rename(oldName, newName string, onDisk func(oldName, newName string) error) error {
	if f.memory() == nil {
		err := onDisk(oldName, newName)
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
			return err
		}
		f.freeze(err)
	}
	// The name may be on the disk only, where it stays.
	if err := f.memory().Rename(oldName, newName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Remove implements vfs.FS.
func (f *FS) Remove(name string) error { return f.remove(name, f.FS.Remove, (*vfs.MemFS).Remove) }

// RemoveAll implements vfs.FS.
func (f *FS) RemoveAll(name string) error {
	return f.remove(name, f.FS.RemoveAll, (*vfs.MemFS).RemoveAll)
}

func (f *FS) remove(name string, onDisk func(string) error, inMemory func(*vfs.MemFS, string) error) error {
	memory := f.memory()
	if memory == nil {
		return onDisk(name)
	}
	if err := inMemory(memory, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// MkdirAll implements vfs.FS.
func (f *FS) MkdirAll(name string, perm os.FileMode) error {
	if f.memory() == nil {
		return f.FS.MkdirAll(name, perm)
	}
	return f.memory().MkdirAll(name, perm)
}

// List implements vfs.FS.
func (f *FS) List(dir string) ([]string, error) {
	names, err := f.FS.List(dir)
	if memory := f.memory(); memory != nil && err == nil {
		if more, err := memory.List(dir); err == nil {
			names = append(names, more...)
			slices.Sort(names)
			names = slices.Compact(names)
		}
	}
	return names, err
}

// Stat implements vfs.FS.
func (f *FS) Stat(name string) (vfs.FileInfo, error) {
	if memory := f.memory(); memory != nil {
		if info, err := memory.Stat(name); err == nil {
			return info, nil
		}
	}
	return f.FS.Stat(name)
}

// Unwrap implements vfs.FS.
func (f *FS) Unwrap() vfs.FS { return f.FS }
