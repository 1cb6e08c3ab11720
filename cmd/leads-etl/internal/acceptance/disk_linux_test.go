package acceptance

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// disk is a file system of its own, small enough to be filled.
type disk struct {
	t       testing.TB
	dir     string
	ballast string
}

// newDisk mounts a file system in memory. ok is false where the machine does not
// let it, which is for root.
func newDisk(t testing.TB, bytes string) (d *disk, ok bool) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("leads-etl-test", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "size="+bytes); err != nil {
		t.Logf("no file system of its own: %v", err)
		return nil, false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return &disk{t: t, dir: dir, ballast: filepath.Join(dir, "ballast")}, true
}

// fill leaves only so many bytes. Others may be writing meanwhile.
func (d *disk) fill(left int64) {
	d.t.Helper()
	f, err := os.Create(d.ballast)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(d.dir, &fs); err != nil {
			d.t.Fatal(err)
		}
		size := int64(fs.Bavail)*fs.Bsize - left
		if size <= 0 {
			return
		}
		switch err := syscall.Fallocate(int(f.Fd()), 0, 0, size); err {
		case nil:
			return
		case syscall.ENOSPC, syscall.EINTR: // somebody was faster
		default:
			d.t.Fatal(err)
		}
	}
}

// empty makes room again.
func (d *disk) empty() {
	d.t.Helper()
	if err := os.Remove(d.ballast); err != nil {
		d.t.Fatal(err)
	}
}
