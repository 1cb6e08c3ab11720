package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// asideFolder begins the names of the folders, beside the segments, that keep
// what was damaged as it was found.
const asideFolder = "damaged-"

// unfinishedSegment ends the names of segments that are not whole yet.
const unfinishedSegment = ".repair.tmp"

// Write puts the repaired journal in the place of the damaged one: lost records
// where records are lost, and the gaps at its end. What it replaces is kept in
// the folder that it returns, under the same names.
//
// The last segment comes first, with the gaps. So a crash leaves either the
// damage to be found again, or gaps for all that is no longer to be found; what is
// marked twice is fetched once. It needs the lock.
func (s *Salvage) Write(gaps []Gap, now time.Time) (aside string, err error) {
	folder := filepath.Join(s.dir, journalFolder)
	aside, err = newAside(filepath.Join(folder, asideFolder+now.UTC().Format("20060102T150405Z")))
	if err != nil {
		return "", err
	}
	last := s.segments[len(s.segments)-1]
	for _, g := range s.segments {
		if g.there && (g.damaged || g == last) {
			if err := keepFile(g.path, aside); err != nil {
				return aside, err
			}
		}
	}
	identityPath := filepath.Join(folder, identityFile)
	if err := keepFile(identityPath, aside); err != nil {
		return aside, err
	}
	if err := errors.Join(s.files.syncDir(aside), s.files.syncDir(folder)); err != nil {
		return aside, &WriteError{Op: "sync", Path: aside, Err: err}
	}
	// From here on there may be lost records, so it has to say so before.
	s.id.Format = newestVersion
	content, err := s.id.encode()
	if err != nil {
		return aside, fmt.Errorf("encode the journal's identity: %w", err)
	}
	if err := s.replace(identityPath, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}); err != nil {
		return aside, err
	}
	if err := s.rewrite(last, gaps, now); err != nil {
		return aside, err
	}
	for _, g := range s.segments {
		if g.damaged && g != last {
			if err := s.rewrite(g, nil, now); err != nil {
				return aside, err
			}
		}
	}
	return aside, nil
}

// newAside creates the folder, or where there is one from an earlier repair in the
// same second, the first of name-2, name-3 … that is not there.
func newAside(name string) (string, error) {
	path := name
	for n := 2; ; n++ {
		err := os.Mkdir(path, folderMode)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", &WriteError{Op: "create", Path: path, Err: err}
		}
		path = fmt.Sprintf("%s-%d", name, n)
	}
}

// keepFile keeps what a path names under the same name in a folder.
func keepFile(path, folder string) error {
	to := filepath.Join(folder, filepath.Base(path))
	err := os.Link(path, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil // what is missing cannot be kept
	}
	// Not every file system has links.
	from, _, err := openSegment(path)
	if err != nil {
		return err
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return &WriteError{Op: "create", Path: to, Err: err}
	}
	_, err = io.Copy(f, from)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return &WriteError{Op: "write", Path: to, Err: err}
	}
	return nil
}

// rewrite writes a segment anew, with the gaps behind its records.
func (s *Salvage) rewrite(g *salvaged, gaps []Gap, now time.Time) error {
	h := segmentHeader{base: g.base, journal: s.id.Journal}
	var old *segmentReader
	if g.there {
		f, size, err := openSegment(g.path)
		if err != nil {
			return err
		}
		defer f.Close()
		old = newSegmentReader(f, size, h)
	}
	return s.replace(g.path, func(w io.Writer) error {
		header, seed := h.encode()
		if _, err := w.Write(header[:]); err != nil {
			return err
		}
		out := &frameWriter{w: w, seed: seed, off: segmentHeaderSize}
		for _, p := range g.pieces {
			if err := out.piece(old, p, now); err != nil {
				return err
			}
		}
		next := g.next()
		for i := range gaps {
			if err := out.record(Record{Seq: next, Gap: &gaps[i]}); err != nil {
				return err
			}
			next++
		}
		// With the mark, all of it is known to have been synced.
		return out.frame(frameHeader{kind: kindMark, seq: next}, nil, nil)
	})
}

// frameWriter writes the frames of a segment that gets its name when all of it
// is synced.
type frameWriter struct {
	w    io.Writer
	seed uint32
	off  int64
}

func (f *frameWriter) frame(h frameHeader, meta, body []byte) error {
	h.committed = f.off
	for _, b := range [][]byte{h.append(nil, f.seed), meta, body} {
		if _, err := f.w.Write(b); err != nil {
			return err
		}
	}
	f.off += h.size()
	return nil
}

func (f *frameWriter) record(r Record) error {
	e, err := encode(r)
	if err != nil {
		return err
	}
	e.head.seq = r.Seq
	return f.frame(e.head, e.meta, e.body)
}

// piece writes a record that was read before, and verifies it once more.
func (f *frameWriter) piece(old *segmentReader, p piece, now time.Time) error {
	if p.frame.kind == 0 {
		r := p.rec
		if l := r.Lost; l != nil {
			stamped := *l
			stamped.Time = now.UTC().Truncate(time.Millisecond)
			r.Lost = &stamped
		}
		return f.record(r)
	}
	from, err := old.frame(p.frame.off)
	if err != nil {
		return fmt.Errorf("read record %d again: %w", p.rec.Seq, err)
	}
	meta := append([]byte{}, from.metadata...)
	body := make([]byte, from.body)
	if err := old.body(from, body); err != nil {
		return fmt.Errorf("read record %d again: %w", p.rec.Seq, err)
	}
	return f.frame(from.frameHeader, meta, body)
}

// replace writes a file under a temporary name, syncs it, and gives it its name.
func (s *Salvage) replace(path string, write func(io.Writer) error) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+unfinishedSegment)
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &WriteError{Op: "remove", Path: temporary, Err: err}
	}
	f, err := s.files.create(temporary)
	if err != nil {
		return &WriteError{Op: "create", Path: temporary, Err: err}
	}
	out := bufio.NewWriterSize(io.NewOffsetWriter(f, 0), writeBuffer)
	err = write(out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(&WriteError{Op: "write anew", Path: path, Err: err}, removeIfThere(temporary))
	}
	if err := s.files.syncDir(filepath.Dir(path)); err != nil {
		return &WriteError{Op: "sync", Path: filepath.Dir(path), Err: err}
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
