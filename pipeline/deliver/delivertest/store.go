// Package delivertest holds a sink in memory that keeps the contract of
// deliver.Sink to the letter. It is the reference that tests of delivery run
// against, with faults on demand; the contract suite holds it to the same rules
// as the real sinks.
package delivertest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// Step is a point at which a fault can be placed.
type Step string

// The steps of a sink's life at which Fault is asked.
const (
	StepOpen     Step = "open"
	StepPosition Step = "position"
	StepBegin    Step = "begin"
	StepWrite    Step = "write"
	// StepCommit comes before anything is durable, StepCommitted after: a fault
	// there is an ambiguous commit.
	StepCommit    Step = "commit"
	StepCommitted Step = "committed"
)

// Store is a destination: what it holds outlives the sinks opened on it. It is
// safe for concurrent use.
type Store struct {
	// Fault, if set, is asked at every step, one at a time; its error is the step's.
	Fault func(Step) error

	asking sync.Mutex // for Fault

	semantics  deliver.Semantics
	mu         sync.Mutex
	partitions map[deliver.Partition]*content
	epoch      int // rises with every Open: older sinks are fenced
}

type content struct {
	rows     []schema.Row
	position deliver.Position
}

// NewStore returns an empty destination.
func NewStore(s deliver.Semantics) *Store {
	return &Store{semantics: s, partitions: make(map[deliver.Partition]*content)}
}

// Rows returns what a reader of the partition sees.
func (s *Store) Rows(p deliver.Partition) []schema.Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.partitions[p]; ok {
		return slices.Clone(c.rows)
	}
	return nil
}

// Partitions returns the partitions that have been committed, in no order.
func (s *Store) Partitions() []deliver.Partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []deliver.Partition
	for p := range s.partitions {
		all = append(all, p)
	}
	return all
}

// Open returns a sink on the store and fences the ones opened before.
func (s *Store) Open(context.Context) (deliver.Sink, error) {
	if err := s.fault(StepOpen); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	return &sink{store: s, epoch: s.epoch, open: make(map[deliver.Partition]*transaction)}, nil
}

func (s *Store) fault(step Step) error {
	if s.Fault == nil {
		return nil
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	return s.Fault(step)
}

type sink struct {
	store *Store
	epoch int
	open  map[deliver.Partition]*transaction // guarded by store.mu
}

func (k *sink) Name() string                 { return "memory" }
func (k *sink) Semantics() deliver.Semantics { return k.store.semantics }

func (k *sink) Position(_ context.Context, p deliver.Partition) (deliver.Position, error) {
	if err := k.store.fault(StepPosition); err != nil {
		return deliver.Position{}, err
	}
	k.store.mu.Lock()
	defer k.store.mu.Unlock()
	if c, ok := k.store.partitions[p]; ok {
		return c.position, nil
	}
	return deliver.Position{}, nil
}

func (k *sink) Begin(_ context.Context, p deliver.Partition) (deliver.Transaction, error) {
	if err := k.store.fault(StepBegin); err != nil {
		return nil, err
	}
	k.store.mu.Lock()
	defer k.store.mu.Unlock()
	if k.open[p] != nil {
		return nil, errors.New("memory: a transaction on the partition is open already")
	}
	k.open[p] = &transaction{sink: k, partition: p}
	return k.open[p], nil
}

func (k *sink) Close() error {
	k.store.mu.Lock()
	defer k.store.mu.Unlock()
	clear(k.open)
	return nil
}

// end takes the transaction from the open ones, and reports whether it was one.
func (k *sink) end(t *transaction) bool {
	k.store.mu.Lock()
	defer k.store.mu.Unlock()
	if k.open[t.partition] != t {
		return false
	}
	delete(k.open, t.partition)
	return true
}

type transaction struct {
	sink      *sink
	partition deliver.Partition
	rows      []schema.Row
}

func (t *transaction) Write(_ context.Context, rows []schema.Row) error {
	if err := t.sink.store.fault(StepWrite); err != nil {
		return err
	}
	t.rows = append(t.rows, rows...)
	return nil
}

func (t *transaction) Commit(_ context.Context, next deliver.Position) (deliver.Receipt, error) {
	s := t.sink.store
	if !t.sink.end(t) {
		return deliver.Receipt{}, errors.New("memory: the transaction is not open")
	}
	if err := s.fault(StepCommit); err != nil {
		return deliver.Receipt{}, err
	}
	if err := t.apply(next); err != nil {
		return deliver.Receipt{}, err
	}
	if err := s.fault(StepCommitted); err != nil {
		return deliver.Receipt{}, err
	}
	return deliver.Receipt{Rows: len(t.rows)}, nil
}

func (t *transaction) apply(next deliver.Position) error {
	s := t.sink.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != t.sink.epoch {
		return &deliver.PermanentError{Err: errors.New("memory: fenced by a newer sink")}
	}
	c, ok := s.partitions[t.partition]
	if !ok {
		c = &content{}
		s.partitions[t.partition] = c
	}
	if s.semantics == deliver.Replace {
		c.rows = nil
	}
	c.rows = append(c.rows, t.rows...)
	c.position = next
	return nil
}

func (t *transaction) Rollback() error {
	t.sink.end(t)
	return nil
}
