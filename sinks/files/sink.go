package files

import (
	"context"
	"fmt"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Sink is a deliver.Sink with Replace semantics that keeps the table's files.
// It holds no resources but those of an open transaction.
type Sink struct {
	output
	open *transaction
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
	p, err := s.load(id, s.openTransaction())
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
	if s.open != nil {
		return nil, fmt.Errorf("a transaction on %s is open", s.open.id)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := s.load(id, "")
	if err != nil {
		return nil, err
	}
	s.warn(p)
	s.open = &transaction{
		sink:   s,
		id:     id,
		name:   newTransaction(),
		folder: p.folder,
	}
	return s.open, nil
}

// Close rolls back a transaction that is open.
func (s *Sink) Close() error {
	if s.open == nil {
		return nil
	}
	return s.open.Rollback()
}

func (s *Sink) openTransaction() string {
	if s.open == nil {
		return ""
	}
	return s.open.name
}
