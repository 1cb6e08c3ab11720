package files

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Observer tells the positions of an output and touches nothing: a sink may be
// at work on it, here or in another process. It implements deliver.Positioned.
type Observer struct{ sink *Sink }

// Observe returns the observer of the output that Open would write to.
func Observe(spec Spec) (*Observer, error) {
	s, err := newSink(spec)
	if err != nil {
		return nil, err
	}
	return &Observer{s}, nil
}

// Semantics is Replace.
func (o *Observer) Semantics() deliver.Semantics { return deliver.Replace }

// Position reads the partition's position as Sink.Position does, but leaves what
// a crash or a sink at work left there as it is.
func (o *Observer) Position(_ context.Context, id deliver.Partition) (deliver.Position, error) {
	if err := checkPartition(id); err != nil {
		return deliver.Position{}, err
	}
	s := o.sink
	p := &partition{id: id, folder: filepath.Join(s.root, s.folder(id))}
	var err error
	p.manifest, err = readManifest(s.layout, id)
	if _, damaged := errors.AsType[*damagedError](err); damaged {
		return deliver.Position{}, nil // the next commit writes the partition anew
	}
	if err != nil {
		return deliver.Position{}, err
	}
	temps, err := s.scan(p)
	if err != nil {
		return deliver.Position{}, err
	}
	if p.manifest != nil && p.manifest.pending(temps) {
		return p.manifest.Position, nil // committed; whoever touches it next completes it
	}
	return s.position(p), nil
}

// Close does nothing.
func (o *Observer) Close() error { return nil }
