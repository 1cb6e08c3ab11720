package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// SalvageOptions say what to look for.
type SalvageOptions struct {
	// Identity is whose journal it has to be, and what an identity file that is
	// damaged or missing is made anew of.
	Identity Identity
	// Lock takes the folder's lock, which Write needs, until Close.
	Lock bool

	// files is where failures are put in by tests; nil for the file system.
	files files
}

// Salvage is what can be had of a journal, be it damaged or not. It has read
// everything, and changed nothing until Write.
type Salvage struct {
	// Report is as that of Verify.
	Report Report
	// Notes are what is wrong besides damaged records, in words.
	Notes []string
	// Lost are the records that this repair gives up.
	Lost []Record

	dir      string
	files    files
	release  func() error
	id       identity
	newID    bool // the identity was made anew
	segments []*salvaged
}

// salvaged is what there will be of a segment.
type salvaged struct {
	base Seq
	path string
	// there says that the file is.
	there  bool
	pieces []piece
	// damaged says that the file is not what it should be.
	damaged bool
}

// piece is a record: its frame, which is good, or what stands in its place.
type piece struct {
	frame frame
	rec   Record
}

func (s *salvaged) next() Seq { return s.base + Seq(len(s.pieces)) }

// OpenDamaged reads all that can be read of the journal of a state folder. What
// is behind damage counts as much as what is before it.
//
// Errors that a caller may tell apart: *LockedError, *IdentityError,
// *VersionError, *StateError where there is nothing to go by; if there is no
// journal the error is fs.ErrNotExist.
func OpenDamaged(ctx context.Context, dir string, o SalvageOptions) (_ *Salvage, err error) {
	s := &Salvage{dir: dir, files: o.files, release: func() error { return nil }}
	if s.files == nil {
		s.files = osFiles{}
	}
	if _, err := os.Stat(filepath.Join(dir, journalFolder)); err != nil {
		return nil, fmt.Errorf("look for the journal: %w", err)
	}
	if o.Lock {
		if s.release, err = lock(dir); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, s.release())
			}
		}()
	}
	if err := s.identify(o.Identity); err != nil {
		return nil, err
	}
	if s.id.Identity != o.Identity {
		return nil, &IdentityError{Dir: dir, Have: s.id.Identity, Want: o.Identity}
	}
	if err := s.read(ctx); err != nil {
		return nil, err
	}
	s.restoreBegins()
	return s, nil
}

// ID returns the journal's UUID.
func (s *Salvage) ID() string { return s.id.Journal.String() }

// Sound reports whether there is nothing to repair.
func (s *Salvage) Sound() bool {
	if s.newID {
		return false
	}
	for _, g := range s.segments {
		if g.damaged {
			return false
		}
	}
	return true
}

// End returns the number that the next record will have.
func (s *Salvage) End() Seq { return s.segments[len(s.segments)-1].next() }

// Records yields the records as they will be, pages without body.
func (s *Salvage) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, g := range s.segments {
			for _, p := range g.pieces {
				if !yield(p.rec) {
					return
				}
			}
		}
	}
}

// Close gives the lock back.
func (s *Salvage) Close() error { return s.release() }

// identify reads the identity file, or makes it anew of what the segments say.
func (s *Salvage) identify(of Identity) error {
	id, err := readIdentity(s.dir)
	if err == nil {
		s.id = id
		return nil
	}
	if _, incomplete := errors.AsType[*StateError](err); !incomplete {
		return err
	}
	folder := filepath.Join(s.dir, journalFolder)
	bases, listErr := listSegments(folder)
	if listErr != nil {
		return listErr
	}
	votes := make(map[uuid.UUID]int)
	for _, base := range bases {
		if j, ok := journalOf(filepath.Join(folder, segmentName(base))); ok {
			votes[j]++
		}
	}
	if len(votes) != 1 {
		return errors.Join(err, fmt.Errorf("it cannot be made anew: the headers of the %d segments name %d journals, and have to name one", len(bases), len(votes)))
	}
	for j := range votes {
		s.id = identity{Format: formatVersion, Journal: j, First: bases[0], Identity: of}
	}
	// What was pruned is in a base, which is the journal's if it ends where the
	// segments begin.
	if list, err := os.ReadFile(filepath.Join(folder, baseName(bases[0]), listFile)); err == nil {
		s.id.Format, s.id.Base, s.id.BaseSum = newestVersion, baseName(bases[0]), sumOf(list)
	}
	s.newID = true
	s.Notes = append(s.Notes, fmt.Sprintf("%s is made anew: the id is that of the segments, the seller that of the configuration; whether records before %d were there cannot be told", identityFile, bases[0]))
	return nil
}

// journalOf reads which journal a segment belongs to; false if its header is not
// to be trusted.
func journalOf(path string) (uuid.UUID, bool) {
	f, size, err := openSegment(path)
	if err != nil || size < segmentHeaderSize {
		return uuid.Nil, false
	}
	defer f.Close()
	var b [segmentHeaderSize]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return uuid.Nil, false
	}
	base, _ := parseSegmentName(filepath.Base(path))
	h := segmentHeader{base: base, journal: uuid.UUID(b[20:36])}
	return h.journal, h.check(b[:]) == nil
}

// read reads all segments and fills what is missing between them.
func (s *Salvage) read(ctx context.Context) error {
	folder := filepath.Join(s.dir, journalFolder)
	bases, err := listSegments(folder)
	if err != nil {
		return err
	}
	if len(bases) == 0 {
		return &StateError{Dir: s.dir, Problem: folder + " holds no segment"}
	}
	if first := s.id.First; first < bases[0] {
		g := &salvaged{base: first, path: filepath.Join(folder, segmentName(first)), damaged: true}
		s.problem(g, 0, misplaced(bases[0], first))
		s.segments = append(s.segments, g)
		s.fill(g, bases[0], "no segment holds it")
	}
	for i, base := range bases {
		limit := Seq(math.MaxUint64)
		if i < len(bases)-1 {
			limit = bases[i+1]
		}
		g := &salvaged{base: base, path: filepath.Join(folder, segmentName(base)), there: true}
		s.segments = append(s.segments, g)
		reader := &salvager{Salvage: s, segment: g, limit: limit, last: i == len(bases)-1}
		if err := reader.read(ctx); err != nil {
			return fmt.Errorf("read the journal: %s: %w", g.path, err)
		}
		if limit != math.MaxUint64 && g.next() < limit {
			s.problem(g, reader.off, misplaced(limit, g.next()))
			s.fill(g, limit, "no segment holds it")
		}
	}
	return nil
}

// AtLeast says that outputs hold what was landed before a record: if the journal
// ends before, the records up to there are lost. Else their numbers would be given
// out again, and outputs would take what gets them for delivered.
func (s *Salvage) AtLeast(next Seq) {
	last := s.segments[len(s.segments)-1]
	if last.next() >= next {
		return
	}
	s.problem(last, 0, fmt.Sprintf("the journal ends before it, and outputs hold what was landed before record %d: the journal's end is gone, or it was restored from an older copy", next))
	s.fill(last, next, "outputs hold what was landed here, and the journal ends before")
}

func (s *Salvage) problem(g *salvaged, off int64, reason string) {
	g.damaged = true
	s.Report.Problems = append(s.Report.Problems, &CorruptionError{Segment: g.path, Offset: off, Seq: g.next(), Reason: reason})
}

// lose puts a lost record in the place of the next.
func (s *Salvage) lose(g *salvaged, l Lost) {
	g.damaged = true
	rec := Record{Seq: g.next(), Lost: &l}
	g.pieces = append(g.pieces, piece{rec: rec})
	s.Lost = append(s.Lost, rec)
}

// fill gives up all records of which nothing is known, up to a number.
func (s *Salvage) fill(g *salvaged, to Seq, reason string) {
	for g.next() < to {
		s.lose(g, Lost{Reason: reason})
	}
}
