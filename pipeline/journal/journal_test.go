package journal

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var background = context.Background()

func TestWhatIsAppendedIsThereAfterOpeningAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	want := records(60, 3000)
	j := open(t, dir, Options{SegmentBytes: 16 << 10})
	id := j.ID()
	appendAll(t, j, want[:40]...)
	holds(t, j, want[:40])
	pages := j.Pages()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	j = open(t, dir, Options{SegmentBytes: 16 << 10})
	if j.ID() != id {
		t.Errorf("the journal's id is %s after opening again, was %s", j.ID(), id)
	}
	if torn, ok := j.Recovered(); ok {
		t.Errorf("a journal that was closed was found torn: %+v", torn)
	}
	// What is known while writing is what is known after reading.
	if got := j.Pages(); !reflect.DeepEqual(got, pages) {
		t.Errorf("Pages after opening again:\n%+v\nbefore:\n%+v", got, pages)
	}
	holds(t, j, want[:40])
	appendAll(t, j, want[40:]...)
	holds(t, j, want)
	if n := len(segmentPaths(t, dir)); n < 5 {
		t.Errorf("there are %d segments, want at least 5", n)
	}
	report, err := Verify(t.Context(), dir)
	if err != nil || len(report.Problems) != 0 || report.Torn != nil {
		t.Errorf("Verify of the open journal: %+v, %v", report, err)
	}
	if report.Records != len(want) || report.Pages != len(j.Pages()) || report.Segments != len(segmentPaths(t, dir)) {
		t.Errorf("Verify counted %+v", report)
	}
}

func TestPageRefsSayWhatThePageSays(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	p := pageOf("b", 8, 1234)
	p.Short, p.Undated = true, 3
	p.Received = p.Received.In(time.FixedZone("", 3600))
	appendAll(t, j, Record{Page: p})
	want := []PageRef{{
		Seq: 0, Query: p.Query, Window: p.Window, Batch: "b", Received: epoch.Add(8 * time.Millisecond),
		Leads: 16, Undated: 3, Short: true, Bytes: 1234,
	}}
	if got := j.Pages(); len(got) != 1 || !got[0].Received.Equal(want[0].Received) {
		t.Fatalf("Pages: %+v, want %+v", got, want)
	} else if got[0].Received = want[0].Received; got[0] != want[0] {
		t.Fatalf("Pages: %+v, want %+v", got, want)
	}
}

func TestPagesAreASnapshot(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	appendAll(t, j, Record{Page: pageOf("b", 1, 10)})
	before := j.Pages()
	_ = append(before, PageRef{Batch: "of the caller"})
	appendAll(t, j, Record{Page: pageOf("b", 2, 10)})
	if len(before) != 1 {
		t.Errorf("the snapshot has grown to %d", len(before))
	}
	if got := j.Pages(); len(got) != 2 || got[1].Batch != "b" {
		t.Errorf("a caller's append came through: %+v", got)
	}
}

func TestRecordsBeginWhereAsked(t *testing.T) {
	j := open(t, t.TempDir(), Options{SegmentBytes: 2 << 10})
	appendAll(t, j, records(30, 500)...)
	for _, from := range []Seq{0, 1, 7, 29, 30, 31, 1 << 63} {
		want := from
		all := j.Records(t.Context(), from)
		appendAll(t, j, recordOf(3, 0)) // not seen by what was asked for before
		end := j.End() - 1
		for r, err := range all {
			if err != nil {
				t.Fatal(err)
			}
			if r.Seq != want {
				t.Fatalf("from %d: got record %d, want %d", from, r.Seq, want)
			}
			if r.Page != nil && r.Page.Body != nil {
				t.Fatalf("record %d came with its body", r.Seq)
			}
			want++
		}
		if want != max(from, end) {
			t.Errorf("from %d: ended before %d, want %d", from, want, end)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range j.Records(ctx, 0) {
		if n++; n == 3 {
			cancel()
		}
		if n == 4 && !errors.Is(err, context.Canceled) {
			t.Errorf("after the context's end: %v", err)
		}
	}
	if n != 4 {
		t.Errorf("%d records after the context ended at the third", n)
	}
	for range j.Records(t.Context(), 0) {
		break // leaves no file open, and yields no more
	}
}

func TestPageOfWhatIsNoPage(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	appendAll(t, j, recordOf(0, 0))
	appendAll(t, j, recordOf(3, 0), recordOf(6, 0))
	for seq, says := range map[Seq]string{
		0:       "journal record 0 is not a page but a batch's begin",
		1:       "is not a page but a gap",
		2:       "is not a page but a batch's end",
		3:       "is not in the journal, which holds 0 to 3 (exclusive)",
		1 << 63: "is not in the journal",
	} {
		_, err := j.Page(seq)
		if e, ok := errors.AsType[*NoPageError](err); !ok || e.Seq != seq || !strings.Contains(err.Error(), says) {
			t.Errorf("Page(%d): %v", seq, err)
		}
	}
}

func TestSegmentThatVanishesWhileOpen(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentBytes: 1})
	appendAll(t, j, recordOf(1, 10), recordOf(2, 10))
	if err := os.Remove(segmentPaths(t, dir)[0]); err != nil {
		t.Fatal(err)
	}
	_, err := j.Page(0)
	if e, ok := errors.AsType[*CorruptionError](err); !ok || e.Seq != 0 || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("Page of a segment that is gone: %v", err)
	}
	if _, err := j.Page(1); err != nil {
		t.Errorf("Page of the other segment: %v", err)
	}
}

func TestAppendRefusesWhatIsNoRecord(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	bad := []Record{
		{},
		{Begin: &Begin{}, End: &End{}},
		{End: &End{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{Page: &Page{RequestID: strings.Repeat("x", maxMeta)}},
	}
	for _, r := range bad {
		if _, err := j.Append(t.Context(), r); err == nil {
			t.Errorf("Append took %.80v", r)
		}
	}
	appendAll(t, j, recordOf(1, 10)) // and goes on
}

func TestChangedLosesNoWakeUp(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	const n = 50
	seen := make(chan Seq)
	go func() {
		defer close(seen)
		for {
			changed := j.Changed()
			end := j.End()
			seen <- end
			if end == n {
				return
			}
			<-changed
		}
	}()
	go func() {
		for i := range n {
			if _, err := j.Append(background, recordOf(i, 10)); err != nil {
				t.Error(err)
			}
		}
	}()
	last := Seq(0)
	for end := range seen { // ends only if no wake-up is lost
		if end < last {
			t.Errorf("End went back from %d to %d", last, end)
		}
		last = end
	}
	select {
	case <-j.Changed():
		t.Error("Changed fired without an append after it")
	default:
	}
}

func TestClosedJournal(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	appendAll(t, j, recordOf(1, 10))
	for range 2 {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Append(t.Context(), recordOf(1, 10)); !errors.Is(err, ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if _, err := j.Page(0); !errors.Is(err, ErrClosed) {
		t.Errorf("Page after Close: %v", err)
	}
	for _, err := range j.Records(t.Context(), 0) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("Records after Close: %v", err)
		}
	}
	if len(j.Pages()) != 1 || j.End() != 1 {
		t.Errorf("after Close there are %d pages, end %d", len(j.Pages()), j.End())
	}
}

func TestClosingAndOpeningDoesNotGrowTheJournal(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	appendAll(t, j, recordOf(1, 10))
	j.Close()
	size := func() int64 {
		info, err := os.Stat(segmentPaths(t, dir)[0])
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	want := size()
	for range 3 {
		if err := open(t, dir, Options{}).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := size(); got != want {
		t.Errorf("the segment has %d bytes, had %d", got, want)
	}
}

func TestOpenReadOnly(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(dir, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenReadOnly of an empty folder: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("OpenReadOnly created %v", left)
	}
	want := records(20, 400)
	w := open(t, dir, Options{SegmentBytes: 2 << 10})
	appendAll(t, w, want[:15]...)

	r, err := OpenReadOnly(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	appendAll(t, w, want[15:]...)
	holds(t, r, want[:15])
	if r.ID() != w.ID() || r.Identity() != seller {
		t.Errorf("read-only: id %s of %s", r.ID(), r.Identity())
	}
	if _, err := r.Append(t.Context(), want[0]); !errors.Is(err, ErrReadOnly) {
		t.Errorf("Append: %v", err)
	}
	holds(t, w, want)
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	j := open(t, dir, Options{SegmentBytes: 1 << 10})
	appendAll(t, j, records(10, 500)...)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fileMode
		if d.IsDir() {
			want = folderMode
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 4 {
		t.Errorf("only %d files were looked at", files)
	}
}

func TestOldSegmentsCanBeDeleted(t *testing.T) {
	dir := t.TempDir()
	want := records(30, 500)
	j := open(t, dir, Options{SegmentBytes: 2 << 10})
	appendAll(t, j, want...)
	j.Close()
	paths := segmentPaths(t, dir)
	first, _ := parseSegmentName(filepath.Base(paths[2]))

	// As pruning will do it: first the identity, then the files, oldest first.
	id, err := readIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	id.First = first
	content, err := id.encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, journalFolder, identityFile), content, fileMode); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths[:2] {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		j := open(t, dir, Options{})
		got, err := contents(j)
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(got, func(r Record) bool { return r.Seq >= first }); i < 0 || len(got)-i != len(want)-int(first) {
			t.Errorf("%d records are left from %d on", len(got)-i, first)
		}
		if _, err := j.Page(0); err == nil {
			t.Error("a page that was removed is there")
		}
		j.Close()
	}
	if err := os.Remove(paths[2]); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir, Options{Identity: seller})
	if e, ok := errors.AsType[*CorruptionError](err); !ok || e.Seq != first {
		t.Errorf("Open without a segment that was not removed on purpose: %v", err)
	}
}
