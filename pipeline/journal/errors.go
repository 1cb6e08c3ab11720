package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// ErrClosed is returned by a journal that was closed.
var ErrClosed = errors.New("the journal is closed")

// ErrReadOnly is returned by Append of a journal that was opened for reading.
var ErrReadOnly = errors.New("the journal is open for reading only")

// IdentityError says that a state folder belongs to another seller,
// marketplace or API than the one it was opened for.
type IdentityError struct {
	Dir        string
	Have, Want Identity
}

func (e *IdentityError) Error() string {
	return fmt.Sprintf("the state folder %s belongs to %s, not to %s; use another state folder (state.dir)", e.Dir, e.Have, e.Want)
}

// VersionError says that a journal was written in a format that this version
// of the program does not know.
type VersionError struct {
	Path            string
	Have, Supported int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s: journal format %d is newer than format %d, which this version reads; use the version of leads-etl that wrote it, or a later one", e.Path, e.Have, e.Supported)
}

// StateError says that a state folder does not hold what a journal consists
// of. Nothing was changed or created: a journal made anew would have another
// id, and every output would look like written under a state that is lost.
type StateError struct {
	Dir     string
	Problem string
}

func (e *StateError) Error() string {
	return fmt.Sprintf("the state folder %s is incomplete: %s; restore it from a backup, or begin with an empty state folder", e.Dir, e.Problem)
}

// LockedError says that another process (or another Journal of this one) has
// the state folder open for writing.
type LockedError struct {
	Dir string
	// PID is the process that holds the lock; 0 if not known.
	PID int
}

func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("the state folder %s is in use by %s", e.Dir, who)
}

// WriteError says that the journal could not be written or synced. The journal
// takes no more records then; whether the records of the failing Append are
// there is decided by the next Open.
type WriteError struct {
	// Op is what was being done, as in "sync".
	Op   string
	Path string
	Err  error
}

func (e *WriteError) Error() string {
	err := e.Err
	if path, ok := errors.AsType[*fs.PathError](err); ok && path.Path == e.Path {
		err = path.Err // the path is named already
	}
	return fmt.Sprintf("journal: %s %s: %v", e.Op, e.Path, err)
}

// Unwrap returns the system's error.
func (e *WriteError) Unwrap() error { return e.Err }

// Hint is what the user can do about it, one sentence.
func (e *WriteError) Hint() string {
	const kept = "nothing that was reported as landed is lost"
	switch {
	case errors.Is(e.Err, syscall.ENOSPC), errors.Is(e.Err, syscall.EDQUOT):
		return "free space on that disk, then run again: " + kept
	case errors.Is(e.Err, syscall.EROFS), errors.Is(e.Err, syscall.EACCES), errors.Is(e.Err, syscall.EPERM):
		return "make the state folder writable, then run again: " + kept
	case errors.Is(e.Err, syscall.ENOTDIR), errors.Is(e.Err, syscall.EEXIST):
		return "something else is where a folder should be: move it away, or choose another folder with [state] dir"
	default:
		return "check the disk and the system's log, then run again: " + kept
	}
}

// CorruptionError says that a stretch of the journal that had been synced is
// not what was written.
type CorruptionError struct {
	// Segment is the path of the file, Offset where in it the bytes are wrong.
	Segment string
	Offset  int64
	// Seq is the record that should be there.
	Seq    Seq
	Reason string
}

func (e *CorruptionError) Error() string {
	return fmt.Sprintf("the journal is damaged: %s, offset %d, record %d: %s", e.Segment, e.Offset, e.Seq, e.Reason)
}

// NoPageError says that there is no page to be had under a number.
type NoPageError struct {
	Seq Seq
	// Problem completes "record 7 …": "is a batch's begin", "is not there yet".
	Problem string
}

func (e *NoPageError) Error() string {
	return fmt.Sprintf("journal record %d %s", e.Seq, e.Problem)
}

// PrunedError says that a record that was about to be read was removed by pruning
// meanwhile.
type PrunedError struct{ Seq Seq }

func (e *PrunedError) Error() string {
	return fmt.Sprintf("journal record %d was pruned meanwhile", e.Seq)
}

// BaseError says that what stands for the pruned records of a journal is not what
// was written. These records are nowhere else.
type BaseError struct {
	// Path is the folder or the file that it is about.
	Path    string
	Problem string
}

func (e *BaseError) Error() string {
	return fmt.Sprintf("the base of the pruned journal is damaged: %s: %s; restore that folder from a backup of the state folder", e.Path, e.Problem)
}

// damage is bytes that are not the frame (or header) that is due. Whoever
// knows the surroundings makes a torn end or a CorruptionError of it.
type damage struct {
	reason string
	// never is set if no crash can have left this, wherever it is found.
	never bool
}

func (d *damage) Error() string { return d.reason }

func torn(reason string) *damage {
	return &damage{reason: reason}
}

func wrong(format string, args ...any) *damage {
	return &damage{reason: fmt.Sprintf(format, args...), never: true}
}
