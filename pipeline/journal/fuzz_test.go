package journal

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/uuid"
)

// fuzzHeader is the header of the segments that are fuzzed.
var fuzzHeader = segmentHeader{base: 3, journal: uuid.MustParse("7f8c1f0e-3c52-4a7c-9b0e-6c9a6cf7a001")}

// segmentOf returns a segment of groups of records.
func segmentOf(t tester, groups ...[]Record) []byte {
	t.Helper()
	header, seed := fuzzHeader.encode()
	b := header[:]
	seq := fuzzHeader.base
	for _, group := range groups {
		committed := int64(len(b))
		for _, r := range group {
			e, err := encode(r)
			if err != nil {
				t.Fatal(err)
			}
			e.head.seq, e.head.committed = seq, committed
			b = append(append(e.head.append(b, seed), e.meta...), e.body...)
			seq++
		}
	}
	return frameHeader{kind: kindMark, seq: seq, committed: int64(len(b))}.append(b, seed)
}

// Whatever the bytes of a segment: reading ends, without panic and without
// taking more memory than the file has bytes; what is found is good; and if the
// rest passes for a torn end, the segment without it is good and holds the same.
func FuzzSegment(f *testing.F) {
	good := segmentOf(f, []Record{recordOf(0, 0), recordOf(1, 100)}, []Record{recordOf(2, 5000), recordOf(3, 0), recordOf(6, 0)})
	f.Add(good, 0, byte(0))
	f.Add(good, 100, byte(1))
	f.Add(good, 41, byte(8))
	f.Add(good[:len(good)-1], len(good)-10, byte(0))
	f.Add(good[:700], 0, byte(0))
	f.Add(append(good[:700:700], make([]byte, 600)...), 0, byte(0))
	f.Add([]byte{}, 0, byte(0))
	f.Add(bytes.Repeat([]byte(frameMagic), 100), 0, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at int, flip byte) {
		b = bytes.Clone(b)
		if at >= 0 && at < len(b) {
			b[at] ^= flip
		}
		s := newSegmentReader(bytes.NewReader(b), int64(len(b)), fuzzHeader)
		found, err := s.scan(fuzzHeader)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.checkTail(&found); err != nil {
			t.Fatal(err)
		}
		if found.end > int64(len(b)) || found.damage == nil && found.end != int64(len(b)) {
			t.Fatalf("found to %d of %d bytes, damage %v", found.end, len(b), found.damage)
		}
		if found.next != fuzzHeader.base+Seq(len(found.entries)) {
			t.Fatalf("%d records, next is %d", len(found.entries), found.next)
		}
		for _, e := range found.entries {
			if e.off < found.committed {
				continue // its body was not looked at
			}
			if err := s.body(e.frame, make([]byte, e.body)); err != nil {
				t.Fatalf("record %d: %v", e.seq, err)
			}
		}
		if found.damage == nil {
			return
		}
		isTorn, err := s.isTorn(found.end, found.damage, true)
		if err != nil {
			t.Fatal(err)
		}
		if !isTorn || found.end == 0 {
			return
		}
		again, err := newSegmentReader(bytes.NewReader(b[:found.end]), found.end, fuzzHeader).scan(fuzzHeader)
		if err != nil || again.damage != nil || again.next != found.next || again.end != found.end {
			t.Fatalf("after the cut: %+v, %v", again, err)
		}
	})
}

// An identity is refused with an error, or is one that can be written and read
// again.
func FuzzIdentity(f *testing.F) {
	id := identity{Format: formatVersion, Journal: fuzzHeader.journal, First: 7, Identity: seller}
	good, err := id.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte(`{"format":1,"journal":"00000000-0000-0000-0000-000000000000"}`))
	f.Add([]byte(`{"format":1e3}`))
	f.Add([]byte(`{"format":1,"FORMAT":9,"journal":"7f8c1f0e3c524a7c9b0e6c9a6cf7a001"}`))
	f.Add([]byte("\ufeff{}"))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseIdentity(b)
		if err != nil {
			if v, ok := errors.AsType[*VersionError](err); ok && v.Have <= v.Supported {
				t.Fatalf("format %d is refused as newer than %d", v.Have, v.Supported)
			}
			return
		}
		if id.Format != formatVersion || id.Journal == uuid.Nil {
			t.Fatalf("taken: %+v", id)
		}
		written, err := id.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseIdentity(written)
		if err != nil || !again.equal(id) {
			t.Fatalf("read again: %+v, %v; was %+v", again, err, id)
		}
	})
}
