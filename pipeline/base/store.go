package base

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/known"
)

// Store is the base of an open journal, be it pruned or not, and prunes it. It is
// safe for concurrent use. A nil Store is that of a journal that is never pruned.
type Store struct {
	journal   *journal.Journal
	flattener flatten.Flattener
	logger    *slog.Logger

	pruning sync.Mutex
	mu      sync.RWMutex
	base    *Base // nil if the journal is whole
}

// Open opens the base of a journal, whose pages f flattens. What is wrong with it
// is a *journal.BaseError; that another process has pruned the journal since it was
// opened for reading, a *journal.PrunedError.
func Open(j *journal.Journal, f flatten.Flattener, logger *slog.Logger) (*Store, error) {
	s := &Store{journal: j, flattener: f, logger: logger}
	return s, s.reopen()
}

// reopen opens what is the journal's base now.
func (s *Store) reopen() error {
	s.base = nil
	folder := s.journal.Base()
	if folder == "" {
		return nil
	}
	b, err := open(s.journal, folder, s.logger)
	if err != nil && s.journal.Outdated() {
		return &journal.PrunedError{Seq: s.journal.First()} // a newer one is in its place
	}
	if err != nil {
		return err
	}
	if b.past.Next != s.journal.First() {
		err := &journal.BaseError{Path: folder, Problem: fmt.Sprintf("it stands for %d records, the journal begins with record %d", b.past.Next, s.journal.First())}
		return errors.Join(err, b.close())
	}
	s.base = b
	return nil
}

// Close closes it. It must not be in use.
func (s *Store) Close() error {
	err := s.base.close()
	s.base = nil
	return err
}

// Pin returns the base, nil if there is none. Until release is called, the journal
// is not cut: what is in neither of them is nowhere. Who has one pinned must not
// ask for another.
func (s *Store) Pin() (_ *Base, release func()) {
	if s == nil {
		return nil, func() {}
	}
	s.mu.RLock()
	return s.base, s.mu.RUnlock
}

// Prune cuts the journal at record n, with which a segment has to begin: it makes
// a base that stands for all before, and removes that. live is the store of known
// leads, if it is open, which has to have come as far.
//
// It may take minutes where much is pruned, and nobody waits for it until the
// journal is cut. When the context ends before, nothing is done.
func (s *Store) Prune(ctx context.Context, n journal.Seq, live *known.Store) (err error) {
	s.pruning.Lock()
	defer s.pruning.Unlock()
	if live != nil && live.Position() < n {
		return fmt.Errorf("prune the journal: the store of known leads has come to record %d, not to %d", live.Position(), n)
	}
	draft, err := s.journal.DraftBase(n)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(draft)) // it is elsewhere once it is in force
		}
	}()
	if err := s.build(ctx, draft, n); err != nil {
		return fmt.Errorf("put together what stands for the records before %d: %w", n, err)
	}
	if err := s.cut(n, draft); err != nil {
		return err
	}
	if live != nil {
		return live.Forget(n)
	}
	return nil
}

// cut puts the draft in force. Nobody has anything pinned meanwhile.
func (s *Store) cut(n journal.Seq, draft string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.base.close(); err != nil {
		return err
	}
	err := s.journal.Prune(n, draft)
	return errors.Join(err, s.reopen())
}
