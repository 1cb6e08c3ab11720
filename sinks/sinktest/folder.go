package sinktest

import (
	"os"
	"testing"
)

// Folder returns an empty folder for a sink's files, in memory where the machine
// has such a place: the suite commits thousands of times, and what a sync costs
// is not what it is about.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "leads-etl-test-") //nolint:usetesting // t.TempDir is on the disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return dir
}
