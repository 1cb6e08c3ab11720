package files

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Sink is a deliver.Sink with Replace semantics that keeps the table's files.
// It holds no resources but those of an open transaction.
type Sink struct {
	output
	open openTransactions
}

// openTransactions are those of a sink, by partition. Each touches nothing but its
// own partition's folder and manifest.
type openTransactions struct {
	mu sync.Mutex
	of map[deliver.Partition]*transaction
}

// begin takes the transaction in, unless one on its partition is open.
func (o *openTransactions) begin(t *transaction) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of[t.id] != nil {
		return fmt.Errorf("a transaction on %s is open", t.id)
	}
	if o.of == nil {
		o.of = make(map[deliver.Partition]*transaction)
	}
	o.of[t.id] = t
	return nil
}

func (o *openTransactions) end(t *transaction) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of[t.id] == t {
		delete(o.of, t.id)
	}
}

// on returns the id of the transaction on the partition, empty if none is open.
func (o *openTransactions) on(id deliver.Partition) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t := o.of[id]; t != nil {
		return t.name
	}
	return ""
}

func (o *openTransactions) all() []*transaction {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Values(o.of))
}

// Open returns the sink of one seller's output in one format, having removed
// what a crash left of transactions. It writes nothing else, and makes no
// folder.
func Open(ctx context.Context, spec Spec) (*Sink, error) {
	s, err := newSink(spec)
	if err != nil {
		return nil, err
	}
	if err := s.recover(ctx); err != nil {
		return nil, fmt.Errorf("open %s output in %s: %w", s.format.Name, s.root, err)
	}
	return s, nil
}

func newSink(spec Spec) (*Sink, error) {
	o, err := newOutput(spec)
	if err != nil {
		return nil, err
	}
	return &Sink{output: o}, nil
}

// recover looks through the partitions for temporary files of ours and loads
// those that have some. A partition without any has nothing to recover that
// could not wait until it is asked for.
func (s *Sink) recover(ctx context.Context) error {
	err := s.eachPartition(ctx, func(id deliver.Partition, folder string) error {
		_, temps, err := scanFolder(folder, s.owns)
		if err != nil || len(temps) == 0 {
			return err
		}
		_, err = s.load(id, "")
		return err
	})
	if err != nil {
		return err
	}
	return s.removeManifestTemps(s.manifests())
}

// Semantics is Replace.
func (s *Sink) Semantics() deliver.Semantics { return deliver.Replace }

// Position reads the partition's position from its manifest. It is none if a
// file that the manifest lists is missing or has another size: then the
// partition has to be written anew.
func (s *Sink) Position(_ context.Context, id deliver.Partition) (deliver.Position, error) {
	if err := checkPartition(id); err != nil {
		return deliver.Position{}, err
	}
	p, err := s.load(id, s.open.on(id))
	if err != nil {
		return deliver.Position{}, err
	}
	return s.position(p), nil
}

// Begin opens a transaction on the partition, having completed what a crash may
// have left there.
func (s *Sink) Begin(ctx context.Context, id deliver.Partition) (deliver.Transaction, error) {
	if err := checkPartition(id); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := &transaction{sink: s, id: id, name: newTransaction(), folder: filepath.Join(s.root, s.folder(id))}
	if err := s.open.begin(t); err != nil {
		return nil, err
	}
	p, err := s.load(id, "")
	if err != nil {
		t.end()
		return nil, err
	}
	s.warn(p)
	return t, nil
}

// Close rolls back the transactions that are open.
func (s *Sink) Close() error {
	var errs []error
	for _, t := range s.open.all() {
		errs = append(errs, t.Rollback())
	}
	return errors.Join(errs...)
}
