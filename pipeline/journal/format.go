package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// The layout is described in FORMAT.md.
const (
	// formatVersion is the format of journals and segments that are begun.
	formatVersion = 1
	// newestVersion is that of journals that stand on a base, or may hold lost
	// records: segments are as before, and the identity says 2, so that who can read
	// neither refuses it.
	newestVersion = 2

	segmentMagic      = "LEADJRNL"
	segmentHeaderSize = 40
	segmentSuffix     = ".journal"

	frameMagic      = "\xf5LR\xe1"
	frameHeaderSize = 44

	// Limits of what Append takes. They keep lengths far from overflow; real
	// pages are a thousandth of it.
	maxMeta = 16 << 20
	maxBody = 1 << 30
)

// kind is what a frame holds.
type kind uint8

const (
	kindPage kind = iota + 1
	kindBegin
	kindGap
	kindEnd
	kindMark
	kindPoll
	kindLost
)

func (k kind) String() string {
	switch k {
	case kindPage:
		return "a page"
	case kindBegin:
		return "a batch's begin"
	case kindGap:
		return "a gap"
	case kindEnd:
		return "a batch's end"
	case kindMark:
		return "a mark"
	case kindPoll:
		return "a poll"
	case kindLost:
		return "a lost record"
	default:
		return fmt.Sprintf("of unknown kind %d", uint8(k))
	}
}

// word is the kind as files name it.
func (k kind) word() string {
	switch k {
	case kindPage:
		return "page"
	case kindBegin:
		return "begin"
	case kindGap:
		return "gap"
	case kindEnd:
		return "end"
	case kindPoll:
		return "poll"
	case kindLost:
		return "lost"
	default:
		return ""
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segmentHeader is the beginning of a segment file.
type segmentHeader struct {
	base    Seq
	journal uuid.UUID
}

// encode returns the header's bytes and their checksum, which is what the
// checksums of the segment's frame headers begin with.
func (h segmentHeader) encode() (b [segmentHeaderSize]byte, seed uint32) {
	copy(b[:8], segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint64(b[12:], uint64(h.base))
	copy(b[20:36], h.journal[:])
	seed = crc32.Checksum(b[:36], castagnoli)
	binary.LittleEndian.PutUint32(b[36:], seed)
	return b, seed
}

// check compares the bytes at the beginning of a segment with the header that
// they should be. It returns a *damage if they are not, and a *VersionError if
// they are of a format to come.
func (h segmentHeader) check(b []byte) error {
	want, _ := h.encode()
	if bytes.Equal(b, want[:]) {
		return nil
	}
	if len(b) < segmentHeaderSize || string(b[:8]) != segmentMagic ||
		binary.LittleEndian.Uint32(b[36:]) != crc32.Checksum(b[:36], castagnoli) {
		return torn("the segment's header is incomplete or overwritten")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v > formatVersion {
		return &VersionError{Path: segmentName(h.base), Have: int(v), Supported: formatVersion}
	} else if v != formatVersion {
		return wrong("the segment's header says format %d, the journal's identity %d", v, formatVersion)
	}
	if base := Seq(binary.LittleEndian.Uint64(b[12:])); base != h.base {
		return wrong("the segment's header says that it begins with record %d, its name says %d", base, h.base)
	}
	return wrong("the segment belongs to journal %s, not to %s", uuid.UUID(b[20:36]), h.journal)
}

// segmentName is the file name of the segment that begins with a record.
func segmentName(base Seq) string { return fmt.Sprintf("%020d%s", base, segmentSuffix) }

// parseSegmentName is the inverse of segmentName.
func parseSegmentName(name string) (Seq, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || segmentName(Seq(n)) != name {
		return 0, false
	}
	return Seq(n), true
}

// frameHeader is what precedes a record's metadata and body.
type frameHeader struct {
	kind      kind
	seq       Seq
	committed int64
	meta      int
	body      int
	metaSum   uint32
	bodySum   uint32
}

// size is how many bytes the whole frame takes.
func (h frameHeader) size() int64 { return frameHeaderSize + int64(h.meta) + int64(h.body) }

func (h frameHeader) append(dst []byte, seed uint32) []byte {
	at := len(dst)
	dst = append(dst, frameMagic...)
	dst = append(dst, byte(h.kind), 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.seq))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.committed))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.meta))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.body))
	dst = binary.LittleEndian.AppendUint32(dst, h.metaSum)
	dst = binary.LittleEndian.AppendUint32(dst, h.bodySum)
	return binary.LittleEndian.AppendUint32(dst, crc32.Update(seed, castagnoli, dst[at:]))
}

// parseFrameHeader reports whether b begins with the header of a frame that
// was written to the segment of that seed, at offset at.
func parseFrameHeader(b []byte, seed uint32, at int64) (frameHeader, bool) {
	if len(b) < frameHeaderSize || string(b[:4]) != frameMagic ||
		binary.LittleEndian.Uint32(b[40:]) != crc32.Update(seed, castagnoli, b[:40]) {
		return frameHeader{}, false
	}
	meta, body := binary.LittleEndian.Uint32(b[24:]), binary.LittleEndian.Uint32(b[28:])
	h := frameHeader{
		kind:      kind(b[4]),
		seq:       Seq(binary.LittleEndian.Uint64(b[8:])),
		committed: int64(binary.LittleEndian.Uint64(b[16:])),
		meta:      int(meta),
		body:      int(body),
		metaSum:   binary.LittleEndian.Uint32(b[32:]),
		bodySum:   binary.LittleEndian.Uint32(b[36:]),
	}
	// A frame is written after what it says is committed, and within the limits.
	// One that says otherwise stood elsewhere, and proves nothing here.
	ok := h.committed >= segmentHeaderSize && h.committed <= at && meta <= maxMeta && body <= maxBody
	return h, ok
}
