package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// SegmentRef is one file of the journal: it holds the records [First, End).
type SegmentRef struct {
	First, End Seq
	Bytes      int64
}

// Segments returns the files that the journal consists of, in order. The last is
// the one that is written to.
func (j *Journal) Segments() []SegmentRef { return j.index.all() }

// First returns the number of the oldest record: those before it were pruned.
func (j *Journal) First() Seq { return j.index.first() }

// Base returns the folder that stands for the records before First; empty if none
// were ever pruned. What is in it is up to who prunes.
func (j *Journal) Base() string {
	j.pruner.mu.Lock()
	defer j.pruner.mu.Unlock()
	if j.pruner.id.Base == "" {
		return ""
	}
	return filepath.Join(j.folder, j.pruner.id.Base)
}

// pruner is what prunings of one journal share.
type pruner struct {
	files files
	step  func(what string) error

	mu sync.Mutex
	id identity // as it is on the disk
	// failed is the first failure after which it is not known what the disk holds.
	failed error
}

// do asks whether a step may be taken.
func (p *pruner) do(what string) error {
	if p.step == nil {
		return nil
	}
	return p.step(what)
}

// DraftBase makes an empty folder in which the base for the records before n is
// put together. A draft that is not handed to Prune is removed by the next
// DraftBase or Open.
func (j *Journal) DraftBase(n Seq) (string, error) {
	if j.writer == nil {
		return "", ErrReadOnly
	}
	draft := filepath.Join(j.folder, "."+baseName(n)+draftSuffix)
	if err := os.RemoveAll(draft); err != nil {
		return "", fmt.Errorf("remove the draft of a base: %w", err)
	}
	if err := os.Mkdir(draft, folderMode); err != nil {
		return "", &WriteError{Op: "create", Path: draft, Err: err}
	}
	return draft, nil
}

// Prune puts the base that was put together in the folder of DraftBase in the
// place of all records before n, with which a segment has to begin, and removes
// their segments. Nobody may be reading them. Whatever interrupts it, the journal
// is afterwards the one before or the one after.
//
// An error may come when all but the removing is done: First tells. After an error
// that leaves open what is on the disk, the journal cannot be pruned until it is
// opened again, but is as good as before for all else.
func (j *Journal) Prune(n Seq, draft string) error {
	if j.writer == nil {
		return ErrReadOnly
	}
	p := &j.pruner
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return fmt.Errorf("the journal was left by a pruning that failed, and is to be opened again before the next: %w", p.failed)
	}
	if j.closed() {
		return ErrClosed
	}
	if n <= j.First() || !slices.ContainsFunc(j.Segments(), func(s SegmentRef) bool { return s.First == n }) {
		return fmt.Errorf("prune the journal: no segment behind the first begins with record %d", n)
	}
	sum, err := p.seal(draft)
	if err != nil {
		return err
	}
	id := p.id
	id.Format, id.First, id.Base, id.BaseSum, id.Lost = newestVersion, n, baseName(n), sum, j.index.lostBefore(n)
	if err := p.replace(j.folder, draft, id); err != nil {
		p.failed = err
		return err
	}
	old := p.id
	p.id = id
	j.index.drop(n)
	return p.removePruned(j.folder, old, n)
}

// replace makes id the journal's identity, and the draft its base.
func (p *pruner) replace(folder, draft string, id identity) error {
	content, err := id.encode()
	if err != nil {
		return fmt.Errorf("encode the journal's identity: %w", err)
	}
	base, identity := filepath.Join(folder, id.Base), filepath.Join(folder, identityFile)
	unfinished := filepath.Join(folder, "."+identityFile+draftSuffix)
	for _, s := range []struct {
		op, path string
		do       func() error
	}{
		{"create", base, func() error { return os.Rename(draft, base) }},
		{"sync", folder, func() error { return p.files.syncDir(folder) }},
		{"remove", unfinished, func() error { return os.RemoveAll(unfinished) }},
		{"create", unfinished, func() error { return writeFile(p.files, unfinished, content) }},
		{"replace", identity, func() error { return os.Rename(unfinished, identity) }},
		{"sync", folder, func() error { return p.files.syncDir(folder) }},
	} {
		if err := p.do(s.op + " " + filepath.Base(s.path)); err != nil {
			return err
		}
		if err := s.do(); err != nil {
			return &WriteError{Op: s.op, Path: s.path, Err: err}
		}
	}
	return nil
}

// removePruned removes what the new base stands for, oldest first.
func (p *pruner) removePruned(folder string, old identity, n Seq) error {
	bases, err := listSegments(folder)
	if err != nil {
		return err
	}
	var paths []string
	for _, base := range bases {
		if base < n {
			paths = append(paths, filepath.Join(folder, segmentName(base)))
		}
	}
	if old.Base != "" {
		paths = append(paths, filepath.Join(folder, old.Base))
	}
	for _, path := range paths {
		if err := p.do("remove " + filepath.Base(path)); err != nil {
			return err
		}
		if err := os.RemoveAll(path); err != nil {
			return &WriteError{Op: "remove", Path: path, Err: err}
		}
	}
	return nil
}

// removeLeftovers removes what a pruning that was interrupted left in the folder:
// drafts, bases that are no longer or were never the journal's, pruned segments.
func removeLeftovers(folder string, id identity) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("look for what an interrupted pruning left: %w", err)
	}
	var errs []error
	for _, file := range files {
		name := file.Name()
		_, isBase := parseBaseName(name)
		base, isSegment := parseSegmentName(name)
		switch {
		case strings.HasPrefix(name, ".") && strings.HasSuffix(name, draftSuffix):
		case isBase && name != id.Base:
		case isSegment && id.Base != "" && base < id.First:
		default:
			continue
		}
		path := filepath.Join(folder, name)
		if err := os.RemoveAll(path); err != nil {
			errs = append(errs, &WriteError{Op: "remove", Path: path, Err: err})
		}
	}
	return errors.Join(errs...)
}

// Outdated reports whether another process has pruned the journal since it was
// opened for reading: what was the oldest record then, and the base, are gone.
func (j *Journal) Outdated() bool { return j.prunedMeanwhile(j.First()) }

// prunedMeanwhile reports whether a record that cannot be read was pruned, by this
// process or another one.
func (j *Journal) prunedMeanwhile(seq Seq) bool {
	if seq < j.First() {
		return true
	}
	id, err := readIdentity(filepath.Dir(j.folder))
	return err == nil && id.Base != "" && seq < id.First
}
