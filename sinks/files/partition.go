package files

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// partition is one partition of the output as it is on disk.
type partition struct {
	id     deliver.Partition
	folder string // absolute, as the root is
	// manifest is nil if there is none that can be used.
	manifest *manifest
	// damage says why not, if there is one.
	damage error
	// sizes holds the files with our names; -1 for what is not a regular file.
	sizes map[string]int64
}

// load reads a partition, having completed what a crash may have left of a
// commit and removed what it left of an open transaction, but for the one that
// is still open, if any.
func (s *Sink) load(id deliver.Partition, open string) (*partition, error) {
	p := &partition{id: id, folder: filepath.Join(s.root, s.folder(id))}
	var err error
	p.manifest, err = readManifest(s.layout, id)
	if damaged, ok := errors.AsType[*damagedError](err); ok {
		// Its files count as foreign from now on: they are set aside with the next
		// commit, and the partition is written anew.
		p.damage, err = damaged, nil
	}
	if err != nil {
		return nil, err
	}
	temps, err := s.scan(p)
	if err != nil {
		return nil, err
	}
	if p.manifest != nil && p.manifest.pending(temps) {
		if err := s.complete(p); err != nil {
			return nil, err
		}
		s.logger.Info("completed a commit that was interrupted", s.about(id)...)
		if temps, err = s.scan(p); err != nil {
			return nil, err
		}
	}
	if open != "" {
		temps = slices.DeleteFunc(temps, func(name string) bool { return isTempOf(name, open) })
	}
	return p, s.removeTemps(p.folder, temps)
}

// scan lists our files of the partition, and returns our temporary ones.
func (s *Sink) scan(p *partition) (temps []string, err error) {
	p.sizes, temps, err = scanFolder(p.folder, s.owns)
	return temps, err
}

// pending reports whether the manifest's commit is not complete.
func (m *manifest) pending(temps []string) bool {
	if len(m.Aside) > 0 || len(m.Remove) > 0 {
		return true
	}
	for _, name := range temps {
		for _, f := range m.Files {
			if name == temp(f.Name, m.Transaction) {
				return true
			}
		}
	}
	return false
}

// complete does what the manifest says is to be done; it can be repeated after
// a failure at any point.
func (s *Sink) complete(p *partition) error {
	m := p.manifest
	for _, mv := range m.Aside {
		if err := s.setAside(p.folder, mv, m.Transaction, m.Files); err != nil {
			return err
		}
	}
	if len(m.Aside) > 0 {
		// The names must be free on disk before parts take them.
		if err := s.disk.syncFolder(p.folder); err != nil {
			return err
		}
	}
	changed, err := s.place(p.folder, m.Transaction, m.Files)
	if err != nil {
		return err
	}
	for _, name := range m.Remove {
		if err := s.disk.remove(filepath.Join(p.folder, name)); err != nil {
			return err
		}
		changed = true
	}
	if changed {
		if err := s.disk.syncFolder(p.folder); err != nil {
			return err
		}
	}
	if len(m.Aside) == 0 && len(m.Remove) == 0 {
		return nil
	}
	done := *m
	done.Aside, done.Remove = nil, nil
	if err := s.store(p.id, &done); err != nil {
		return err
	}
	p.manifest = &done
	if len(m.Files) > 0 {
		return nil
	}
	return s.disk.prune(s.root, p.folder)
}

// store writes the partition's manifest.
func (s *Sink) store(id deliver.Partition, m *manifest) error {
	data, err := encodeManifest(m)
	if err != nil {
		return err
	}
	return s.disk.replace(filepath.Join(s.root, s.manifest(id)), data)
}

// ours reports whether the file of that name is a part of our journal's table
// and as its manifest has it, by size.
func (s *Sink) ours(p *partition, name string) bool {
	if p.manifest == nil || p.manifest.Position.Journal != s.binding.JournalID {
		return false
	}
	f := fileNamed(p.manifest.Files, name)
	size, there := p.sizes[name]
	return f != nil && there && f.Size == size
}

// missing counts the parts listed that are not there as they should be.
func (s *Sink) missing(p *partition) (n int) {
	for _, f := range p.manifest.Files {
		if !s.ours(p, f.Name) {
			n++
		}
	}
	return n
}

// position is the position that the partition's content vouches for.
func (s *Sink) position(p *partition) deliver.Position {
	switch {
	case p.manifest == nil:
		return deliver.Position{}
	case p.manifest.Position.Journal == s.binding.JournalID && s.missing(p) > 0:
		return deliver.Position{}
	}
	return p.manifest.Position
}

// warn says what is wrong with a partition that is about to be written.
func (s *Sink) warn(p *partition) {
	switch {
	case p.damage != nil:
		s.logger.Warn("the manifest is damaged: what is there will be set aside", s.about(p.id, slog.Any("error", p.damage))...)
	case p.manifest == nil:
	case p.manifest.Position.Journal != s.binding.JournalID:
		s.logger.Warn("the files were written for another journal: they will be set aside",
			s.about(p.id, slog.String("journal", p.manifest.Position.Journal))...)
	case s.missing(p) > 0:
		s.logger.Warn("files that the manifest lists are missing or changed", s.about(p.id, slog.Int("files", s.missing(p)))...)
	}
}

// about are a log line's attributes.
func (s *Sink) about(id deliver.Partition, more ...any) []any {
	return append([]any{slog.String("sink", s.format.Name), slog.String("partition", id.String())}, more...)
}
