package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"golang.org/x/sync/errgroup"
)

// heldFiles is the file system, but for syncs of segments: while it is held,
// each waits to be let go.
type heldFiles struct {
	osFiles
	held  atomic.Bool
	letGo chan struct{}
	syncs atomic.Int64
}

func (h *heldFiles) create(path string) (segmentFile, error) {
	f, err := h.osFiles.create(path)
	return &heldFile{f, h}, err
}

func (h *heldFiles) open(path string) (segmentFile, error) {
	f, err := h.osFiles.open(path)
	return &heldFile{f, h}, err
}

type heldFile struct {
	segmentFile
	files *heldFiles
}

func (f *heldFile) Sync() error {
	if f.files.held.Load() {
		f.files.syncs.Add(1)
		<-f.files.letGo
	}
	return f.segmentFile.Sync()
}

func TestWaitingAppendsShareOneSync(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		files := &heldFiles{letGo: make(chan struct{})}
		j := open(t, dir, Options{files: files})
		defer j.Close()
		defer files.held.Store(false)
		files.held.Store(true)

		var g errgroup.Group
		numbers := sync.Map{}
		add := func(n int) {
			g.Go(func() error {
				seq, err := j.Append(background, recordOf(n, 1000))
				if _, twice := numbers.LoadOrStore(seq, n); twice {
					return fmt.Errorf("number %d was given twice", seq)
				}
				return err
			})
		}
		add(0)
		synctest.Wait() // the first is in its sync
		const waiting = 100
		for n := range waiting {
			add(n + 1)
		}
		synctest.Wait() // all others wait for the writer
		if got := j.End(); got != 0 {
			t.Errorf("%d records are visible before their sync", got)
		}
		files.letGo <- struct{}{} // the first
		files.letGo <- struct{}{} // all others
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		if got := files.syncs.Load(); got != 2 {
			t.Errorf("%d syncs for 1 and %d appends, want 2", got, waiting)
		}
		files.held.Store(false)
		got, err := contents(j)
		if err != nil || len(got) != waiting+1 {
			t.Fatalf("%d records, %v", len(got), err)
		}
		for _, r := range got {
			n, _ := numbers.Load(r.Seq)
			if err := same(r, recordOf(n.(int), 1000)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAppendWhoseContextEnds(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		files := &heldFiles{letGo: make(chan struct{})}
		j := open(t, dir, Options{files: files})
		defer j.Close()
		defer files.held.Store(false)
		files.held.Store(true)

		ctx, cancel := context.WithCancel(background)
		taken, waiting := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := j.Append(ctx, recordOf(1, 10))
			taken <- err
		}()
		synctest.Wait()
		go func() {
			_, err := j.Append(ctx, recordOf(2, 10))
			waiting <- err
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		select {
		case err := <-taken:
			t.Errorf("the append that was being written did not wait: %v", err)
		default:
		}
		if err := <-waiting; !errors.Is(err, context.Canceled) {
			t.Errorf("the append that waited: %v", err)
		}
		if _, err := j.Append(ctx, recordOf(3, 10)); !errors.Is(err, context.Canceled) {
			t.Errorf("an append with an ended context: %v", err)
		}
		files.letGo <- struct{}{}
		if err := <-taken; err != nil {
			t.Errorf("the append that was being written: %v", err)
		}
		files.held.Store(false)
		holds(t, j, []Record{recordOf(1, 10)})
	})
}

func TestCloseWaitsForWhatIsBeingWritten(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		files := &heldFiles{letGo: make(chan struct{})}
		j := open(t, dir, Options{files: files})
		files.held.Store(true)
		taken, waiting, closed := make(chan error, 1), make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := j.Append(background, recordOf(1, 10))
			taken <- err
		}()
		synctest.Wait()
		go func() {
			_, err := j.Append(background, recordOf(2, 10))
			waiting <- err
		}()
		synctest.Wait()
		go func() { closed <- j.Close() }()
		synctest.Wait()
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("the append that waited: %v", err)
		}
		files.held.Store(false)
		files.letGo <- struct{}{}
		if err := errors.Join(<-taken, <-closed); err != nil {
			t.Errorf("the append that was being written, or Close: %v", err)
		}
	})
	holds(t, open(t, dir, Options{}), []Record{recordOf(1, 10)})
}

func TestManyWritersAndReaders(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentBytes: 32 << 10})
	const writers, each = 8, 60
	var g, readers errgroup.Group
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() error {
			for {
				select {
				case <-done:
					return nil
				default:
				}
				end, pages := j.End(), j.Pages()
				n := Seq(0)
				for r, err := range j.Records(background, 0) {
					if err != nil {
						return err
					}
					if r.Seq != n {
						return fmt.Errorf("record %d came where %d was due", r.Seq, n)
					}
					n++
				}
				if n < end {
					return fmt.Errorf("%d records came, there were %d", n, end)
				}
				if len(pages) > 0 {
					if _, err := j.Page(pages[len(pages)-1].Seq); err != nil {
						return err
					}
				}
				r, err := OpenReadOnly(dir, nil)
				if err != nil {
					return err
				}
				if r.End() < end {
					return fmt.Errorf("opened for reading: ends at %d, was confirmed to %d", r.End(), end)
				}
				r.Close()
			}
		})
	}
	confirmed := make([]Record, writers*each)
	for writer := range writers {
		g.Go(func() error {
			last := Seq(0)
			for i := range each {
				r := recordOf(i*writers+writer, 700)
				seq, err := j.Append(background, r)
				if err != nil {
					return err
				}
				if i > 0 && seq <= last {
					return fmt.Errorf("record %d follows %d of the same goroutine", seq, last)
				}
				if seq >= j.End() {
					return fmt.Errorf("record %d is confirmed but not visible", seq)
				}
				last, confirmed[seq] = seq, r
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	close(done)
	if err := readers.Wait(); err != nil {
		t.Error(err)
	}
	holds(t, j, confirmed)
	j.Close()
	holds(t, open(t, dir, Options{}), confirmed)
}
