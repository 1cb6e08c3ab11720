//go:build !linux

package acceptance

import "testing"

// disk is a file system of its own, which only Linux gives to tests.
type disk struct{ dir string }

func newDisk(testing.TB, string) (*disk, bool) { return nil, false }

func (d *disk) fill(int64) {}

func (d *disk) empty() {}
