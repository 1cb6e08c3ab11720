package known

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Pages flattens landed pages: *deliver.Reader does, and keeps account of what
// it met.
type Pages interface {
	// Page returns the rows of the page that were submitted within w, and those
	// without a time.
	Page(seq journal.Seq, w window.Window) (flatten.Result, error)
}

// Options of a store.
type Options struct {
	// Dir is the store's folder. It is made where it is missing, and everything in
	// it is removed where it is of no use.
	Dir string
	// Journal is what the store is derived from.
	Journal *journal.Journal
	// Pages flattens the journal's pages, and Flattener, which must do the same,
	// answers that are not landed.
	Pages     Pages
	Flattener flatten.Flattener
	// Scope leaves out all leads but some, for those who only look at them; nil for
	// all there are.
	Scope *Scope
	// Sighted is told, while the store takes them in, of each page that shows a
	// lead, whether it changes something or not; nil for nobody.
	Sighted func(lead uuid.UUID, seq journal.Seq)
	// Logger is told of a store that is made anew, and of what the disk gets wrong.
	Logger *slog.Logger

	// Draft says that a crash may take all of the store: there is no log of what is
	// written, and only Flush makes it last.
	Draft bool

	// FS is the file system, for tests that crash it; nil for the machine's.
	FS vfs.FS

	// sliceLeads, batchBytes, tableBytes are for tests; 0 for the usual.
	sliceLeads, batchBytes, tableBytes int
}

// Store is the store of known leads, and of the events that the landed pages
// amount to. All methods may be called at any time from any goroutine.
type Store struct {
	options Options
	lock    *pebble.Lock
	db      *pebble.DB
	failing *failing

	advancing sync.Mutex // held by Advance
	comparing sync.Mutex // held while a large answer is compared
	streams   map[string]bool
	deadRead  map[journal.Seq]bool // pages out of scope whose dead letters are noted

	mu      sync.Mutex
	at      position // committed
	changed chan struct{}
}

// Position returns the number of the first record that is not taken in: the
// events of all pages before it are known.
func (s *Store) Position() journal.Seq {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at.next
}

// Changed returns a channel that is closed when Position moves after the call. To
// miss nothing, ask for the channel first and for the position then.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Stats counts what the store holds.
type Stats struct {
	// Live and Vanished leads are known.
	Live, Vanished int
	// Undated is the part of both that was ever shown without a time, or at another
	// than was asked for.
	Undated int
	// Events of all pages.
	Events int
}

// Stats returns the counts as of Position; in the midst of a large page those of
// the part that is taken in.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at.Stats
}

// moved makes p what others see.
func (s *Store) moved(p position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	further := p.next != s.at.next
	s.at = p
	if further {
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// commit writes the batch, which holds p, and makes it what others see. It does
// not wait for the disk: what a crash takes is derived again.
func (s *Store) commit(b *pebble.Batch, p position) (err error) {
	defer recoverFatal(&err)
	if err := b.Set(positionKey, p.append(nil), nil); err != nil {
		return fmt.Errorf("writing known leads: %w", err)
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("writing known leads: %w", err)
	}
	if err := s.failing.error(); err != nil {
		return fmt.Errorf("writing known leads: %w", err)
	}
	s.moved(p)
	return nil
}

// Close closes the store. It must not be in use. What is not on the disk by then is
// derived again, so that it cannot be written is no error of Close.
func (s *Store) Close() (err error) {
	defer recoverFatal(&err)
	if err := errors.Join(s.db.Close(), s.lock.Close()); err != nil {
		return fmt.Errorf("closing the store of known leads: %w", err)
	}
	return nil
}

// errDamaged is what reading something that was never written ends with.
var errDamaged = errors.New("the store of known leads is damaged")

// checked returns err; if it is of damage, it also sees to it that Open makes the
// store anew. Where the disk has failed, nothing that is on it is damaged.
func (s *Store) checked(err error) error {
	if err == nil || s.failing.disk.Err() != nil || !errors.Is(err, errDamaged) && !pebble.IsCorruptionError(err) {
		return err
	}
	if markErr := markDamaged(s.options.FS, s.options.Dir); markErr != nil {
		return errors.Join(err, markErr)
	}
	return fmt.Errorf("%w (it is made anew from the journal when it is opened again)", err)
}
