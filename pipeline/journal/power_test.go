package journal

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"
)

// disk is a file system whose power can be cut. Files are written as usual,
// which is what the system's memory shows; beside that it keeps what a disk
// would hold: what was written becomes durable by a sync of the file, a new
// name by a sync of the folder. A sync that fails drops what it should have
// made durable, and the next one knows nothing of it, as Linux does it.
type disk struct {
	osFiles
	mu    sync.Mutex
	files map[string]*diskFile
	// left is how many operations go well before the cut; then all fail.
	left int
	// failSync is the sync that fails without a cut, counted from 1; 0 for none.
	failSync int
}

type diskFile struct {
	durable []byte
	named   bool
	pending []change
}

// change is a write, or the cut of the file to a size if there is no data.
type change struct {
	off  int64
	data []byte
}

func (c change) apply(b []byte) []byte {
	if c.data == nil {
		return append(b[:min(c.off, int64(len(b)))], make([]byte, max(0, c.off-int64(len(b))))...)
	}
	if end := c.off + int64(len(c.data)); end > int64(len(b)) {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[c.off:], c.data)
	return b
}

var errPower = errors.New("the power is off")

// step counts an operation, and fails when the power is off.
func (d *disk) step() error {
	if d.left--; d.left < 0 {
		return errPower
	}
	return nil
}

// adopt takes a folder's files as durable.
func (d *disk) adopt(t tester, folder string) {
	names, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	d.files = map[string]*diskFile{}
	for _, name := range names {
		path := filepath.Join(folder, name.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d.files[path] = &diskFile{durable: b, named: true}
	}
}

func (d *disk) create(path string) (segmentFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return nil, err
	}
	f, err := d.osFiles.create(path)
	if err != nil {
		return nil, err
	}
	d.files[path] = &diskFile{}
	return &openDiskFile{f, d, d.files[path]}, nil
}

func (d *disk) open(path string) (segmentFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return nil, err
	}
	f, err := d.osFiles.open(path)
	if err != nil {
		return nil, err
	}
	return &openDiskFile{f, d, d.files[path]}, nil
}

func (d *disk) syncDir(folder string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	for path, f := range d.files {
		f.named = f.named || filepath.Dir(path) == folder
	}
	return nil
}

type openDiskFile struct {
	segmentFile
	disk *disk
	file *diskFile
}

func (f *openDiskFile) WriteAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step(); err != nil {
		return 0, err
	}
	f.file.pending = append(f.file.pending, change{off, slices.Clone(b)})
	return f.segmentFile.WriteAt(b, off)
}

func (f *openDiskFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step(); err != nil {
		return err
	}
	f.file.pending = append(f.file.pending, change{off: size})
	return f.segmentFile.Truncate(size)
}

func (f *openDiskFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.step(); err != nil {
		return err
	}
	pending := f.file.pending
	f.file.pending = nil
	if f.disk.failSync--; f.disk.failSync == 0 {
		return errors.New("input/output error")
	}
	for _, c := range pending {
		f.file.durable = c.apply(f.file.durable)
	}
	return nil
}

// cut turns the power off and on again: the folder then holds what is durable,
// and any part of what was on its way.
func (d *disk) cut(t tester, random *rand.Rand) {
	const sector = 512
	for _, path := range slices.Sorted(maps.Keys(d.files)) {
		f := d.files[path]
		if !f.named && random.IntN(2) == 0 {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			delete(d.files, path)
			continue
		}
		content := f.durable
		likely := random.Float64()
		for _, c := range f.pending {
			if c.data == nil {
				if random.Float64() < likely {
					content = c.apply(content)
				}
				continue
			}
			for at := 0; at < len(c.data); at += sector {
				if random.Float64() < likely {
					content = change{c.off + int64(at), c.data[at:min(at+sector, len(c.data))]}.apply(content)
				}
			}
		}
		f.durable, f.pending, f.named = content, nil, true
		if err := os.WriteFile(path, content, fileMode); err != nil {
			t.Fatal(err)
		}
	}
}

// However often the power is cut, and wherever, and whatever part of what was
// on its way to the disk got there, also if a sync failed before: what Append
// confirmed is there, nothing is there that was not appended, and nothing looks
// like damage.
func TestConfirmedRecordsSurvivePowerCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir := scratch(t)
		segmentBytes := rapid.SampledFrom([]int64{1, 3000, 20000}).Draw(t, "segment bytes")
		open(t, dir, Options{files: unsynced{}}).Close()
		var d disk
		d.adopt(t, filepath.Join(dir, journalFolder))
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "sectors"), 0))

		var mu sync.Mutex
		confirmed := map[Seq]int{}
		appended := 0
		for range rapid.IntRange(1, 5).Draw(t, "lives") {
			d.left = rapid.IntRange(0, 60).Draw(t, "operations before the cut")
			d.failSync = rapid.IntRange(0, 15).Draw(t, "sync that fails")
			writers := rapid.IntRange(1, 4).Draw(t, "writers")
			each := rapid.IntRange(0, 8).Draw(t, "records each")
			first := appended
			appended += writers * each
			if j, err := Open(dir, Options{Identity: seller, SegmentBytes: segmentBytes, files: &d}); err == nil {
				var g errgroup.Group
				for writer := range writers {
					g.Go(func() error {
						for i := range each {
							n := first + i*writers + writer
							seq, err := j.Append(background, recordOf(n, n*331%3000))
							if err != nil {
								return nil //nolint:nilerr // the power, or the sync
							}
							mu.Lock()
							_, twice := confirmed[seq]
							confirmed[seq] = n
							mu.Unlock()
							if twice {
								return fmt.Errorf("number %d was given twice", seq)
							}
						}
						return nil
					})
				}
				err := g.Wait()
				_ = j.Close() // which may fail as the rest does
				if err != nil {
					t.Fatal(err)
				}
			} else if _, ok := errors.AsType[*WriteError](err); !ok && !errors.Is(err, errPower) {
				t.Fatalf("Open: %v", err)
			}
			if rapid.Bool().Draw(t, "cut") {
				d.cut(t, random)
			}
		}
		d.cut(t, random)

		j := open(t, dir, Options{SegmentBytes: segmentBytes, files: unsynced{}})
		got, err := contents(j)
		if err != nil {
			t.Fatal(err)
		}
		for seq, n := range confirmed {
			if int(seq) >= len(got) {
				t.Fatalf("record %d was confirmed, but the journal ends before %d", seq, len(got))
			}
			if err := same(got[seq], recordOf(n, n*331%3000)); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) > appended {
			t.Fatalf("%d records were appended, %d are there", appended, len(got))
		}
		report, err := Verify(t.Context(), dir)
		if err != nil || len(report.Problems) > 0 || report.Torn != nil {
			t.Fatalf("Verify: %+v, %v", report, err)
		}
	})
}
