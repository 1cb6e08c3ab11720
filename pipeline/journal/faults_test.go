package journal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// faultyFiles is the file system, but for one operation, which fails as told.
// All operations are written down.
type faultyFiles struct {
	unsynced
	failAt int // the number of the operation, from 0; -1 for none
	fault  fault
	ops    []string
}

// fault is how an operation fails: writes only do so after some of their
// bytes, and may keep the error to themselves.
type fault struct {
	err   error
	part  float64
	quiet bool
}

// do writes an operation down and says whether it is the one to fail.
func (f *faultyFiles) do(op, path string) bool {
	f.ops = append(f.ops, op+" "+filepath.Ext(path))
	return len(f.ops)-1 == f.failAt
}

func (f *faultyFiles) create(path string) (segmentFile, error) {
	if f.do("create", path) {
		return nil, f.fault.err
	}
	file, err := f.unsynced.create(path)
	return &faultyFile{file, f, path}, err
}

func (f *faultyFiles) open(path string) (segmentFile, error) {
	if f.do("open", path) {
		return nil, f.fault.err
	}
	file, err := f.unsynced.open(path)
	return &faultyFile{file, f, path}, err
}

func (f *faultyFiles) syncDir(path string) error {
	if f.do("syncDir", path) {
		return f.fault.err
	}
	return f.unsynced.syncDir(path)
}

type faultyFile struct {
	segmentFile
	files *faultyFiles
	path  string
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if !f.files.do("write", f.path) {
		return f.segmentFile.WriteAt(b, off)
	}
	n, err := f.segmentFile.WriteAt(b[:int(float64(len(b))*f.files.fault.part)], off)
	if err == nil && !f.files.fault.quiet {
		err = f.files.fault.err
	}
	return n, err
}

func (f *faultyFile) Truncate(size int64) error {
	if f.files.do("truncate", f.path) {
		return f.files.fault.err
	}
	return f.segmentFile.Truncate(size)
}

func (f *faultyFile) Sync() error {
	if f.files.do("sync", f.path) {
		return f.files.fault.err
	}
	return f.segmentFile.Sync()
}

func (f *faultyFile) Close() error {
	err := f.segmentFile.Close()
	if f.files.do("close", f.path) {
		return f.files.fault.err
	}
	return err
}

// Each operation on the disk fails once, in turn, from the creation of a
// journal over several segments to its end, and then again from the recovery of
// one that was torn.
func TestEveryFailureStopsTheJournalAndLosesNothing(t *testing.T) {
	faults := map[string]fault{
		"full disk":     {err: syscall.ENOSPC, part: 0},
		"half a write":  {err: syscall.ENOSPC, part: 0.5},
		"short write":   {err: syscall.EIO, part: 0.7, quiet: true},
		"failing write": {err: syscall.EIO, part: 1},
	}
	want := records(12, 2000)
	starts := map[string]func(t *testing.T) (dir string, there int){
		"new": func(t *testing.T) (string, int) { return t.TempDir(), 0 },
		"torn": func(t *testing.T) (string, int) {
			dir := t.TempDir()
			j := open(t, dir, Options{SegmentBytes: 4 << 10, files: unsynced{}})
			appendAll(t, j, want[:6]...)
			j.Close()
			paths := segmentPaths(t, dir)
			appendBytes(t, paths[len(paths)-1], []byte("the beginning of something"))
			return dir, 6
		},
	}
	for start, prepare := range starts {
		for name, fault := range faults {
			t.Run(start+"/"+name, func(t *testing.T) {
				var seen []string
				for failAt := 0; ; failAt++ {
					dir, there := prepare(t)
					files := &faultyFiles{failAt: failAt, fault: fault}
					confirmed := runIntoFailure(t, dir, files, want, there)
					// Whatever failed, and however: what was confirmed is there, the
					// rest is one of the appended records or is not there.
					j := open(t, dir, Options{SegmentBytes: 4 << 10, files: unsynced{}})
					got, err := contents(j)
					if err != nil {
						t.Fatalf("operation %d failed (%v): %v", failAt, files.ops, err)
					}
					if len(got) < confirmed || len(got) > len(want) {
						t.Fatalf("operation %d failed (%v): %d records, %d were confirmed", failAt, files.ops, len(got), confirmed)
					}
					holds(t, j, want[:len(got)])
					appendAll(t, j, want[len(got):]...)
					holds(t, j, want)
					if err := j.Close(); err != nil {
						t.Fatal(err)
					}
					if failAt >= len(files.ops) {
						break // nothing failed any more
					}
					seen = append(seen, files.ops[failAt])
				}
				for _, op := range []string{"create .journal", "write .journal", "sync .journal", "syncDir ", "close .journal"} {
					if !slices.ContainsFunc(seen, func(s string) bool { return strings.HasPrefix(s, op) }) {
						t.Errorf("no %q failed; failed were %v", op, seen)
					}
				}
				if start == "torn" && !slices.Contains(seen, "truncate .journal") {
					t.Errorf("no truncate failed; failed were %v", seen)
				}
			})
		}
	}
}

// runIntoFailure opens the journal and appends until something fails, and
// returns how many records are confirmed.
func runIntoFailure(t *testing.T, dir string, files *faultyFiles, want []Record, confirmed int) int {
	t.Helper()
	j, err := Open(dir, Options{Identity: seller, SegmentBytes: 4 << 10, files: files})
	if err != nil {
		isTheFault(t, files, err)
		return confirmed
	}
	defer j.Close()
	for confirmed < len(want) {
		if _, err = j.Append(background, want[confirmed]); err != nil {
			break
		}
		confirmed++
	}
	if err == nil {
		if err := j.Close(); err != nil {
			isTheFault(t, files, err)
		}
		return confirmed
	}
	isTheFault(t, files, err)
	if got := j.End(); got != Seq(confirmed) {
		t.Errorf("after the failure the journal ends at %d, confirmed are %d", got, confirmed)
	}
	before := len(files.ops)
	for range 3 {
		if _, again := j.Append(background, want[confirmed]); again != err {
			t.Errorf("a later Append: %v, the first was %v", again, err)
		}
	}
	if _, err := contents(j); err != nil {
		t.Errorf("what was confirmed cannot be read after the failure: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("Close after the failure: %v", err)
	}
	for _, op := range files.ops[before:] {
		if !strings.HasPrefix(op, "close") {
			t.Errorf("after the failure of %q there was still %q", files.ops[files.failAt], op)
		}
	}
	return confirmed
}

// isTheFault checks that an error is the one that was caused, and says what to
// do.
func isTheFault(t *testing.T, files *faultyFiles, err error) {
	t.Helper()
	cause, op := files.fault.err, files.ops[files.failAt]
	if files.fault.quiet && strings.HasPrefix(op, "write") {
		cause = io.ErrShortWrite
	}
	if !errors.Is(err, cause) {
		t.Errorf("%q failed with %v, want %v", op, err, cause)
	}
	if strings.HasPrefix(op, "open") {
		return // nothing was being written
	}
	e, ok := errors.AsType[*WriteError](err)
	if !ok {
		t.Fatalf("%q failed with %T: %v", op, err, err)
	}
	hint := "check the disk"
	if errors.Is(e, syscall.ENOSPC) {
		hint = "free space"
	}
	if !strings.Contains(e.Hint(), hint) || !strings.Contains(e.Hint(), "run again") || e.Path == "" {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

func TestWriteErrorSaysWhatToDo(t *testing.T) {
	for err, hint := range map[error]string{
		syscall.ENOSPC:                   "free space",
		syscall.EDQUOT:                   "free space",
		syscall.EROFS:                    "writable",
		syscall.EIO:                      "check the disk",
		fmt.Errorf("x: %w", io.EOF):      "check the disk",
		&WriteError{Err: io.EOF}:         "check the disk",
		fmt.Errorf("%w", syscall.EACCES): "writable",
	} {
		e := &WriteError{Op: "sync", Path: "/state/journal/0.journal", Err: err}
		if !strings.Contains(e.Hint(), hint) {
			t.Errorf("%v: hint %q, want %q", err, e.Hint(), hint)
		}
	}
}
