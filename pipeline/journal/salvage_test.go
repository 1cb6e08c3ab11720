package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var repairedAt = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// written is a journal that was closed, and where its frames are.
type written struct {
	dir      string
	id       string
	records  []Record
	segments []*segment
	before   map[string][]byte // of each segment, by path
}

func write(t tester, n, size int, segmentBytes int64) *written {
	t.Helper()
	w := &written{dir: scratch(t), records: records(n, size)}
	j := open(t, w.dir, Options{SegmentBytes: segmentBytes, files: unsynced{}})
	appendAll(t, j, w.records...)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	w.id, w.segments = j.ID(), j.index.segments
	w.before = w.content(t)
	return w
}

func (w *written) content(t tester) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for _, path := range segmentPaths(t, w.dir) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = b
	}
	return all
}

func (w *written) path(segment int) string {
	return filepath.Join(w.dir, journalFolder, segmentName(w.segments[segment].base))
}

// whole are the numbers of the records whose bytes are as they were written.
func (w *written) whole(t tester) map[Seq]bool {
	t.Helper()
	after := w.content(t)
	whole := make(map[Seq]bool)
	for i, s := range w.segments {
		was, is := w.before[w.path(i)], after[w.path(i)]
		for n, off := range s.offsets {
			end := s.end
			if n+1 < len(s.offsets) {
				end = s.offsets[n+1]
			}
			if int64(len(is)) >= end && bytes.Equal(was[off:end], is[off:end]) {
				whole[s.base+Seq(n)] = true
			}
		}
	}
	return whole
}

// harm does something to the files that a disk or a person might.
func (w *written) harm(t *rapid.T) {
	i := rapid.IntRange(0, len(w.segments)-1).Draw(t, "segment")
	path := w.path(i)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || len(b) == 0 {
		return
	}
	at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
	if offsets := w.segments[i].offsets; rapid.Bool().Draw(t, "at a frame's header") && len(offsets) > 0 {
		at = min(at, int(rapid.SampledFrom(offsets).Draw(t, "frame"))+rapid.IntRange(0, frameHeaderSize-1).Draw(t, "byte"))
	}
	switch rapid.SampledFrom([]string{"flip", "zero", "cut", "remove"}).Draw(t, "harm") {
	case "flip":
		b[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	case "zero":
		clear(b[at:min(len(b), at+rapid.IntRange(1, 3000).Draw(t, "bytes"))])
	case "cut":
		b = b[:at]
	case "remove":
		// With all of them gone there is nothing to go by.
		if paths := segmentPaths(t, w.dir); len(paths) > 1 {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if err := os.WriteFile(path, b, fileMode); err != nil {
		t.Fatal(err)
	}
}

func salvage(t tester, dir string, atLeast Seq) *Salvage {
	t.Helper()
	s, err := OpenDamaged(t.Context(), dir, SalvageOptions{Identity: seller, Lock: true, files: unsynced{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.AtLeast(atLeast)
	return s
}

// gapsOf are gaps to recognize.
func gapsOf(n int) []Gap {
	gaps := make([]Gap, n)
	for i := range gaps {
		gaps[i] = *recordOf(3, 0).Gap
		gaps[i].Reason = fmt.Sprint("lost ", i)
	}
	return gaps
}

// wantRepaired checks that the journal opens, that what was whole is there under
// the same numbers, and that all else is said to be lost.
func (w *written) wantRepaired(t tester, whole map[Seq]bool, gaps int) *Journal {
	t.Helper()
	j := open(t, w.dir, Options{files: unsynced{}})
	report, err := Verify(t.Context(), w.dir)
	if err != nil || len(report.Problems) > 0 || report.Torn != nil {
		t.Fatalf("after the repair: %+v, %v", report, err)
	}
	got, err := contents(j)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(w.records) + gaps; len(got) != want || j.ID() != w.id {
		t.Fatalf("journal %s holds %d records, want %d in %s", j.ID(), len(got), want, w.id)
	}
	for i, r := range got[:len(w.records)] {
		switch {
		case r.Seq != Seq(i):
			t.Fatalf("record %d came as number %d", i, r.Seq)
		case whole[r.Seq]:
			if err := same(r, w.records[i]); err != nil {
				t.Fatal(err)
			}
		case r.Lost == nil:
			t.Fatalf("record %d is damaged, and there is %+v", i, r)
		case r.Lost.Kind != "" && r.Lost.Kind != kindOf(w.records[i]).word():
			t.Fatalf("record %d is said to have been a %s", i, r.Lost.Kind)
		case r.Lost.Page != nil:
			want := *w.records[i].Page
			want.Body = nil
			if err := same(Record{Seq: r.Seq, Page: r.Lost.Page}, Record{Seq: r.Seq, Page: &want}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, r := range got[len(w.records):] {
		if r.Gap == nil || r.Gap.Reason != fmt.Sprint("lost ", i) {
			t.Fatalf("behind the records stands %+v, want a gap", r)
		}
	}
	return j
}

func kindOf(r Record) kind {
	e, err := encode(r)
	if err != nil {
		panic(err)
	}
	return e.head.kind
}

// Whatever happens to the files: what was not touched is there afterwards, under
// the same numbers, and the journal goes on behind.
func TestRepairKeepsWhatIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := write(t, rapid.IntRange(1, 40).Draw(t, "records"), rapid.IntRange(0, 800).Draw(t, "size"), int64(rapid.IntRange(1, 6000).Draw(t, "segment bytes")))
		for range rapid.IntRange(1, 4).Draw(t, "harms") {
			w.harm(t)
		}
		identity := filepath.Join(w.dir, journalFolder, identityFile)
		if rapid.IntRange(0, 3).Draw(t, "identity") == 0 && w.headersAgree(t) {
			if err := os.WriteFile(identity, []byte("{"), fileMode); err != nil {
				t.Fatal(err)
			}
		}
		whole := w.whole(t)
		damaged := w.content(t)
		s := salvage(t, w.dir, Seq(len(w.records)))
		if s.Sound() {
			s.Close()
			w.wantRepaired(t, whole, 0)
			return
		}
		gaps := gapsOf(rapid.IntRange(0, 3).Draw(t, "gaps"))
		aside, err := s.Write(gaps, repairedAt)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		j := w.wantRepaired(t, whole, len(gaps))
		appendAll(t, j, recordOf(1, 100))
		for path, content := range damaged {
			kept, err := os.ReadFile(filepath.Join(aside, filepath.Base(path)))
			if errors.Is(err, os.ErrNotExist) { // it was not written anew
				kept = w.content(t)[path]
			}
			if !bytes.Equal(kept, content) {
				t.Fatalf("%s is not kept as it was found", path)
			}
		}
	})
}

// headersAgree reports whether an identity can be made of the segments: one
// header must be good, and the first segment there.
func (w *written) headersAgree(t tester) bool {
	t.Helper()
	if _, err := os.Stat(w.path(0)); err != nil {
		return false
	}
	return slices.ContainsFunc(segmentPaths(t, w.dir), func(path string) bool {
		_, ok := journalOf(path)
		return ok
	})
}

// A repair that is broken off can be done again, whatever it had come to.
func TestRepairThatWasInterrupted(t *testing.T) {
	for broken := 0; ; broken++ {
		w := write(t, 30, 300, 2000)
		for _, i := range []int{0, 2, len(w.segments) - 1} {
			b := w.before[w.path(i)]
			b[w.segments[i].offsets[0]+20] ^= 1
			if err := os.WriteFile(w.path(i), b, fileMode); err != nil {
				t.Fatal(err)
			}
		}
		w.before = nil
		first, err := OpenDamaged(t.Context(), w.dir, SalvageOptions{Identity: seller, Lock: true, files: &brokenOff{left: broken}})
		if err != nil {
			t.Fatal(err)
		}
		lost := len(first.Lost)
		gaps := gapsOf(2)
		_, err = first.Write(gaps, repairedAt)
		first.Close()
		if err == nil {
			if broken < 10 {
				t.Fatalf("a repair takes %d steps only", broken)
			}
			return
		}
		again := salvage(t, w.dir, 0)
		marked := 0
		for r := range again.Records() {
			if r.Gap != nil && r.Gap.Reason == "lost 0" {
				marked++
			}
		}
		if again.Sound() && marked == 0 || len(again.Lost) < lost && marked == 0 {
			t.Fatalf("after step %d, damage is gone (%d of %d records are left to give up) and no gap is marked", broken, len(again.Lost), lost)
		}
		if _, err := again.Write(gaps, repairedAt.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		again.Close()
		report, err := Verify(t.Context(), w.dir)
		if err != nil || len(report.Problems) > 0 || report.Torn != nil {
			t.Fatalf("after step %d: %+v, %v", broken, report, err)
		}
		left, err := filepath.Glob(filepath.Join(w.dir, journalFolder, ".*"))
		if err != nil || len(left) > 0 {
			t.Fatalf("after step %d: left behind %v, %v", broken, left, err)
		}
		j := open(t, w.dir, Options{})
		if n := len(j.Losses()); n != lost {
			t.Fatalf("after step %d: %d answers are lost, want %d", broken, n, lost)
		}
		j.Close()
	}
}

// brokenOff is a file system on which a number of steps go well, and then none.
type brokenOff struct {
	osFiles
	left int
}

var errBrokenOff = errors.New("broken off")

func (b *brokenOff) step() error {
	if b.left--; b.left < 0 {
		return errBrokenOff
	}
	return nil
}

func (b *brokenOff) create(path string) (segmentFile, error) {
	if err := b.step(); err != nil {
		return nil, err
	}
	f, err := b.osFiles.create(path)
	return brokenOffFile{f, b}, err
}

func (b *brokenOff) syncDir(path string) error {
	if err := b.step(); err != nil {
		return err
	}
	return b.osFiles.syncDir(path)
}

type brokenOffFile struct {
	segmentFile
	on *brokenOff
}

func (f brokenOffFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.on.step(); err != nil {
		return 0, err
	}
	return f.segmentFile.WriteAt(b, off)
}

func (f brokenOffFile) Sync() error {
	if err := f.on.step(); err != nil {
		return err
	}
	return f.segmentFile.Sync()
}

// Two repairs in one second keep what was damaged in a folder each.
func TestRepairsInOneSecond(t *testing.T) {
	w := write(t, 12, 300, 0)
	var folders []string
	for n := range 3 {
		b, err := os.ReadFile(w.path(0))
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2+n] ^= 1
		if err := os.WriteFile(w.path(0), b, fileMode); err != nil {
			t.Fatal(err)
		}
		s := salvage(t, w.dir, 0)
		aside, err := s.Write(nil, repairedAt)
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(filepath.Join(aside, filepath.Base(w.path(0))))
		if err != nil || !bytes.Equal(kept, b) {
			t.Errorf("repair %d does not keep what was there: %v", n, err)
		}
		folders = append(folders, filepath.Base(aside))
	}
	if want := []string{"damaged-20261124T120000Z", "damaged-20261124T120000Z-2", "damaged-20261124T120000Z-3"}; !slices.Equal(folders, want) {
		t.Errorf("folders %q, want %q", folders, want)
	}
	if report, err := Verify(t.Context(), w.dir); err != nil || len(report.Problems) > 0 {
		t.Errorf("after the repairs: %+v, %v", report, err)
	}
}
