package sealed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// build makes a database of several tables.
func build(t *testing.T) (folder string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "db")
	db, err := pebble.Open(folder, &pebble.Options{Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	for table := range 3 {
		err = errors.Join(err, db.Set(fmt.Append(nil, "key ", table), []byte("value"), nil), db.Flush())
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return folder
}

// Several read one database, while somebody has it locked, from a folder in which
// nothing can be written, and nothing in it becomes another.
func TestManyRead(t *testing.T) {
	folder := build(t)
	owner, err := pebble.Open(folder, &pebble.Options{ReadOnly: true, Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	before := listed(t, folder)
	for range 2 {
		db, err := Open(folder, &pebble.Options{Logger: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if n, err := count(db); n != 3 || err != nil {
			t.Errorf("%d keys, %v", n, err)
		}
		if err := db.Set([]byte("key"), nil, nil); !errors.Is(err, pebble.ErrReadOnly) {
			t.Errorf("writing: %v", err)
		}
	}
	if after := listed(t, folder); after != before {
		t.Errorf("the folder held\n%s\nand holds\n%s", before, after)
	}
}

// What is removed under a reader's feet is an error of the reading, and no more.
func TestRemovedMeanwhile(t *testing.T) {
	folder := build(t)
	db, err := Open(folder, &pebble.Options{Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if n, err := count(db); err == nil {
		t.Errorf("%d keys of a database that is gone", n)
	}
}

func count(db *pebble.DB) (n int, err error) {
	all, err := db.NewIter(nil)
	if err != nil {
		return 0, err
	}
	for ok := all.First(); ok; ok = all.Next() {
		n++
	}
	return n, all.Close()
}

func listed(t *testing.T, folder string) (list string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		list += fmt.Sprintln(f.Name(), info.Size(), info.ModTime())
	}
	return list
}

// silent logs nothing; what is fatal must not come.
type silent struct{}

func (silent) Infof(string, ...any)              {}
func (silent) Errorf(string, ...any)             {}
func (silent) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
