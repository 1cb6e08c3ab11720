package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

// transaction replaces one partition. It writes nothing before it has a row.
type transaction struct {
	sink   *Sink
	id     deliver.Partition
	name   string // its id
	folder string

	begun  int    // parts begun, and so the number of the next
	part   *part  // the one being written
	parts  []file // those complete
	rows   int
	failed error
	over   bool
}

var (
	errOver    = errors.New("the transaction is over")
	errMeddled = errors.New("files of the transaction have vanished: does another leads-etl with another state write the same account's output there?")
)

// Write adds rows.
func (t *transaction) Write(ctx context.Context, rows []schema.Row) error {
	if err := t.usable(ctx); err != nil {
		return err
	}
	for len(rows) > 0 {
		n, err := t.write(rows)
		t.rows += n
		if err != nil {
			t.failed = err
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// write hands rows to the part being written, which is another one than before
// if that was full.
func (t *transaction) write(rows []schema.Row) (int, error) {
	fresh := t.part == nil
	if fresh {
		if err := t.begin(); err != nil {
			return 0, err
		}
	}
	n, err := t.part.write(rows)
	if err != nil || n == len(rows) {
		return n, err
	}
	if fresh && n == 0 {
		return 0, fmt.Errorf("write %s: the encoder took no row", t.part.path)
	}
	return n, t.finish()
}

func (t *transaction) begin() error {
	if err := t.sink.disk.makeAll(t.folder); err != nil {
		return err
	}
	name := t.sink.layout.part(t.begun, t.sink.format.Extension)
	part, err := newPart(t.sink.disk, t.sink.format, t.folder, name, t.name)
	if err != nil {
		return err
	}
	t.begun++
	t.part = part
	return nil
}

func (t *transaction) finish() error {
	if t.part == nil {
		return nil
	}
	f, err := t.part.finish()
	t.part = nil
	if err != nil {
		return err
	}
	t.parts = append(t.parts, f)
	return nil
}

func (t *transaction) usable(ctx context.Context) error {
	if t.over {
		return errOver
	}
	if t.failed != nil {
		return fmt.Errorf("the transaction has failed before: %w", t.failed)
	}
	return ctx.Err()
}

// Commit replaces the partition. Once the manifest is written it does not heed
// the context any more.
func (t *transaction) Commit(ctx context.Context, next deliver.Position) (deliver.Receipt, error) {
	if err := t.usable(ctx); err != nil {
		return deliver.Receipt{}, err
	}
	receipt, err := t.commit(next)
	if err != nil {
		t.failed = err
		return deliver.Receipt{}, fmt.Errorf("commit %s: %w", t.id, err)
	}
	t.end()
	return receipt, nil
}

func (t *transaction) commit(next deliver.Position) (deliver.Receipt, error) {
	if next.Journal != t.sink.binding.JournalID {
		return deliver.Receipt{}, fmt.Errorf("the position is one of journal %q, the sink's is %q", next.Journal, t.sink.binding.JournalID)
	}
	if err := t.finish(); err != nil {
		return deliver.Receipt{}, err
	}
	s := t.sink
	p, err := s.load(t.id, t.name)
	if err != nil {
		return deliver.Receipt{}, err
	}
	receipt, err := t.dropUnchanged(p)
	if err != nil {
		return deliver.Receipt{}, err
	}
	m := t.plan(p, next)
	for _, mv := range m.Aside {
		receipt.Superseded = append(receipt.Superseded, mv.To)
	}
	receipt.Unchanged = receipt.Files == 0 && len(m.Aside) == 0 && len(m.Remove) == 0
	if receipt.Unchanged {
		if p.manifest == nil || p.manifest.Position != next {
			// Also where there is nothing, and never was: that the partition is as it
			// should be is known by its position.
			if err := s.store(t.id, m); err != nil {
				return deliver.Receipt{}, err
			}
		}
		return receipt, s.disk.prune(s.root, t.folder)
	}
	if receipt.Files > 0 {
		// The manifest must not list names that a crash could take back.
		if err := s.disk.syncFolder(t.folder); err != nil {
			return deliver.Receipt{}, err
		}
	}
	if err := s.store(t.id, m); err != nil {
		return deliver.Receipt{}, err
	}
	p.manifest = m
	if err := s.complete(p); err != nil {
		return deliver.Receipt{}, err
	}
	if _, err := s.scan(p); err != nil {
		return deliver.Receipt{}, err
	}
	if s.missing(p) > 0 {
		return deliver.Receipt{}, errMeddled
	}
	for _, to := range receipt.Superseded {
		s.logger.Warn("set a file aside that was not written for this journal", s.about(t.id, slog.String("now", to))...)
	}
	return receipt, nil
}

// dropUnchanged removes parts that are on disk already, byte for byte, so that
// the files there stay as they are.
func (t *transaction) dropUnchanged(p *partition) (deliver.Receipt, error) {
	receipt := deliver.Receipt{Rows: t.rows}
	for _, f := range t.parts {
		path := filepath.Join(t.folder, temp(f.Name, t.name))
		if there, err := exists(path); err != nil || !there {
			return receipt, cmp.Or(err, errMeddled)
		}
		if t.sink.ours(p, f.Name) && *fileNamed(p.manifest.Files, f.Name) == f {
			if err := t.sink.disk.remove(path); err != nil {
				return receipt, err
			}
			continue
		}
		receipt.Files++
		receipt.Bytes += f.Size
	}
	return receipt, nil
}

// plan makes the manifest of the commit.
func (t *transaction) plan(p *partition, next deliver.Position) *manifest {
	s := t.sink
	m := &manifest{
		Version:     manifestVersion,
		Account:     s.binding.Account,
		Marketplace: s.binding.Marketplace,
		Partition:   t.id.String(),
		Position:    next,
		Transaction: t.name,
		Files:       slices.Clone(t.parts),
	}
	if m.Files == nil {
		m.Files = []file{} // [] and not null in JSON
	}
	for name := range p.sizes {
		switch {
		case !s.ours(p, name):
			m.Aside = append(m.Aside, move{Name: name, To: s.asidePath(s.folder(p.id), name, t.name)})
		case fileNamed(m.Files, name) == nil:
			m.Remove = append(m.Remove, name)
		}
	}
	slices.SortFunc(m.Aside, func(a, b move) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(m.Remove)
	return m
}

// Rollback removes what the transaction has written, unless it was committed:
// also if the commit reported an error, but the manifest is in place.
func (t *transaction) Rollback() error {
	if t.over {
		return nil
	}
	t.end()
	var errs []error
	if t.part != nil {
		errs = append(errs, t.part.abort())
	}
	_, err := t.sink.load(t.id, "")
	errs = append(errs, err, t.sink.disk.prune(t.sink.root, t.folder))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("roll back %s: %w", t.id, err)
	}
	return nil
}

func (t *transaction) end() {
	t.over = true
	t.sink.open.end(t)
}
