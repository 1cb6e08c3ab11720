package journal

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
)

// readAhead is how much is read for a header: most records' metadata come with
// it, and small records many at a time.
const readAhead = 4 << 10

// bodyChunk is how much of a body is verified at a time.
const bodyChunk = 64 << 10

// searchChunk is how much is read at a time where frames are looked for.
const searchChunk = 256 << 10

// segmentReader reads the frames of one segment. It is used by one goroutine.
// Its methods return a *damage if the bytes are not what they should be, and
// any other error if they could not be read.
type segmentReader struct {
	r io.ReaderAt
	// size is where the segment ends for this reader, whatever is behind.
	size int64
	seed uint32

	// buf holds what is in the file from offset at on.
	buf []byte
	at  int64
	// copied is room to read bodies through that nobody keeps.
	copied []byte
}

func newSegmentReader(r io.ReaderAt, size int64, h segmentHeader) *segmentReader {
	_, seed := h.encode()
	return &segmentReader{r: r, size: size, seed: seed}
}

// frame is a frame whose header and metadata match their checksums; its body
// has not been looked at.
type frame struct {
	frameHeader
	off      int64
	metadata []byte // valid until the reader is used again
}

func (f frame) end() int64     { return f.off + f.size() }
func (f frame) bodyAt() int64  { return f.off + frameHeaderSize + int64(f.meta) }
func (f frame) isRecord() bool { return f.kind != kindMark }

// view returns n bytes from off on, valid until the reader is used again.
func (s *segmentReader) view(off int64, n int) ([]byte, error) {
	if off+int64(n) > s.size {
		return nil, torn("the file ends within a record")
	}
	if from := off - s.at; from >= 0 && from+int64(n) <= int64(len(s.buf)) {
		return s.buf[from : from+int64(n)], nil
	}
	want := int(min(max(int64(n), readAhead), s.size-off))
	if cap(s.buf) < want {
		s.buf = make([]byte, want)
	}
	s.buf, s.at = s.buf[:want], off
	got, err := s.r.ReadAt(s.buf, off)
	s.buf = s.buf[:got]
	switch {
	case got >= n:
		return s.buf[:n], nil
	case errors.Is(err, io.EOF):
		return nil, torn("the file ends within a record")
	default:
		return nil, err
	}
}

// checkHeader compares the segment's header with the one it should have.
func (s *segmentReader) checkHeader(h segmentHeader) error {
	b, err := s.view(0, segmentHeaderSize)
	if err != nil {
		return err
	}
	return h.check(b)
}

// frame reads the frame at off, without its body.
func (s *segmentReader) frame(off int64) (frame, error) {
	b, err := s.view(off, frameHeaderSize)
	if err != nil {
		return frame{}, err
	}
	h, ok := parseFrameHeader(b, s.seed, off)
	if !ok {
		return frame{}, torn("no record begins there")
	}
	f := frame{frameHeader: h, off: off}
	if f.end() > s.size {
		return f, torn("the file ends within a record")
	}
	if f.metadata, err = s.view(off+frameHeaderSize, h.meta); err != nil {
		return f, err
	}
	if crc32.Checksum(f.metadata, castagnoli) != h.metaSum {
		return f, torn("a record's metadata does not match its checksum")
	}
	return f, nil
}

// checkBody reads a frame's body and compares it with its checksum.
func (s *segmentReader) checkBody(f frame) error {
	sum := crc32.New(castagnoli)
	if s.copied == nil {
		s.copied = make([]byte, bodyChunk)
	}
	n, err := io.CopyBuffer(sum, io.NewSectionReader(s.r, f.bodyAt(), int64(f.body)), s.copied)
	switch {
	case err != nil:
		return err
	case n != int64(f.body):
		return torn("the file ends within a record")
	case sum.Sum32() != f.bodySum:
		return torn("a record's body does not match its checksum")
	}
	return nil
}

// body reads a frame's body into b, which has its length, and compares it with
// its checksum.
func (s *segmentReader) body(f frame, b []byte) error {
	if n, err := s.r.ReadAt(b, f.bodyAt()); n < len(b) {
		if errors.Is(err, io.EOF) {
			return torn("the file ends within a record")
		}
		return err
	}
	if crc32.Checksum(b, castagnoli) != f.bodySum {
		return torn("a record's body does not match its checksum")
	}
	return nil
}

// search calls yield for every valid frame header at or after an offset, be it
// aligned with frames before or not, until yield returns false.
func (s *segmentReader) search(from int64, yield func(off int64, h frameHeader) bool) error {
	buf := make([]byte, min(searchChunk, max(0, s.size-from)))
	for from+frameHeaderSize <= s.size {
		b := buf[:min(int64(len(buf)), s.size-from)]
		if n, err := s.r.ReadAt(b, from); n < len(b) {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		for i := 0; ; i++ {
			next := bytes.Index(b[i:], []byte(frameMagic))
			if next < 0 {
				break
			}
			i += next
			if h, ok := parseFrameHeader(b[i:], s.seed, from+int64(i)); ok && !yield(from+int64(i), h) {
				return nil
			}
		}
		// Headers that this chunk cuts off begin the next.
		from += int64(len(b)) - (frameHeaderSize - 1)
	}
	return nil
}

// syncedBefore reports whether a frame after off proves that what stood at off
// had been synced.
func (s *segmentReader) syncedBefore(off int64) (bool, error) {
	proof := false
	err := s.search(off+1, func(_ int64, h frameHeader) bool {
		proof = h.committed > off
		return !proof
	})
	return proof, err
}

// entry is a record as it was found: its frame's header, and what it says.
type entry struct {
	frame
	rec Record
}

// scanned is what one pass over a segment found.
type scanned struct {
	entries []entry
	// next is the number that the record after the last one has.
	next Seq
	// end is where the last good frame ends; 0 if the header is not good.
	end int64
	// committed is the newest offset that a frame says was synced.
	committed int64
	// marked is set if a mark is the last frame.
	marked bool
	// damage is what stands at end; nil if the file ends there.
	damage *damage
}

// scan reads headers and metadata of a segment up to its end or to the first
// damage.
func (s *segmentReader) scan(h segmentHeader) (scanned, error) {
	found := scanned{next: h.base}
	if err := s.checkHeader(h); err != nil {
		return found, found.note(err)
	}
	found.end = segmentHeaderSize
	for found.end < s.size {
		e, err := s.entry(found.end, found.next)
		if err != nil {
			return found, found.note(err)
		}
		if e.isRecord() {
			found.entries = append(found.entries, e)
			found.next++
		}
		found.marked = !e.isRecord()
		found.committed = max(found.committed, e.committed)
		found.end = e.end()
	}
	return found, nil
}

// entry reads the frame at off, which is due to have that number, and decodes
// its metadata.
func (s *segmentReader) entry(off int64, due Seq) (entry, error) {
	f, err := s.frame(off)
	if err != nil {
		return entry{frame: f}, err
	}
	if f.seq != due {
		return entry{frame: f}, wrong("record %d stands where record %d is due", f.seq, due)
	}
	if !f.isRecord() {
		return entry{frame: f}, nil
	}
	rec, err := decode(f.kind, f.seq, f.metadata)
	if err != nil {
		return entry{frame: f}, wrong("%v", err)
	}
	f.metadata = nil
	return entry{frame: f, rec: rec}, nil
}

// note keeps damage, and returns every other error.
func (f *scanned) note(err error) error {
	if d, ok := errors.AsType[*damage](err); ok {
		f.damage = d
		return nil
	}
	return err
}

// checkTail verifies the bodies that no later frame says were synced, and ends
// what was found before the first that is not good.
func (s *segmentReader) checkTail(found *scanned) error {
	for i, e := range found.entries {
		if e.off < found.committed {
			continue
		}
		err := s.checkBody(e.frame)
		if err == nil {
			continue
		}
		if err := found.note(err); err != nil {
			return err
		}
		found.entries, found.next, found.end, found.marked = found.entries[:i], e.seq, e.off, false
		return nil
	}
	return nil
}
