package files

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// EventSink is a deliver.Sink with Append semantics that adds files of events.
// It holds no resources but those of an open transaction.
type EventSink struct {
	output
	tag          string // of our journal
	rollRows     int
	rollBytes    int64
	rollInterval time.Duration
	// strays are files of our journal that are in the way of what comes next.
	strays []stray
	open   *eventTransaction
}

// stray is a file in its folder, which is relative to the root.
type stray struct{ folder, name string }

// OpenEvents returns the sink of one seller's events in one format, having
// completed what a crash left of a commit and removed what it left of open
// transactions. It reads the list of all files and all manifests, and makes no
// folder.
func OpenEvents(ctx context.Context, spec Spec) (*EventSink, error) {
	s, err := newEventSink(spec)
	if err != nil {
		return nil, err
	}
	if err := s.recover(ctx); err != nil {
		return nil, fmt.Errorf("open %s output in %s: %w", s.format.Name, s.root, err)
	}
	return s, nil
}

func newEventSink(spec Spec) (*EventSink, error) {
	o, err := newOutput(spec)
	if err != nil {
		return nil, err
	}
	tag, err := journalTag(spec.Binding.JournalID)
	if err != nil {
		return nil, &deliver.PermanentError{Err: fmt.Errorf("open %s output: %w", o.format.Name, err)}
	}
	return &EventSink{
		output:       o,
		tag:          tag,
		rollRows:     spec.Options.RollRows,
		rollBytes:    spec.Options.Roll,
		rollInterval: spec.Options.RollInterval,
	}, nil
}

// Semantics is Append.
func (s *EventSink) Semantics() deliver.Semantics { return deliver.Append }

// Position reads the position from the newest manifest of our journal; without
// any it is that of the journal that was committed for last, if any.
func (s *EventSink) Position(_ context.Context, id deliver.Partition) (deliver.Position, error) {
	if err := checkWhole(id); err != nil {
		return deliver.Position{}, err
	}
	newest, err := s.newest()
	if err != nil {
		return deliver.Position{}, err
	}
	return s.position(newest), nil
}

// position is the position that the newest manifest of each journal amounts to.
func (s *EventSink) position(newest map[string]*eventManifest) deliver.Position {
	if m := newest[s.tag]; m != nil {
		return m.Position
	}
	var last *eventManifest
	for _, m := range newest {
		if last == nil || m.Committed.After(last.Committed) {
			last = m
		}
	}
	if last == nil {
		return deliver.Position{}
	}
	return last.Position
}

// newest returns the newest manifest of each journal.
func (s *EventSink) newest() (map[string]*eventManifest, error) {
	newest, _, err := s.newestEvents() // OpenEvents has told of the damages
	if err != nil {
		return nil, err
	}
	return newest, s.checkJournal(newest[s.tag])
}

// checkJournal refuses the manifest of a journal that our files would share
// their names with.
func (s *EventSink) checkJournal(m *eventManifest) error {
	if m == nil || m.Position.Journal == s.binding.JournalID {
		return nil
	}
	return &deliver.PermanentError{Err: fmt.Errorf("%s holds events of journal %s, whose id begins as that of %s: choose another dir",
		s.root, m.Position.Journal, s.binding.JournalID)}
}

// checkWhole refuses all partitions but deliver.Whole.
func checkWhole(id deliver.Partition) error {
	if id != deliver.Whole {
		return fmt.Errorf("events have one position: there is no partition %q", id)
	}
	return nil
}

// Begin opens a transaction, having completed a commit that failed half-way.
func (s *EventSink) Begin(ctx context.Context, id deliver.Partition) (deliver.Transaction, error) {
	if err := checkWhole(id); err != nil {
		return nil, err
	}
	if s.open != nil {
		return nil, errors.New("a transaction is open")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	prior, err := s.load()
	if err != nil {
		return nil, err
	}
	s.open = &eventTransaction{
		sink:    s,
		prior:   prior,
		name:    newTransaction(),
		folders: make(map[string]bool),
	}
	return s.open, nil
}

// load returns the newest manifest of our journal, nil if there is none, its
// commit completed.
func (s *EventSink) load() (*eventManifest, error) {
	newest, err := s.newest()
	if err != nil {
		return nil, err
	}
	m := newest[s.tag]
	if m == nil {
		return nil, nil
	}
	return m, s.resume(m)
}

// Close rolls back a transaction that is open.
func (s *EventSink) Close() error {
	if s.open == nil {
		return nil
	}
	return s.open.Rollback()
}

// store writes a manifest.
func (s *EventSink) store(m *eventManifest) error {
	data, err := encodeManifest(m)
	if err != nil {
		return err
	}
	return s.disk.replace(s.manifestPath(m.ref()), data)
}

func (s *EventSink) manifestPath(r eventManifestRef) string {
	return filepath.Join(s.root, s.eventManifests(), r.name())
}

// about are a log line's attributes.
func (s *EventSink) about(more ...any) []any {
	return append([]any{slog.String("sink", s.format.Name)}, more...)
}
