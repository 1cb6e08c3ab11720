package freeze

import (
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// The names say which files they are to the database.
const (
	table  = "db/000001.sst"
	later  = "db/000002.sst"
	log    = "db/000003.log"
	hidden = "db/000004.log"
)

func TestFreeze(t *testing.T) {
	inner := vfs.NewMem()
	var full errorfs.Toggle
	full.Injector = errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	})
	fs := New(errorfs.Wrap(inner, &full))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(fs.MkdirAll("db", 0o700))
	begin := func(name string) vfs.File {
		t.Helper()
		f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
		must(err)
		return f
	}
	write := func(f vfs.File, text string) error {
		_, err := f.Write([]byte(text))
		return errors.Join(err, f.Sync())
	}
	begunTable, begunLog := begin(table), begin(log)
	must(errors.Join(write(begunTable, "a"), write(begunLog, "a")))
	if _, err := fs.Create("nowhere/x", vfs.WriteCategoryUnspecified); err == nil || fs.Err() != nil {
		t.Errorf("a file in no folder: %v; the disk: %v", err, fs.Err())
	}
	before := inner.String()

	full.On()
	must(write(begunLog, "b"))
	if !errors.Is(fs.Err(), syscall.ENOSPC) {
		t.Errorf("the failure is %v", fs.Err())
	}
	full.Off()
	if err := write(begunTable, "b"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a table that goes on after the failure: %v", err)
	}
	newTable := begin(later)
	must(errors.Join(write(newTable, "whole"), newTable.Close(), begin(hidden).Close(), begunLog.Close(), begunTable.Close()))
	must(errors.Join(fs.Rename(hidden, "db/renamed"), fs.Rename(log, "db/not renamed"), fs.Remove(table), fs.Remove("db/renamed")))
	f, err := fs.Open(later)
	must(err)
	if text, err := io.ReadAll(f); err != nil || string(text) != "whole" {
		t.Errorf("what was written after the failure is %q (%v)", text, err)
	}
	must(f.Close())
	names, err := fs.List("db")
	must(err)
	if want := []string{"000001.sst", "000002.sst", "000003.log"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	for _, name := range []string{table, later} {
		if _, err := fs.Stat(name); err != nil {
			t.Error(err)
		}
	}
	if after := inner.String(); after != before {
		t.Errorf("on the disk there is\n%s, want as at the failure\n%s", after, before)
	}
}
