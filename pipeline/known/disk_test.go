package known

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// A disk that fails from some write on, for good: the store says so where it is
// written, does not take the process with it, closes, and goes on from what is on
// the disk when that works again.
func TestTheDiskFails(t *testing.T) {
	w := newWorld(t)
	for round := range 12 {
		var leads []object
		for i := range 150 {
			leads = append(leads, with(ann, "submittedTime", stamp(i), "userId", fmt.Sprint("user ", i), "leadStatus", fmt.Sprint((round+i)%7)))
		}
		w.append(journal.Record{Page: w.page(0, 200, leads...)})
	}
	w.advance()
	want, err := w.store.Sum(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, draft := range []bool{false, true} {
		told, untold, until := 0, 0, 0
		for healthy := false; !healthy; until += 1 + until/20 {
			fs := vfs.NewMem()
			var writes, failed atomic.Int64
			disk := errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpLock || writes.Add(1) <= int64(until) {
					return nil
				}
				failed.Add(1)
				return syscall.ENOSPC
			}))
			o := w.options(disk)
			o.tableBytes, o.batchBytes, o.Draft = 64<<10, 8<<10, draft
			switch err := fill(t, o); {
			case errors.Is(err, syscall.ENOSPC):
				told++
			case err != nil:
				t.Fatalf("after %d writes: %v", until, err)
			default:
				untold++ // it failed in the last moment, or not at all
			}
			healthy = failed.Load() == 0

			o.FS = fs
			if err := fill(t, o, want); err != nil {
				t.Fatalf("again after %d writes: %v", until, err)
			}
		}
		t.Logf("draft %v: %d writes; failing after some of them was told of %d times, and otherwise %d times no matter", draft, until, told, untold)
		if told < 20 {
			t.Errorf("only %d failures were told of", told)
		}
	}
}

// fill opens a store, takes in all there is, writes it to the disk, and closes it.
// It has the sum, if one is given.
func fill(t *testing.T, o Options, sum ...string) error {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		return err
	}
	if err = s.Advance(t.Context()); err == nil && o.Draft {
		err = s.Flush(t.Context())
	}
	for _, want := range sum {
		got, err := s.Sum(t.Context())
		if err != nil || got != want {
			t.Errorf("the store is %s, want %s (%v)", got, want, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	return err
}
