// Package sealed opens embedded databases that nobody writes to any more, such as
// those in the base of a pruned journal. It takes no lock and changes nothing, so
// that any number of processes can read one at the same time, and beside whoever
// exports.
//
// What must not be here: databases that somebody writes to.
package sealed

import (
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Open opens the database in a folder for reading. Of the options, those count
// that matter to a reader.
func Open(folder string, o *pebble.Options) (*pebble.DB, error) {
	o.FS, o.ReadOnly = files{vfs.Default}, true
	// Who reads something that is not as it was written, or is gone, gets an error for
	// it. By default it would be a fatal one.
	o.EventListener = &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}}
	return pebble.Open(folder, o)
}

// files are those of the machine, without the database's lock.
type files struct{ vfs.FS }

// Lock implements vfs.FS.
func (files) Lock(string) (io.Closer, error) { return unlocked{}, nil }

// Unwrap implements vfs.FS.
func (f files) Unwrap() vfs.FS { return f.FS }

type unlocked struct{}

func (unlocked) Close() error { return nil }
