package known

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// BaseFolder is where in the base of a pruned journal the store is as it was then.
const BaseFolder = "known"

// seedBytes is how much is copied at a time.
const seedBytes = 1 << 20

// seed fills an empty store with what was known when the journal was pruned. What
// says that it is a store comes last, so that one that a crash left half filled is
// of no use and made anew.
func (s *Store) seed(ctx context.Context, identity, folder string) (err error) {
	defer recoverFatal(&err)
	base, err := OpenPast(folder, s.options.Logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.Close()) }()
	have, err := get(base.db, identityKey)
	if err != nil {
		return fmt.Errorf("reading what was known when the journal was pruned: %w", err)
	}
	// Answers that were lost since are not among those that the base stands for.
	if layout, _, _ := strings.Cut(string(have), without); layout != layoutOf(s.options.Journal, s.options.sliceLeads) {
		return &journal.BaseError{Path: folder, Problem: "it was made by another version of leads-etl, or for another journal"}
	}
	position, err := get(base.db, positionKey)
	if err != nil {
		return fmt.Errorf("reading what was known when the journal was pruned: %w", err)
	}
	if s.at, err = readPosition(position); err != nil {
		return &journal.BaseError{Path: folder, Problem: err.Error()}
	}
	if s.options.Scope != nil { // it counts its own
		s.at.Live, s.at.Vanished, s.at.Undated = 0, 0, 0
	}
	for _, span := range s.options.Scope.spans() {
		if err := s.copySpan(ctx, base, span); err != nil {
			return err
		}
	}
	if err := s.identify(identity); err != nil {
		return err
	}
	return s.loadStreams()
}

// copySpan copies what of the base lies in a range of keys and is in scope.
func (s *Store) copySpan(ctx context.Context, base *Past, span [2][]byte) (err error) {
	all, err := base.db.NewIter(&pebble.IterOptions{LowerBound: span[0], UpperBound: span[1]})
	if err != nil {
		return fmt.Errorf("reading what was known when the journal was pruned: %w", err)
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	batch := s.db.NewBatch()
	defer func() { batch.Close() }()
	for ok := all.First(); ok; ok = all.Next() {
		value, err := all.ValueAndErr()
		if err != nil {
			return fmt.Errorf("reading what was known when the journal was pruned: %w", err)
		}
		wanted, err := s.countIn(all.Key(), value)
		if err != nil {
			return fmt.Errorf("reading what was known when the journal was pruned: %w", err)
		}
		if !wanted {
			continue
		}
		if err := batch.Set(all.Key(), value, nil); err != nil {
			return fmt.Errorf("writing known leads: %w", err)
		}
		if batch.Len() < seedBytes {
			continue
		}
		if err := errors.Join(ctx.Err(), batch.Commit(pebble.NoSync)); err != nil {
			return fmt.Errorf("writing known leads: %w", err)
		}
		batch.Close()
		batch = s.db.NewBatch()
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("writing known leads: %w", err)
	}
	return nil
}

// countIn reports whether what is copied is in scope, and counts it if it is a lead.
// The counts of a store of all leads come with its position.
func (s *Store) countIn(key, value []byte) (wanted bool, err error) {
	if s.options.Scope == nil || len(key) != leadKeyLen || key[0] != byte(dated) && key[0] != byte(undated) {
		return true, nil
	}
	var l lead
	if err := l.read(key, value); err != nil || !s.options.Scope.wants(l.group) {
		return false, err
	}
	s.at.Stats.add(&l, 1)
	return true, nil
}

// Forget removes the events of the pages before a record, which no sink needs any
// more. The counts go on counting them.
func (s *Store) Forget(before journal.Seq) (err error) {
	defer recoverFatal(&err)
	if err := s.db.DeleteRange(appendEventSpan(nil, 0), appendEventSpan(nil, before), pebble.NoSync); err != nil {
		return s.checked(fmt.Errorf("removing events: %w", err))
	}
	return nil
}

// forgetPruned removes events of pages that are pruned, if there are any: a crash
// may have come in between.
func (s *Store) forgetPruned() error {
	first := s.options.Journal.First()
	if first == 0 {
		return nil
	}
	events, err := s.db.NewIter(&pebble.IterOptions{LowerBound: appendEventSpan(nil, 0), UpperBound: appendEventSpan(nil, first)})
	if err != nil {
		return openError(err)
	}
	some := events.First()
	if err := events.Close(); err != nil {
		return openError(err)
	}
	if !some {
		return nil
	}
	return s.Forget(first)
}

// Flush writes everything to the disk, and in as few files as it takes.
func (s *Store) Flush(ctx context.Context) (err error) {
	defer recoverFatal(&err)
	s.mu.Lock()
	position := s.at
	s.mu.Unlock()
	// It may have moved since over records that are not worth a write.
	if err := errors.Join(s.db.Set(positionKey, position.append(nil), pebble.NoSync), s.db.Flush()); err != nil {
		return s.checked(fmt.Errorf("writing known leads: %w", err))
	}
	// The events that are gone are to be gone from the disk as well.
	err = s.db.Compact(ctx, appendEventSpan(nil, 0), []byte{eventKind + 1}, false)
	if err := cmp.Or(s.failing.error(), err); err != nil {
		return s.checked(fmt.Errorf("writing known leads: %w", err))
	}
	return nil
}
