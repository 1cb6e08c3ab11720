package journal

import (
	"os"
	"path/filepath"

	"pgregory.net/rapid"
)

// template is a journal on disk that tests damage copies of.
type template struct {
	records []Record
	// ends is where in its segment each record's frame ends, and segments which
	// segment that is.
	ends     []int64
	segments []int
	names    []string
	files    [][]byte
	identity []byte
}

// makeTemplate writes groups of records, each with one sync, as concurrent
// appends would have them.
func makeTemplate(t *rapid.T, segmentBytes int64, groups [][]Record, closed bool) template {
	t.Helper()
	dir := scratch(t)
	open(t, dir, Options{files: unsynced{}}).Close()
	id, err := readIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	j := &Journal{folder: filepath.Join(dir, journalFolder), id: id, index: newIndex()}
	last, err := load(j.folder, id, j.index)
	if err != nil {
		t.Fatal(err)
	}
	file, end, err := repair(unsynced{}, j.folder, id, last)
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(unsynced{}, j, last, file, end, Options{SegmentBytes: segmentBytes})
	var tpl template
	for _, group := range groups {
		requests := make([]*request, len(group))
		for i, r := range group {
			e, err := encode(r)
			if err != nil {
				t.Fatal(err)
			}
			requests[i] = &request{encoded: e, done: make(chan outcome, 1)}
		}
		w.serve(requests) // this goroutine is the writer
		for _, r := range requests {
			if o := <-r.done; o.err != nil {
				t.Fatal(o.err)
			}
		}
		tpl.records = append(tpl.records, group...)
	}
	for i, s := range j.index.segments {
		for n := range s.offsets {
			end := s.end
			if n+1 < len(s.offsets) {
				end = s.offsets[n+1]
			}
			tpl.ends, tpl.segments = append(tpl.ends, end), append(tpl.segments, i)
		}
	}
	if closed {
		go w.run()
		err = w.close()
	} else {
		err = w.file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range segmentPaths(t, dir) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tpl.names, tpl.files = append(tpl.names, filepath.Base(path)), append(tpl.files, b)
	}
	if tpl.identity, err = os.ReadFile(filepath.Join(dir, journalFolder, identityFile)); err != nil {
		t.Fatal(err)
	}
	return tpl
}

// write makes a state folder of the template, with the content of one segment
// replaced.
func (tpl template) write(t tester, segment int, content []byte) string {
	t.Helper()
	dir := scratch(t)
	folder := filepath.Join(dir, journalFolder)
	if err := os.Mkdir(folder, folderMode); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, identityFile), tpl.identity, fileMode); err != nil {
		t.Fatal(err)
	}
	for i, b := range tpl.files {
		if i == segment {
			b = content
		}
		if err := os.WriteFile(filepath.Join(folder, tpl.names[i]), b, fileMode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// before returns how many records end at or before an offset of a segment.
func (tpl template) before(segment int, off int64) int {
	n := 0
	for i := range tpl.records {
		if tpl.segments[i] < segment || tpl.segments[i] == segment && tpl.ends[i] <= off {
			n++
		}
	}
	return n
}

// end returns where the last frame of a segment ends.
func (tpl template) end(segment int) int64 {
	end := int64(segmentHeaderSize)
	for i := range tpl.records {
		if tpl.segments[i] == segment {
			end = tpl.ends[i]
		}
	}
	return end
}

// drawGroups draws groups of records to be written with one sync each.
func drawGroups(t *rapid.T) [][]Record {
	sizes := rapid.SliceOfN(rapid.IntRange(1, 5), 1, 8).Draw(t, "group sizes")
	n := 0
	groups := make([][]Record, len(sizes))
	for i, size := range sizes {
		for range size {
			groups[i] = append(groups[i], recordOf(n, rapid.SampledFrom([]int{0, 10, 300, 5000}).Draw(t, "body")))
			n++
		}
	}
	return groups
}

func drawTemplate(t *rapid.T) (tpl template, lastGroup int, closed bool) {
	groups := drawGroups(t)
	closed = rapid.Bool().Draw(t, "closed")
	segmentBytes := rapid.SampledFrom([]int64{1, 4 << 10, DefaultSegmentBytes}).Draw(t, "segment bytes")
	return makeTemplate(t, segmentBytes, groups, closed), len(groups[len(groups)-1]), closed
}
