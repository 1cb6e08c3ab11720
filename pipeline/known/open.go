package known

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/leads-etl/leads-etl/pipeline/internal/freeze"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// Open opens the store in its folder. One that is of no use (of another journal
// or another format, ahead of the journal, damaged) is removed, which is logged:
// Advance then derives all of it again. It only waits for the disk.
//
// Only one process can have the store open.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.sliceLeads == 0 {
		o.sliceLeads = sliceLeads
	}
	if o.batchBytes == 0 {
		o.batchBytes = batchBytes
	}
	if err := o.FS.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the store of known leads: %w", err)
	}
	s, err := open(ctx, o)
	useless, ok := errors.AsType[*uselessError](err)
	if !ok {
		return s, err
	}
	o.Logger.WarnContext(ctx, "the store of known leads is made anew from the journal", "folder", o.Dir, "reason", useless.reason)
	if err := o.FS.RemoveAll(o.Dir); err != nil {
		return nil, fmt.Errorf("remove the store of known leads: %w", err)
	}
	if err := o.FS.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the store of known leads: %w", err)
	}
	if s, err = open(ctx, o); err != nil {
		return nil, fmt.Errorf("open a new store of known leads: %w", err)
	}
	return s, nil
}

// uselessError says why a store has to be made anew.
type uselessError struct{ reason error }

func (e *uselessError) Error() string { return "of no use: " + e.reason.Error() }

// open opens the store as it is, or a new one.
func open(ctx context.Context, o Options) (_ *Store, err error) {
	lock, err := pebble.LockDirectory(o.Dir, o.FS)
	if err != nil {
		return nil, fmt.Errorf("lock the store of known leads: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	if isMarkedDamaged(o.FS, o.Dir) {
		return nil, &uselessError{errDamaged}
	}
	f := &failing{logger: o.Logger, disk: freeze.New(o.FS)}
	db, err := openPebble(o, f, lock)
	if err != nil {
		return nil, openError(err)
	}
	s := &Store{options: o, lock: lock, db: db, failing: f, streams: make(map[string]bool), deadRead: make(map[journal.Seq]bool), changed: make(chan struct{})}
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func openPebble(o Options, f *failing, lock *pebble.Lock) (db *pebble.DB, err error) {
	defer recoverFatal(&err)
	options := pebbleOptions()
	options.DisableWAL = o.Draft
	if o.tableBytes != 0 {
		options.MemTableSize = uint64(o.tableBytes)
	}
	options.FS, options.Lock, options.Logger, options.EventListener = f.disk, lock, f, f.listener()
	db, err = pebble.Open(o.Dir, options)
	if err == nil && f.disk.Err() != nil {
		return nil, errors.Join(f.disk.Err(), db.Close())
	}
	return db, err
}

// openError tells damage from what the system refuses.
func openError(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok && !errors.Is(errno, fs.ErrNotExist) {
		return fmt.Errorf("open the store of known leads: %w", err)
	}
	return &uselessError{err}
}

// load reads what the store is, and refuses it if it is of no use.
func (s *Store) load(ctx context.Context) error {
	want := identityOf(s.options.Journal, s.options.sliceLeads) + s.options.Scope.identity()
	have, err := s.get(identityKey)
	switch {
	case err != nil:
		return openError(err)
	case have == nil:
		return s.create(ctx, want)
	case string(have) != want:
		return &uselessError{fmt.Errorf("it is of another journal, of another format than %d, or from before the journal was repaired", format)}
	}
	value, err := s.get(positionKey)
	if err != nil {
		return openError(err)
	}
	if s.at, err = readPosition(value); err != nil {
		return &uselessError{err}
	}
	if end := s.options.Journal.End(); s.at.next > end {
		return &uselessError{fmt.Errorf("it has taken in %d records of a journal that has %d", s.at.next, end)}
	}
	if first := s.options.Journal.First(); s.at.next < first {
		return &uselessError{fmt.Errorf("it has taken in %d records, and those before %d are pruned", s.at.next, first)}
	}
	if err := s.forgetPruned(); err != nil {
		return err
	}
	return s.loadStreams()
}

// create makes an empty database a store. The identity is synced, and all else
// comes after it.
func (s *Store) create(ctx context.Context, identity string) (err error) {
	defer recoverFatal(&err)
	empty, err := s.isEmpty()
	if err != nil {
		return openError(err)
	}
	if !empty {
		return &uselessError{fmt.Errorf("%w: it does not say whose it is", errDamaged)}
	}
	if base := s.options.Journal.Base(); base != "" {
		return s.seed(ctx, identity, filepath.Join(base, BaseFolder))
	}
	s.at = position{second: atStart}
	return s.identify(identity)
}

// identify writes, in one go, whose the store is and its position.
func (s *Store) identify(identity string) error {
	b := s.db.NewBatch()
	defer b.Close()
	if err := errors.Join(b.Set(identityKey, []byte(identity), nil), b.Set(positionKey, s.at.append(nil), nil), b.Commit(s.synced())); err != nil {
		return fmt.Errorf("create the store of known leads: %w", err)
	}
	return nil
}

// synced is how what makes the store one is written.
func (s *Store) synced() *pebble.WriteOptions {
	if s.options.Draft {
		return pebble.NoSync
	}
	return pebble.Sync
}

func (s *Store) isEmpty() (bool, error) {
	all, err := s.db.NewIter(nil)
	if err != nil {
		return false, err
	}
	empty := !all.First()
	return empty, all.Close()
}

// format is the number of the layout that doc.go describes, and of the rules by
// which events are derived.
const format = 2

// identityOf is what a store says of itself, for comparing.
func identityOf(j *journal.Journal, sliceLeads int) string {
	id := layoutOf(j, sliceLeads)
	if n := len(j.Losses()); n > 0 {
		id += fmt.Sprintf("%s%d lost answers", without, n)
	}
	return id
}

// without stands before the part of an identity that tells of lost answers.
const without = ", without "

// layoutOf is the part of an identity that says whether the store can be read.
func layoutOf(j *journal.Journal, sliceLeads int) string {
	names := make([]string, len(schema.DigestColumns))
	for i, c := range schema.DigestColumns {
		names[i] = c.Name
	}
	return fmt.Sprintf("journal %s, format %d, slices %d, columns %s", j.ID(), format, sliceLeads, strings.Join(names, " "))
}

// get returns a copy of a value; nil if there is none.
func (s *Store) get(key []byte) ([]byte, error) { return get(s.db, key) }

func get(r pebble.Reader, key []byte) ([]byte, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, value...), closer.Close()
}

// loadStreams reads which batches are streams.
func (s *Store) loadStreams() error {
	ids, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{streamKind}, UpperBound: []byte{streamKind + 1}})
	if err != nil {
		return openError(err)
	}
	for ok := ids.First(); ok; ok = ids.Next() {
		s.streams[string(ids.Key()[1:])] = true
	}
	if err := ids.Close(); err != nil {
		return openError(err)
	}
	return nil
}

// pebbleOptions bound the memory, whatever the number of leads: the cache, two or
// three memory tables, and what a compaction reads and writes.
func pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		CacheSize:                   2 << 20,
		MemTableSize:                4 << 20,
		MemTableStopWritesThreshold: 3,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       12,
		MaxOpenFiles:                256,
		FormatMajorVersion:          pebble.FormatNewest,
	}
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	return o
}
