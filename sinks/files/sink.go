package files

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// Format is how rows become the bytes of a file.
type Format struct {
	// Name is the sink's name, and the folder of its manifests.
	Name string
	// Extension ends the names of files written now; Extensions are all that
	// files of the format may have, under any setting. None is the end of another
	// format's.
	Extension  string
	Extensions []string
	// Encode begins a file. The same rows make the same bytes, however they are
	// cut into calls of Write.
	Encode func(w io.Writer) (Encoder, error)
}

// Encoder writes one file.
type Encoder interface {
	// Write encodes rows until they end or the file has reached its size, and
	// returns how many it took. It takes at least one if it has none yet.
	Write(rows []schema.Row) (int, error)
	// Close writes what is still to be written. It does not close the writer
	// below.
	Close() error
}

// Spec is everything that makes a sink.
type Spec struct {
	Options Options
	Format  Format
	Binding deliver.Binding
	Logger  *slog.Logger
	// Step, if set, is called before each change of the file system; its error is
	// taken for the change's. It is for tests, to let the disk fail.
	Step func(op, path string) error
}

// Sink is a deliver.Sink with Replace semantics that keeps the table's files.
// It holds no resources but those of an open transaction.
type Sink struct {
	layout
	format  Format
	binding deliver.Binding
	disk    disk
	logger  *slog.Logger
	now     func() time.Time
	open    *transaction
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
	var problems []error
	spec.Options.Validate(func(key, problem string) {
		problems = append(problems, fmt.Errorf("%s: %s", key, problem))
	})
	if !spec.Options.On() {
		problems = append(problems, errors.New("dir: must be set"))
	}
	if spec.Binding.JournalID == "" || spec.Binding.Account == "" || spec.Binding.Marketplace == "" {
		problems = append(problems, errors.New("the journal, the account and the marketplace must be named"))
	}
	root, err := filepath.Abs(spec.Options.Dir)
	problems = append(problems, err)
	if err := errors.Join(problems...); err != nil {
		return nil, &deliver.PermanentError{Err: fmt.Errorf("open %s output: %w", spec.Format.Name, err)}
	}
	fileMode, _ := parseMode(spec.Options.FileMode, 0) // validated above
	dirMode, _ := parseMode(spec.Options.DirMode, 0)
	return &Sink{
		layout:  spec.layout(root),
		format:  spec.Format,
		binding: spec.Binding,
		disk:    disk{fileMode: fileMode, dirMode: dirMode, step: spec.Step},
		logger:  spec.Logger,
		now:     time.Now,
	}, nil
}

func (spec Spec) layout(root string) layout {
	return layout{
		root:        root,
		format:      spec.Format.Name,
		account:     spec.Binding.Account,
		marketplace: spec.Binding.Marketplace,
		extensions:  spec.Format.Extensions,
	}
}

// recover looks through the partitions for temporary files of ours and loads
// those that have some. A partition without any has nothing to recover that
// could not wait until it is asked for.
func (s *Sink) recover(ctx context.Context) error {
	base := filepath.Join(s.root, s.marketplaceFolder())
	folders, err := readFolder(base)
	if err != nil {
		return err
	}
	for _, f := range folders {
		id, ok := partitionOf(f.Name())
		if !ok || !f.IsDir() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		temps, err := s.scan(&partition{id: id, folder: filepath.Join(base, f.Name())})
		if err != nil {
			return err
		}
		if len(temps) == 0 {
			continue
		}
		if _, err := s.load(id, ""); err != nil {
			return err
		}
	}
	return s.removeManifestTemps()
}

// removeManifestTemps removes manifests that were never renamed.
func (s *Sink) removeManifestTemps() error {
	folder := filepath.Join(s.root, s.manifests())
	entries, err := readFolder(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), ".json"+tempSuffix) {
			if err := s.disk.remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Name is the format's name.
func (s *Sink) Name() string { return s.format.Name }

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
	var nonce [8]byte
	_, _ = rand.Read(nonce[:]) // never fails
	s.open = &transaction{
		sink:   s,
		id:     id,
		name:   hex.EncodeToString(nonce[:]),
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
