package journal

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"runtime"
	"time"
)

const (
	// A group ends when it holds that much, so that the first of it does not
	// wait for ever, and what a crash can leave to verify is bounded.
	maxGroupBytes   = 8 << 20
	maxGroupRecords = 4096

	writeBuffer = 256 << 10
)

// request is an Append that waits.
type request struct {
	encoded
	done chan outcome // has room for one, so that answering never blocks
}

type outcome struct {
	seq Seq
	err error
}

// writer is the one goroutine that writes to the journal. Its fields belong to
// that goroutine, but for the channels.
type writer struct {
	files  files
	folder string
	id     identity
	index  *index
	// segmentBytes is the size from which a new segment is begun.
	segmentBytes int64
	// segmentAge is the age from which one is begun; 0 for none.
	segmentAge time.Duration

	queue chan *request // unbuffered: what was sent is being written
	stop  chan struct{}
	done  chan struct{}

	file segmentFile
	path string
	base Seq
	next Seq
	// synced is where the segment ends; everything before it is synced.
	synced int64
	// begun is the time of the segment's first record; zero if it has none.
	begun time.Time
	// marked is set if nothing was appended since the last mark.
	marked bool
	buffer *bufio.Writer
	// failed is set by the first failure and never cleared: what a failed write
	// or sync left on the disk is not known, and syncing again may report success
	// for bytes that the system has dropped.
	failed error
}

// newWriter returns a writer that goes on behind what was loaded. The file is
// the writer's.
func newWriter(files files, j *Journal, t tail, file segmentFile, end int64, o Options) *writer {
	w := &writer{
		files: files, folder: j.folder, id: j.id, index: j.index, segmentBytes: o.SegmentBytes, segmentAge: o.SegmentAge,
		queue: make(chan *request), stop: make(chan struct{}), done: make(chan struct{}),
		file: file, path: filepath.Join(j.folder, segmentName(t.base)), base: t.base, next: t.next,
		synced: end, marked: t.marked || len(t.entries) == 0,
		buffer: bufio.NewWriterSize(io.Discard, writeBuffer),
	}
	if len(t.entries) > 0 {
		w.begun = t.entries[0].rec.time()
	}
	return w
}

// append hands a record to the writer and waits for its answer.
func (w *writer) append(ctx context.Context, e encoded) (Seq, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r := &request{encoded: e, done: make(chan outcome, 1)}
	select {
	case w.queue <- r:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-w.stop:
		return 0, ErrClosed
	}
	o := <-r.done
	return o.seq, o.err
}

// run serves the queue until stop is closed.
func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case <-w.stop:
			return
		case r := <-w.queue:
			w.serve(w.gather(r))
		}
	}
}

// gather takes what waits at this moment.
func (w *writer) gather(first *request) []*request {
	// Those who were answered a moment ago come back now: letting them run first
	// makes of eight writers' groups of one and seven nearly groups of eight.
	runtime.Gosched()
	group, size := []*request{first}, first.size()
	for size < min(maxGroupBytes, w.segmentBytes) && len(group) < maxGroupRecords {
		select {
		case r := <-w.queue:
			group, size = append(group, r), size+r.size()
		default:
			return group
		}
	}
	return group
}

// serve makes a group durable and answers it.
func (w *writer) serve(group []*request) {
	var entries []entry
	if w.failed == nil {
		entries, w.failed = w.commit(group)
	}
	if w.failed != nil {
		for _, r := range group {
			r.done <- outcome{err: w.failed}
		}
		return
	}
	w.index.publish(entries, w.synced)
	for i, r := range group {
		r.done <- outcome{seq: entries[i].seq}
	}
}

// commit writes a group and syncs it once.
func (w *writer) commit(group []*request) ([]entry, error) {
	var size int64
	for _, r := range group {
		size += r.size()
	}
	if w.next > w.base && (w.synced+size > w.segmentBytes || w.aged(group[0].rec.time())) {
		if err := w.roll(); err != nil {
			return nil, err
		}
	}
	entries := make([]entry, len(group))
	off := w.synced
	if w.next == w.base {
		w.begun = group[0].rec.time()
	}
	w.begin()
	for i, r := range group {
		head := r.head
		head.seq, head.committed = w.next+Seq(i), w.synced
		w.put(head, r.meta, r.body)
		rec := r.rec
		rec.Seq = head.seq
		entries[i] = entry{frame: frame{frameHeader: head, off: off}, rec: rec}
		off += head.size()
	}
	if err := w.flush(off); err != nil {
		return nil, err
	}
	w.next += Seq(len(group))
	w.marked = false
	return entries, nil
}

// aged reports whether a record of that time belongs into another segment.
func (w *writer) aged(now time.Time) bool {
	return w.segmentAge > 0 && now.Sub(w.begun) >= w.segmentAge
}

// begin, put and flush write frames behind what is synced. Errors of put are
// kept by the buffer and come out of flush.
func (w *writer) begin() {
	w.buffer.Reset(io.NewOffsetWriter(w.file, w.synced))
}

func (w *writer) put(head frameHeader, meta, body []byte) {
	_, seed := segmentHeader{base: w.base, journal: w.id.Journal}.encode()
	var b [frameHeaderSize]byte
	_, _ = w.buffer.Write(head.append(b[:0], seed))
	_, _ = w.buffer.Write(meta)
	_, _ = w.buffer.Write(body)
}

func (w *writer) flush(end int64) error {
	if err := w.buffer.Flush(); err != nil {
		return &WriteError{Op: "write", Path: w.path, Err: err}
	}
	if err := w.file.Sync(); err != nil {
		return &WriteError{Op: "sync", Path: w.path, Err: err}
	}
	w.synced = end
	return nil
}

// roll begins a new segment. The old one is synced, as always between groups.
func (w *writer) roll() error {
	path := filepath.Join(w.folder, segmentName(w.next))
	f, err := w.files.create(path)
	if err != nil {
		return &WriteError{Op: "create", Path: path, Err: err}
	}
	header, _ := segmentHeader{base: w.next, journal: w.id.Journal}.encode()
	if err := writeSynced(f, path, header[:]); err != nil {
		f.Close()
		return err
	}
	if err := w.files.syncDir(w.folder); err != nil {
		f.Close()
		return &WriteError{Op: "sync", Path: w.folder, Err: err}
	}
	old := w.path
	err = w.file.Close()
	w.file, w.path, w.base, w.synced, w.marked = f, path, w.next, segmentHeaderSize, true
	if err != nil {
		return &WriteError{Op: "close", Path: old, Err: err}
	}
	w.index.publishSegment(w.base)
	return nil
}

// close ends the goroutine, marks what was appended as synced, and closes the
// file. After a failure it only closes the file.
func (w *writer) close() error {
	close(w.stop)
	<-w.done
	var err error
	if w.failed == nil && !w.marked {
		w.begin()
		w.put(frameHeader{kind: kindMark, seq: w.next, committed: w.synced}, nil, nil)
		err = w.flush(w.synced + frameHeaderSize)
	}
	if closeErr := w.file.Close(); closeErr != nil && err == nil && w.failed == nil {
		err = &WriteError{Op: "close", Path: w.path, Err: closeErr}
	}
	return err
}
