package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Check tries whether the folder can be made and written, by a file that is
// written, synced, renamed and removed again. It leaves nothing behind, neither
// the file nor folders that it had to make.
func Check(ctx context.Context, o Options) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	root, err := filepath.Abs(o.Dir)
	if err != nil {
		return fmt.Errorf("check %s: %w", o.Dir, err)
	}
	fileMode, err := parseMode(o.FileMode, 0o600)
	if err != nil {
		return fmt.Errorf("file-mode: %w", err)
	}
	dirMode, err := parseMode(o.DirMode, 0o700)
	if err != nil {
		return fmt.Errorf("dir-mode: %w", err)
	}
	d := disk{fileMode: fileMode, dirMode: dirMode, folders: new(sync.Mutex)}
	kept, err := standing(root)
	if err != nil {
		return err
	}
	if err := d.makeAll(root); err != nil {
		return errors.Join(err, d.prune(kept, root))
	}
	path := filepath.Join(root, fmt.Sprintf("%s-check-%d", manifestFolder, os.Getpid()))
	err = d.replace(path, []byte("leads-etl check\n"))
	return errors.Join(err, d.remove(path), d.prune(kept, root))
}

// standing returns the nearest folder at or above path that is there.
func standing(path string) (string, error) {
	for ; ; path = filepath.Dir(path) {
		there, err := exists(path)
		if err != nil || there || path == filepath.Dir(path) {
			return path, err
		}
	}
}

// Free returns how many bytes can be written where dir is, or will be.
func Free(dir string) (uint64, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	kept, err := standing(root)
	if err != nil {
		return 0, err
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(kept, &st); err != nil {
		return 0, explain("free space of", kept, err)
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:unconvert // Bavail is signed on FreeBSD
}
