package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultSegmentBytes is how large segments grow if Options does not say.
const DefaultSegmentBytes = 64 << 20

// Options of a journal.
type Options struct {
	// Identity is whose state the folder is to hold. A folder that belongs to
	// another is refused.
	Identity Identity
	// SegmentBytes is the size at which a new segment is begun; 0 for
	// DefaultSegmentBytes. A segment that holds one record may be larger.
	SegmentBytes int64
	// SegmentAge is the age, by the times of records, at which a new segment is
	// begun however small the old one is, so that it can be pruned; 0 for none.
	SegmentAge time.Duration
	// Logger is told when a torn end was cut off; nil for none.
	Logger *slog.Logger

	// files is where failures are put in by tests; nil for the file system.
	files files
	// step is asked before each step of a pruning; nil for nobody.
	step func(what string) error
}

// Journal is the journal of a state folder. All methods may be called at the
// same time from any goroutine.
type Journal struct {
	folder string
	id     identity
	pruner pruner
	index  *index
	torn   *TornTail
	// writer is nil if the journal was opened for reading.
	writer *writer
	// shut is set by Close, which close does once.
	shut  atomic.Bool
	close func() error
}

// Open opens the journal of the state folder dir for writing, and creates both
// if there are none. It holds the folder's lock until Close or the end of the
// process.
//
// It reads and verifies all metadata, but of the bodies only those that may
// have been on their way to the disk when the journal was left. An end that a
// crash left incomplete is cut off: see Recovered.
//
// Errors that a caller may tell apart: *LockedError, *IdentityError,
// *VersionError, *StateError, *CorruptionError, *WriteError.
func Open(dir string, o Options) (*Journal, error) {
	if o.SegmentBytes < 0 {
		return nil, fmt.Errorf("open the journal: segments of %d bytes are not possible", o.SegmentBytes)
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.files == nil {
		o.files = osFiles{}
	}
	if err := makeDir(o.files, dir); err != nil {
		return nil, err
	}
	release, err := lock(dir)
	if err != nil {
		return nil, err
	}
	j, err := openLocked(dir, o, release)
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return j, nil
}

// openLocked opens the journal of a folder that is locked. The lock is the
// journal's only if it returns one.
func openLocked(dir string, o Options, release func() error) (*Journal, error) {
	id, err := readIdentity(dir)
	if errors.Is(err, fs.ErrNotExist) {
		id, err = createJournal(o.files, dir, o.Identity)
	}
	if err != nil {
		return nil, err
	}
	if id.Identity != o.Identity {
		return nil, &IdentityError{Dir: dir, Have: id.Identity, Want: o.Identity}
	}
	j := &Journal{folder: filepath.Join(dir, journalFolder), id: id, index: newIndex()}
	j.pruner = pruner{files: o.files, step: o.step, id: id}
	if err := checkBase(j.folder, id); err != nil {
		return nil, err
	}
	t, err := load(j.folder, id, j.index)
	if err != nil {
		return nil, err
	}
	if err := removeLeftovers(j.folder, id); err != nil {
		return nil, err
	}
	file, end, err := repair(o.files, j.folder, id, t)
	if err != nil {
		return nil, err
	}
	if j.torn = t.torn; j.torn != nil {
		o.Logger.Warn("cut off the journal's torn end; nothing of it had been confirmed",
			"segment", j.torn.Segment, "offset", j.torn.Offset, "bytes", j.torn.Bytes, "reason", j.torn.Reason, "next", t.next)
	}
	w := newWriter(o.files, j, t, file, end, o)
	j.writer = w
	j.close = sync.OnceValue(func() error {
		j.shut.Store(true)
		return errors.Join(w.close(), release())
	})
	go w.run()
	return j, nil
}

// OpenReadOnly opens the journal of the state folder dir as it is at this
// moment, be it in use or not: without lock, and without changing anything. It
// does not see what is appended later. What it shows at the very end may not be
// confirmed yet. Recovered says what Open would cut off; where a writer is at
// work, that is what it is about to complete.
//
// If there is no journal the error is fs.ErrNotExist. The logger is told of a
// torn end; nil for none.
func OpenReadOnly(dir string, logger *slog.Logger) (*Journal, error) {
	j, t, err := settled(dir, func(id identity) (*Journal, tail, error) {
		j := &Journal{folder: filepath.Join(dir, journalFolder), id: id, index: newIndex()}
		j.pruner.id = id
		if err := checkBase(j.folder, id); err != nil {
			return nil, tail{}, err
		}
		t, err := load(j.folder, id, j.index)
		return j, t, err
	})
	if err != nil {
		return nil, err
	}
	if j.torn = t.torn; j.torn != nil && logger != nil {
		logger.Info("the journal's end is incomplete: it is being written, or was when the process ended",
			"segment", j.torn.Segment, "offset", j.torn.Offset, "bytes", j.torn.Bytes, "reason", j.torn.Reason, "next", t.next)
	}
	j.close = func() error {
		j.shut.Store(true)
		return nil
	}
	return j, nil
}

// settled calls read with the journal's identity, and again if a pruning took away
// what it was reading.
func settled[T any](dir string, read func(identity) (T, tail, error)) (T, tail, error) {
	for {
		id, err := readIdentity(dir)
		if err != nil {
			return *new(T), tail{}, err
		}
		v, t, err := read(id)
		if err == nil {
			return v, t, nil
		}
		if now, again := readIdentity(dir); again != nil || now.equal(id) {
			return v, t, err
		}
	}
}

// ID returns the journal's UUID, made when it was created.
func (j *Journal) ID() string { return j.id.Journal.String() }

// Identity returns whose journal it is.
func (j *Journal) Identity() Identity { return j.id.Identity }

// Recovered returns what opening cut off because a crash had left it
// incomplete; false if there was nothing to cut.
func (j *Journal) Recovered() (TornTail, bool) {
	if j.torn == nil {
		return TornTail{}, false
	}
	return *j.torn, true
}

// Append adds a record, whose Seq is ignored, and returns its number when it
// is synced. Records that are appended at the same time share one sync, and
// their order is that of their numbers. The record is the caller's again when
// Append returns.
//
// If the context ends before the record's writing has begun, it is not
// written and the error is the context's. Once it has begun, Append waits for
// its result whatever the context says.
//
// A *WriteError means that the journal takes no more until it is opened again,
// and that then the record may turn out to be there or not. ErrClosed and
// ErrReadOnly mean that nothing was written. Any other error is one of the
// record itself, and nothing was written.
func (j *Journal) Append(ctx context.Context, r Record) (Seq, error) {
	if j.writer == nil {
		return 0, ErrReadOnly
	}
	e, err := encode(r)
	if err != nil {
		return 0, err
	}
	return j.writer.append(ctx, e)
}

func (j *Journal) closed() bool { return j.shut.Load() }

// Close waits for the records being written, refuses others, and gives the
// lock back. After it, what is in memory can still be asked for; what has to be
// read from disk cannot. It is safe to call more than once.
func (j *Journal) Close() error { return j.close() }
