package known

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// damagedMark is a file that says that the store is damaged: Open makes it anew.
const damagedMark = "DAMAGED"

func markDamaged(fs vfs.FS, dir string) error {
	f, err := fs.Create(fs.PathJoin(dir, damagedMark), vfs.WriteCategoryUnspecified)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("marking the store of known leads as damaged: %w", err)
	}
	return nil
}

func isMarkedDamaged(fs vfs.FS, dir string) bool {
	_, err := fs.Stat(fs.PathJoin(dir, damagedMark))
	return err == nil
}
