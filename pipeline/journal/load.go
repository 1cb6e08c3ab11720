package journal

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// TornTail is the end of a journal that a crash left incomplete. Nothing of it
// had been confirmed by Append.
type TornTail struct {
	// Segment is the path of the file, Offset where the torn end begins, Bytes
	// how long it is.
	Segment string
	Offset  int64
	Bytes   int64
	// Reason says what is wrong at Offset.
	Reason string
}

// tail is the last segment as it was found.
type tail struct {
	base Seq
	scanned
	torn *TornTail
}

// load reads the journal in a folder into an index: everything but the bodies.
// It changes nothing on disk.
func load(folder string, id identity, ix *index) (tail, error) {
	bases, err := segmentsOf(folder, id)
	if err != nil {
		return tail{}, err
	}
	if len(bases) == 0 {
		return tail{}, &StateError{Dir: filepath.Dir(folder), Problem: folder + " holds no segment"}
	}
	ix.losses = slices.Clone(id.Lost)
	due := dueFirst(id, bases[0])
	for i, base := range bases {
		path := filepath.Join(folder, segmentName(base))
		if base != due {
			return tail{}, &CorruptionError{Segment: path, Seq: due, Reason: misplaced(base, due)}
		}
		t, err := loadSegment(path, segmentHeader{base, id.Journal}, i == len(bases)-1)
		if err != nil {
			return tail{}, err
		}
		ix.addSegment(base)
		for _, e := range t.entries {
			ix.addRecord(e)
		}
		ix.synced(t.end)
		due = t.next
		if i == len(bases)-1 {
			return t, nil
		}
	}
	panic("unreachable: there is a last segment")
}

// loadSegment reads one segment. Damage is an error, but for a torn end of the
// last segment.
func loadSegment(path string, h segmentHeader, last bool) (tail, error) {
	f, size, err := openSegment(path)
	if err != nil {
		return tail{}, err
	}
	defer f.Close()
	s := newSegmentReader(f, size, h)
	found, err := s.scan(h)
	if err == nil && last {
		if found.damage == nil || !found.damage.never {
			err = s.checkTail(&found)
		}
	}
	if err != nil {
		return tail{}, fmt.Errorf("read the journal: %s: %w", path, err)
	}
	t := tail{base: h.base, scanned: found}
	if found.damage == nil {
		return t, nil
	}
	isTorn, err := s.isTorn(found.end, found.damage, last)
	if err != nil {
		return tail{}, fmt.Errorf("read the journal: %s: %w", path, err)
	}
	if !isTorn {
		return tail{}, &CorruptionError{Segment: path, Offset: found.end, Seq: found.next, Reason: found.damage.reason}
	}
	t.torn = &TornTail{Segment: path, Offset: found.end, Bytes: size - found.end, Reason: found.damage.reason}
	return t, nil
}

// isTorn decides whether damage at an offset of the last (or not the last)
// segment is the end of a write that was never confirmed. FORMAT.md says why.
func (s *segmentReader) isTorn(off int64, d *damage, last bool) (bool, error) {
	if !last || d.never {
		return false, nil
	}
	synced, err := s.syncedBefore(off)
	return !synced, err
}

// misplaced says what is wrong with a segment that does not go on where the
// one before it ended.
func misplaced(base, due Seq) string {
	if base > due {
		return fmt.Sprintf("records %d to %d are missing: no segment holds them", due, base-1)
	}
	return fmt.Sprintf("the segment begins with record %d, which the one before it holds as well", base)
}

// segmentsOf returns the first records of the segments that count, in order: what
// a base stands for may be there still, in parts.
func segmentsOf(folder string, id identity) ([]Seq, error) {
	bases, err := listSegments(folder)
	if err != nil || id.Base == "" {
		return bases, err
	}
	return slices.DeleteFunc(bases, func(base Seq) bool { return base < id.First }), nil
}

// dueFirst returns the record that the first segment has to begin with. Without a
// base, segments before the first may be gone on purpose, or about to be.
func dueFirst(id identity, first Seq) Seq {
	if id.Base != "" {
		return id.First
	}
	return min(id.First, first)
}

// listSegments returns the first records of a folder's segments, in order.
func listSegments(folder string) ([]Seq, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("list the journal's segments: %w", err)
	}
	var bases []Seq
	for _, file := range files {
		base, ok := parseSegmentName(file.Name())
		switch {
		case ok:
			bases = append(bases, base)
		case strings.HasSuffix(file.Name(), segmentSuffix):
			return nil, &StateError{Dir: filepath.Dir(folder), Problem: file.Name() + " in " + folder + " is no segment's name"}
		}
	}
	slices.SortFunc(bases, cmp.Compare[Seq])
	return bases, nil
}

// openSegment opens a segment for reading and returns its present size.
func openSegment(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open a journal segment: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("open a journal segment: %w", err)
	}
	return f, info.Size(), nil
}
