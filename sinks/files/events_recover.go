package files

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

// pending reports whether a manifest's commit is not complete.
func (s *EventSink) pending(m *eventManifest) (bool, error) {
	if len(m.Aside) > 0 {
		return true, nil
	}
	for _, f := range m.Files {
		there, err := exists(filepath.Join(s.root, f.Folder, temp(f.Name, m.Transaction)))
		if there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// resume completes the commit of a manifest that was found, if it is not.
func (s *EventSink) resume(m *eventManifest) error {
	pending, err := s.pending(m)
	if err != nil || !pending {
		return err
	}
	if err := s.rollForward(m); err != nil {
		return err
	}
	s.logger.Info("completed a commit that was interrupted", s.about(slog.Uint64("next", uint64(m.Position.Next)))...)
	return nil
}

// rollForward completes the commit of a manifest that was read, which may not
// have been durable: no file gets a name that a crash could leave without its
// manifest.
func (s *EventSink) rollForward(m *eventManifest) error {
	if err := s.disk.syncFolder(filepath.Join(s.root, s.eventManifests())); err != nil {
		return err
	}
	return s.complete(m)
}

// complete does what the manifest says is to be done; it can be repeated after
// a failure at any point.
func (s *EventSink) complete(m *eventManifest) error {
	folders := m.folders()
	for _, d := range folders {
		path := filepath.Join(s.root, d.path)
		for _, mv := range d.aside {
			if err := s.setAside(path, mv, m.Transaction, d.files); err != nil {
				return err
			}
		}
		if len(d.aside) == 0 {
			continue
		}
		// The names must be free on disk before parts take them.
		if err := s.syncIfThere(path); err != nil {
			return err
		}
	}
	for _, d := range folders {
		if len(d.files) == 0 {
			continue
		}
		path := filepath.Join(s.root, d.path)
		if _, err := s.place(path, m.Transaction, d.files); err != nil {
			return err
		}
		// Also where all had their names: that may not have been durable, and once
		// there is a newer manifest nobody looks for this one's temporary names.
		if err := s.syncIfThere(path); err != nil {
			return err
		}
	}
	if len(m.Aside) == 0 {
		return nil
	}
	done := *m
	done.Aside = nil
	if err := s.store(&done); err != nil {
		return err
	}
	m.Aside = nil
	for _, d := range folders {
		if len(d.files) > 0 {
			continue
		}
		if err := s.disk.prune(s.root, filepath.Join(s.root, d.path)); err != nil {
			return err
		}
	}
	return nil
}

// syncIfThere syncs a folder that its owner may have removed, files and all.
func (s *EventSink) syncIfThere(path string) error {
	there, err := exists(path)
	if err != nil || !there {
		return err
	}
	return s.disk.syncFolder(path)
}

// recover completes and cleans up what a crash may have left, warns of what is
// not as the manifests say, and notes what is in the way.
func (s *EventSink) recover(ctx context.Context) error {
	newest, damages, err := s.newestEvents()
	if err != nil {
		return err
	}
	if err := s.checkJournal(newest[s.tag]); err != nil {
		return err
	}
	for _, damage := range damages {
		s.logger.Warn("a manifest of events is damaged and passed over: what it lists is written again, and what is there is set aside",
			s.about(slog.Any("error", damage))...)
	}
	// Those of other journals too: what these have committed cannot be had again.
	for _, m := range newest {
		if err := s.resume(m); err != nil {
			return err
		}
		// Also where all is in place: it may not be durable.
		if err := s.rollForward(m); err != nil {
			return err
		}
	}
	there, err := s.sweep(ctx, newest[s.tag])
	if err != nil {
		return err
	}
	if err := s.removeManifestTemps(s.eventManifests()); err != nil {
		return err
	}
	return s.audit(ctx, newest[s.tag], there)
}

// sweep removes temporary files, which no commit waits for any more, notes the
// strays, and returns the sizes of all files of events, by their paths relative
// to the root.
func (s *EventSink) sweep(ctx context.Context, newest *eventManifest) (map[string]int64, error) {
	there := make(map[string]int64)
	err := s.eachPartition(ctx, func(id deliver.Partition, folder string) error {
		sizes, temps, err := scanFolder(folder, s.ownsEvents)
		if err != nil {
			return err
		}
		for name, size := range sizes {
			there[filepath.Join(s.folder(id), name)] = size
			// Whatever was committed begins before this.
			if tag, from, _ := s.parseEventPart(name); tag == s.tag && from >= newest.successor() {
				s.strays = append(s.strays, stray{s.folder(id), name})
			}
		}
		return s.removeTemps(folder, temps)
	})
	if n := len(s.strays); n > 0 && err == nil {
		s.logger.Warn("files of events lie beyond the position: they will be set aside with the next commit", s.about(slog.Int("files", n))...)
	}
	return there, err
}

// audit compares the manifests with what is there, and removes those of ours
// that neither list a file nor hold the position.
func (s *EventSink) audit(ctx context.Context, newest *eventManifest, there map[string]int64) error {
	refs, err := s.eventManifestRefs()
	if err != nil {
		return err
	}
	missing := 0
	for _, r := range refs {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := s.readEventManifest(r)
		if _, damaged := errors.AsType[*damagedError](err); damaged {
			continue // the newest ones were told of, and of others nothing is needed
		}
		if err != nil {
			return err
		}
		if m == nil {
			continue // gone since the folder was read
		}
		for _, f := range m.Files {
			if size, ok := there[filepath.Join(f.Folder, f.Name)]; !ok || size != f.Size {
				missing++
			}
		}
		if len(m.Files) == 0 && r.tag == s.tag && r.next < newest.next() {
			if err := s.disk.remove(s.manifestPath(r)); err != nil {
				return err
			}
		}
	}
	if missing > 0 {
		s.logger.Warn("files of events that were committed are missing or changed; they are not written again", s.about(slog.Int("files", missing))...)
	}
	return nil
}
