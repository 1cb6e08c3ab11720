package freeze

import "github.com/cockroachdb/pebble/v2/vfs"

// file is a file, or a folder, that was begun while the disk worked.
//
// When the disk fails, a table cannot go on: it would be read as it was never
// written. So its owner gets the failure, and makes another one, in memory. All
// others are read by those only who open the database again: they end there, as in
// a crash.
type file struct {
	vfs.File
	fs    *FS
	table bool
}

// do does something to the file, unless it is frozen.
func (f *file) do(what func() error) error {
	if f.fs.memory() == nil {
		err := what()
		if err == nil {
			return nil
		}
		f.fs.freeze(err)
	}
	if f.table {
		return f.fs.Err()
	}
	return nil
}

// Write implements vfs.File.
func (f *file) Write(p []byte) (n int, err error) {
	if err := f.do(func() error { n, err = f.File.Write(p); return err }); err != nil {
		return n, err
	}
	return len(p), nil
}

// WriteAt implements vfs.File.
func (f *file) WriteAt(p []byte, offset int64) (n int, err error) {
	if err := f.do(func() error { n, err = f.File.WriteAt(p, offset); return err }); err != nil {
		return n, err
	}
	return len(p), nil
}

// Close implements vfs.File.
func (f *file) Close() error {
	err := f.File.Close()
	if err != nil {
		f.fs.freeze(err)
	}
	if f.table {
		return err
	}
	return nil
}

// Preallocate implements vfs.File.
func (f *file) Preallocate(offset, length int64) error {
	return f.do(func() error { return f.File.Preallocate(offset, length) })
}

// Sync implements vfs.File.
func (f *file) Sync() error { return f.do(f.File.Sync) }

// SyncData implements vfs.File.
func (f *file) SyncData() error { return f.do(f.File.SyncData) }

// SyncTo implements vfs.File.
func (f *file) SyncTo(length int64) (fullSync bool, err error) {
	err = f.do(func() error { fullSync, err = f.File.SyncTo(length); return err })
	return fullSync, err
}
