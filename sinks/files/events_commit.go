package files

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// Commit adds the rows. Once the manifest is written it does not heed the
// context any more.
func (t *eventTransaction) Commit(ctx context.Context, next deliver.Position) (deliver.Receipt, error) {
	if err := t.usable(ctx); err != nil {
		return deliver.Receipt{}, err
	}
	receipt, err := t.commit(next)
	if err != nil {
		t.failed = err
		return deliver.Receipt{}, fmt.Errorf("commit: %w", err)
	}
	t.end()
	return receipt, nil
}

func (t *eventTransaction) commit(next deliver.Position) (deliver.Receipt, error) {
	if err := t.checkPosition(next); err != nil {
		return deliver.Receipt{}, err
	}
	if err := t.complete(); err != nil {
		return deliver.Receipt{}, err
	}
	m, err := t.plan(next)
	if err != nil {
		return deliver.Receipt{}, err
	}
	receipt := t.receipt(m)
	if len(t.parts) == 0 && len(m.Aside) == 0 && t.prior != nil && t.prior.Position == next {
		return receipt, nil
	}
	s := t.sink
	if err := s.store(m); err != nil {
		return deliver.Receipt{}, err
	}
	if err := s.complete(m); err != nil {
		return deliver.Receipt{}, err
	}
	if err := t.checkPlaced(); err != nil {
		return deliver.Receipt{}, err
	}
	if p := t.prior; p != nil && len(p.Files) == 0 && p.ref() != m.ref() {
		if err := s.disk.remove(s.manifestPath(p.ref())); err != nil {
			return deliver.Receipt{}, err
		}
	}
	if n := len(receipt.Superseded); n > 0 {
		s.logger.Warn("set files of events aside that lay beyond the position", s.about(slog.Int("files", n), slog.String("first", receipt.Superseded[0]))...)
	}
	return receipt, nil
}

// checkPosition refuses a position that does not follow on the one before. Rows
// must move it, for names are made of it.
func (t *eventTransaction) checkPosition(next deliver.Position) error {
	prior := t.prior.next()
	switch {
	case next.Journal != t.sink.binding.JournalID:
		return fmt.Errorf("the position is one of journal %q, the sink's is %q", next.Journal, t.sink.binding.JournalID)
	case next.Next < prior, next.Next == prior && t.rows > 0:
		return fmt.Errorf("the position %d of a commit of %d rows does not follow on %d", next.Next, t.rows, prior)
	}
	return nil
}

// complete completes all parts and makes their names durable. The manifest must
// not list names that a crash could take back.
func (t *eventTransaction) complete() error {
	for len(t.open) > 0 {
		if err := t.finish(0); err != nil {
			return err
		}
	}
	s := t.sink
	for _, f := range t.parts {
		there, err := exists(filepath.Join(s.root, f.Folder, temp(f.Name, t.name)))
		if err != nil || !there {
			return cmp.Or(err, errMeddled)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(t.folders)) {
		if err := s.disk.syncFolder(filepath.Join(s.root, folder)); err != nil {
			return err
		}
	}
	return nil
}

// plan makes the manifest of the commit.
func (t *eventTransaction) plan(next deliver.Position) (*eventManifest, error) {
	s := t.sink
	m := &eventManifest{
		Version:     manifestVersion,
		Account:     s.binding.Account,
		Marketplace: s.binding.Marketplace,
		From:        t.prior.successor(),
		Position:    next,
		Committed:   s.now().UTC(),
		Transaction: t.name,
		Files:       t.parts,
	}
	if t.prior.next() == next.Next && t.prior != nil {
		// The bounds of the stretch alone have changed: it is the same manifest.
		m.From, m.Files = t.prior.From, t.prior.Files
	}
	if m.Files == nil {
		m.Files = []eventFile{} // [] and not null in JSON
	}
	var aside []stray
	for _, st := range s.strays {
		// One that was there before the last commit has been set aside by that.
		if _, from, _ := s.parseEventPart(st.name); from >= t.prior.successor() {
			aside = append(aside, st)
		}
	}
	for _, f := range t.parts {
		// Whatever has the name of a part, it is not overwritten.
		there, err := exists(filepath.Join(s.root, f.Folder, f.Name))
		if err != nil {
			return nil, err
		}
		if st := (stray{f.Folder, f.Name}); there && !slices.Contains(aside, st) {
			aside = append(aside, st)
		}
	}
	for _, st := range aside {
		m.Aside = append(m.Aside, eventMove{st.folder, move{st.name, s.asidePath(st.folder, st.name, t.name)}})
	}
	return m, nil
}

func (t *eventTransaction) receipt(m *eventManifest) deliver.Receipt {
	r := deliver.Receipt{
		Rows:      t.rows,
		Files:     len(t.parts),
		Bytes:     t.bytes,
		Unchanged: len(t.parts) == 0 && len(m.Aside) == 0,
	}
	for _, mv := range m.Aside {
		r.Superseded = append(r.Superseded, mv.To)
	}
	return r
}

// checkPlaced sees to it that no part was taken away before it had its name.
func (t *eventTransaction) checkPlaced() error {
	for _, f := range t.parts {
		there, err := exists(filepath.Join(t.sink.root, f.Folder, f.Name))
		if err != nil || !there {
			return cmp.Or(err, errMeddled)
		}
	}
	return nil
}
