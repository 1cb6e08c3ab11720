package journal

import (
	"bytes"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

func appendBytes(t tester, path string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
}

// Wherever the journal's end is cut off, the records before are there, the
// others are not, and the journal can be written again.
func TestAnyCutOfTheEndRecovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tpl, _, _ := drawTemplate(t)
		last := len(tpl.files) - 1
		content := tpl.files[last]
		cut := rapid.IntRange(0, len(content)).Draw(t, "cut")
		rest := rapid.SampledFrom([][]byte{nil, make([]byte, 3), make([]byte, 9000), bytes.Repeat([]byte("garbage"), 50), []byte(frameMagic)}).Draw(t, "what stands there instead")
		if cut == len(content) && len(rest) == 0 {
			return
		}
		dir := tpl.write(t, last, append(content[:cut:cut], rest...))
		n := tpl.before(last, int64(cut))

		report, err := Verify(t.Context(), dir)
		if err != nil || len(report.Problems) > 0 || report.Records != n {
			t.Fatalf("Verify: %+v, %v", report, err)
		}
		var log bytes.Buffer
		j := open(t, dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), files: unsynced{}})
		holds(t, j, tpl.records[:n])
		torn, ok := j.Recovered()
		if ok != (report.Torn != nil) || ok && torn != *report.Torn {
			t.Fatalf("Recovered: %+v, %v; Verify said %+v", torn, ok, report.Torn)
		}
		if len(rest) > 0 && !ok {
			t.Fatal("what stood at the end was not reported")
		}
		if ok && torn.Offset+torn.Bytes != int64(cut+len(rest)) {
			t.Fatalf("cut off was %+v of %d bytes", torn, cut+len(rest))
		}
		if said := strings.Contains(log.String(), "torn"); said != ok {
			t.Fatalf("logged was %q", log.String())
		}
		appendAll(t, j, tpl.records[n:]...)
		appendAll(t, j, tpl.records[0])
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = open(t, dir, Options{files: unsynced{}})
		if torn, ok := j.Recovered(); ok {
			t.Fatalf("torn again: %+v", torn)
		}
		holds(t, j, append(tpl.records[:len(tpl.records):len(tpl.records)], tpl.records[0]))
	})
}

// A bit that flips, wherever, is found: as damage, or as a torn end if nothing
// after it says that the place had been synced. It never comes out as data.
func TestAnyFlippedBitIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tpl, lastGroup, closed := drawTemplate(t)
		last := len(tpl.files) - 1
		segment := rapid.IntRange(0, last).Draw(t, "segment")
		content := bytes.Clone(tpl.files[segment])
		at := rapid.IntRange(0, len(content)-1).Draw(t, "byte")
		content[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		dir := tpl.write(t, segment, content)
		intact := tpl.before(segment, int64(at)) // records before the flip

		// Where the flip may pass for a torn end: the last group, or the mark.
		base := tpl.before(last, int64(len(content)))
		synced := int64(segmentHeaderSize)
		if first := base - lastGroup; first > 0 && tpl.segments[first-1] == last {
			synced = tpl.ends[first-1]
		}
		if closed {
			synced = tpl.end(last)
		}
		mayBeTorn := segment == last && int64(at) >= synced

		path := filepath.Join(dir, journalFolder, tpl.names[segment])
		report, err := Verify(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if (report.Torn != nil) != mayBeTorn || (len(report.Problems) > 0) == mayBeTorn {
			t.Fatalf("Verify: %+v; may be torn: %v", report, mayBeTorn)
		}
		if !mayBeTorn {
			p := report.Problems[0]
			if len(report.Problems) > 1 || p.Segment != path || p.Offset > int64(at) || report.Records < len(tpl.records)-1 {
				t.Fatalf("Verify: %+v, first %v", report, p)
			}
		}

		j, err := Open(dir, Options{Identity: seller, files: unsynced{}})
		if err != nil {
			e, ok := errors.AsType[*CorruptionError](err)
			if !ok || mayBeTorn || e.Segment != path || e.Offset > int64(at) || e.Seq != Seq(intact) {
				t.Fatalf("Open: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, content) {
				t.Fatalf("Open changed the damaged segment (%v)", err)
			}
			return
		}
		defer j.Close()
		if mayBeTorn {
			if _, ok := j.Recovered(); !ok {
				t.Fatal("the flip was not noticed")
			}
			holds(t, j, tpl.records[:intact])
			return
		}
		// What Open does not read is found when it is read.
		bad := 0
		for _, p := range j.Pages() {
			page, err := j.Page(p.Seq)
			if err != nil {
				e, ok := errors.AsType[*CorruptionError](err)
				if !ok || e.Seq != Seq(intact) || e.Segment != path || p.Seq != e.Seq {
					t.Fatalf("Page(%d): %v", p.Seq, err)
				}
				bad++
				continue
			}
			if err := same(Record{Seq: p.Seq, Page: page}, tpl.records[p.Seq]); err != nil {
				t.Fatal(err)
			}
		}
		if bad != 1 {
			t.Fatalf("%d pages are damaged", bad)
		}
	})
}

// Of a group whose sync never returned any part may have reached the disk, a
// later frame before an earlier one. Damage before the group is no torn end.
func TestPartOfTheLastGroup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := drawGroups(t)
		groups = append(groups, []Record{recordOf(1, 600), recordOf(2, 600), recordOf(3, 0), recordOf(4, 600)})
		tpl := makeTemplate(t, DefaultSegmentBytes, groups, false)
		content := bytes.Clone(tpl.files[0])
		n := len(tpl.records)
		groupStart := tpl.ends[n-5]

		// A stretch that leaves the last frame as it is.
		from := rapid.Int64Range(segmentHeaderSize, tpl.ends[n-2]-1).Draw(t, "from")
		to := rapid.Int64Range(from+1, tpl.ends[n-2]).Draw(t, "to")
		if rapid.Bool().Draw(t, "zeros") {
			clear(content[from:to])
		} else {
			rand.NewChaCha8([32]byte{byte(from), byte(to)}).Read(content[from:to])
		}
		first := from // that differs
		for first < to && content[first] == tpl.files[0][first] {
			first++
		}
		if first == to {
			return
		}
		intact := tpl.before(0, first)
		dir := tpl.write(t, 0, content)
		j, err := Open(dir, Options{Identity: seller, files: unsynced{}})
		switch {
		case first >= groupStart:
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			holds(t, j, tpl.records[:intact])
		case err != nil:
			if e, ok := errors.AsType[*CorruptionError](err); !ok || e.Seq != Seq(intact) {
				t.Fatalf("Open: %v, first damaged record is %d", err, intact)
			}
		default:
			defer j.Close()
			if _, err := j.Page(Seq(intact)); err == nil {
				t.Fatalf("record %d is damaged, and was read", intact)
			}
		}
	})
}

func TestDamageInAnOlderSegmentIsNeverCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tpl := makeTemplate(t, 1, [][]Record{{recordOf(1, 50)}, {recordOf(2, 50)}, {recordOf(3, 0)}}, rapid.Bool().Draw(t, "closed"))
		segment := rapid.IntRange(0, 1).Draw(t, "segment")
		cut := rapid.IntRange(0, len(tpl.files[segment])-1).Draw(t, "cut")
		dir := tpl.write(t, segment, tpl.files[segment][:cut])
		_, err := Open(dir, Options{Identity: seller, files: unsynced{}})
		if e, ok := errors.AsType[*CorruptionError](err); !ok || e.Seq != Seq(segment) {
			t.Fatalf("Open: %v", err)
		}
		report, err := Verify(t.Context(), dir)
		if err != nil || len(report.Problems) != 1 || report.Torn != nil || report.Records != 2 {
			t.Fatalf("Verify: %+v, %v", report, err)
		}
	})
}

// failingReader is a file of which some bytes cannot be read.
type failingReader struct {
	b  []byte
	at int64
}

func (r failingReader) ReadAt(b []byte, off int64) (int, error) {
	if off <= r.at && r.at < off+int64(len(b)) {
		return copy(b, r.b[off:r.at]), syscall.EIO
	}
	return bytes.NewReader(r.b).ReadAt(b, off)
}

// That bytes cannot be read says nothing about what they are: it is an error,
// never a torn end that would be cut off.
func TestBytesThatCannotBeReadAreNotTorn(t *testing.T) {
	content := segmentOf(t, []Record{recordOf(1, 300)}, []Record{recordOf(2, 300), recordOf(3, 0), recordOf(4, 6000)})
	content = content[:len(content)-frameHeaderSize] // no mark: the last group is verified with its bodies
	good, err := newSegmentReader(bytes.NewReader(content), int64(len(content)), fuzzHeader).scan(fuzzHeader)
	if err != nil || len(good.entries) != 4 {
		t.Fatalf("%+v, %v", good, err)
	}
	bodyOfFirst := good.entries[0].bodyAt()
	for at := range int64(len(content)) {
		s := newSegmentReader(failingReader{content, at}, int64(len(content)), fuzzHeader)
		found, err := s.scan(fuzzHeader)
		if err == nil {
			err = s.checkTail(&found)
		}
		if at >= bodyOfFirst && at < good.entries[1].off {
			if err != nil || len(found.entries) != 4 {
				t.Fatalf("byte %d cannot be read, which opening does not read: %v, %+v", at, err, found)
			}
			continue
		}
		if !errors.Is(err, syscall.EIO) {
			t.Fatalf("byte %d cannot be read: %v, damage %v", at, err, found.damage)
		}
	}
	damaged := bytes.Clone(content)
	damaged[60]++
	s := newSegmentReader(failingReader{damaged, int64(len(damaged) - 1)}, int64(len(damaged)), fuzzHeader)
	found, err := s.scan(fuzzHeader)
	if err == nil {
		_, err = s.isTorn(found.end, found.damage, true)
	}
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("what follows the damage cannot be read: %v", err)
	}
}
