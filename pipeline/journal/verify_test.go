package journal

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerifyReportsAllDamage(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentBytes: 4 << 10})
	want := records(40, 500)
	appendAll(t, j, want...)
	j.Close()
	segments := j.index.segments
	if len(segments) < 5 {
		t.Fatalf("only %d segments", len(segments))
	}
	// A header, metadata, a body, a whole stretch, a missing segment.
	harm := func(segment int, off int64, bytes ...byte) {
		t.Helper()
		f, err := os.OpenFile(segmentPaths(t, dir)[segment], os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt(bytes, off); err != nil {
			t.Fatal(err)
		}
	}
	at := func(segment, record int) int64 { return segments[segment].offsets[record] }
	seq := func(segment, record int) Seq { return segments[segment].base + Seq(record) }
	harm(0, at(0, 1)+10, 0xff)                 // a frame's header
	harm(0, at(0, 3)+frameHeaderSize, '!')     // metadata
	harm(1, 3, '!')                            // a segment's header
	harm(1, at(1, 2)+2, make([]byte, 1500)...) // several records
	harm(2, segments[2].end-1, 0)              // the end of a segment
	if err := os.Remove(segmentPaths(t, dir)[3]); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	wantSeqs := []Seq{seq(0, 1), seq(0, 3), seq(1, 0), seq(1, 2), seq(2, len(segments[2].offsets)-1), seq(3, 0)}
	var got []Seq
	for _, p := range report.Problems {
		t.Log(p)
		got = append(got, p.Seq)
	}
	if len(got) != len(wantSeqs) {
		t.Fatalf("problems at records %v, want %v", got, wantSeqs)
	}
	for i := range got {
		if got[i] != wantSeqs[i] {
			t.Fatalf("problems at records %v, want %v", got, wantSeqs)
		}
	}
	if !strings.Contains(report.Problems[5].Reason, "missing") {
		t.Errorf("the missing segment: %v", report.Problems[5])
	}
	if report.Torn != nil || report.Segments != len(segments)-1 || report.Records >= len(want) || report.Records < len(want)/2 {
		t.Errorf("report: %+v", report)
	}
}

func TestVerifyFindsRecordsTwice(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentBytes: 1})
	appendAll(t, j, records(4, 50)...)
	j.Close()
	// A segment that says it begins with record 1 and holds 1 and 2.
	header, seed := segmentHeader{base: 1, journal: j.id.Journal}.encode()
	b := header[:]
	for seq := range Seq(2) {
		e, err := encode(recordOf(2, 50))
		if err != nil {
			t.Fatal(err)
		}
		e.head.seq, e.head.committed = 1+seq, segmentHeaderSize
		b = append(append(e.head.append(b, seed), e.meta...), e.body...)
	}
	path := segmentPaths(t, dir)[1]
	if err := os.WriteFile(path, b, fileMode); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(t.Context(), dir)
	if err != nil || len(report.Problems) != 1 || report.Problems[0].Segment != segmentPaths(t, dir)[2] {
		t.Errorf("Verify: %+v, %v", report, err)
	}
	if _, err = Open(dir, Options{Identity: seller}); err == nil || !strings.Contains(err.Error(), "as well") {
		t.Errorf("Open: %v", err)
	}
}

// A frame that is whole but out of place was not left by a crash: it is not cut
// off even at the very end.
func TestFrameOutOfPlaceIsDamage(t *testing.T) {
	for name, change := range map[string]func(*encoded){
		"number":   func(e *encoded) { e.head.seq = 7 },
		"kind":     func(e *encoded) { e.head.kind = 9 },
		"metadata": func(e *encoded) { e.head.kind = kindEnd; e.meta = []byte(`{"batch":5}`) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := open(t, dir, Options{})
			appendAll(t, j, records(2, 50)...)
			j.Close()
			path := segmentPaths(t, dir)[0]
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			e, err := encode(recordOf(2, 50))
			if err != nil {
				t.Fatal(err)
			}
			e.head.seq, e.head.committed = 2, int64(len(before))
			change(&e)
			e.body = nil
			e = e.sealed()
			_, seed := segmentHeader{base: 0, journal: j.id.Journal}.encode()
			appendBytes(t, path, append(e.head.append(nil, seed), e.meta...))
			_, err = Open(dir, Options{Identity: seller})
			if c, ok := errors.AsType[*CorruptionError](err); !ok || c.Offset != int64(len(before)) || c.Seq != 2 {
				t.Errorf("Open: %v", err)
			}
			report, err := Verify(t.Context(), dir)
			if err != nil || len(report.Problems) != 1 || report.Torn != nil {
				t.Errorf("Verify: %+v, %v", report, err)
			}
		})
	}
}

func TestVerifyWithoutJournal(t *testing.T) {
	if _, err := Verify(t.Context(), t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Verify of an empty folder: %v", err)
	}
	dir := made(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify with an ended context: %v", err)
	}
	for _, path := range segmentPaths(t, dir) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Verify(t.Context(), dir)
	if _, ok := errors.AsType[*StateError](err); !ok {
		t.Errorf("Verify without segments: %v", err)
	}
	if _, err := OpenReadOnly(dir, nil); err == nil {
		t.Error("OpenReadOnly without segments gave a journal")
	}
	if err := os.RemoveAll(filepath.Join(dir, journalFolder)); err != nil {
		t.Fatal(err)
	}
}
