package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Report is what Verify found.
type Report struct {
	Segments int
	// Records and Pages are counted if they are good; Bytes is the size of all
	// segments.
	Records int
	Pages   int
	Bytes   int64
	// Torn is an incomplete end: what a live writer is about to complete, or what
	// the next Open will cut off. It is no damage.
	Torn *TornTail
	// Problems are all stretches that had been synced and are not what was
	// written, in the order of the journal.
	Problems []*CorruptionError
	// Base are the files of the base that are not what was written, BaseBytes the
	// size of all of them. A journal that was never pruned has none.
	Base      []*BaseError
	BaseBytes int64
}

// Verify reads the whole journal of the state folder dir, bodies included, and
// compares everything with its checksums and with what should be where. It goes
// on behind damage, so that the report names all of it. It takes no lock and
// changes nothing: a writer may be at work, and what it appends meanwhile may or
// may not be read. Memory does not grow with the journal.
//
// An error means that it could not be read to its end; the report is then of
// what was read. Damage is no error.
func Verify(ctx context.Context, dir string) (Report, error) {
	for {
		id, err := readIdentity(dir)
		if err != nil {
			return Report{}, err
		}
		report, err := verify(ctx, dir, id)
		if now, again := readIdentity(dir); again != nil || now.equal(id) {
			return report, err
		}
		// It was pruned meanwhile: what is missing, is missing on purpose.
	}
}

func verify(ctx context.Context, dir string, id identity) (Report, error) {
	folder := filepath.Join(dir, journalFolder)
	bases, err := segmentsOf(folder, id)
	if err != nil {
		return Report{}, err
	}
	if len(bases) == 0 {
		return Report{}, &StateError{Dir: dir, Problem: folder + " holds no segment"}
	}
	v := verifier{due: dueFirst(id, bases[0])}
	if v.report.BaseBytes, v.report.Base, err = verifyBase(ctx, folder, id); err != nil {
		return v.report, fmt.Errorf("verify the journal's base: %w", err)
	}
	for i, base := range bases {
		v.path = filepath.Join(folder, segmentName(base))
		if base != v.due && !v.lost {
			v.problem(0, misplaced(base, v.due))
		}
		v.due, v.lost = base, false
		if err := v.segment(ctx, segmentHeader{base, id.Journal}, i == len(bases)-1); err != nil {
			return v.report, fmt.Errorf("verify the journal: %s: %w", v.path, err)
		}
	}
	return v.report, nil
}

// verifier goes through the segments.
type verifier struct {
	report Report
	path   string
	// due is the record that should come next; lost is set if the end of a
	// segment could not be read, so that due is not known to be so.
	due  Seq
	lost bool
}

func (v *verifier) problem(off int64, reason string) {
	v.report.Problems = append(v.report.Problems, &CorruptionError{Segment: v.path, Offset: off, Seq: v.due, Reason: reason})
}

// segment verifies one segment.
func (v *verifier) segment(ctx context.Context, h segmentHeader, last bool) error {
	f, size, err := openSegment(v.path)
	if err != nil {
		return err
	}
	defer f.Close()
	v.report.Segments++
	v.report.Bytes += size
	s := newSegmentReader(f, size, h)

	off := int64(segmentHeaderSize)
	if err := s.checkHeader(h); err != nil {
		if off, err = v.damaged(s, 0, frame{}, err, last); err != nil {
			return err
		}
	}
	for off < size {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := s.entry(off, v.due)
		if err == nil {
			err = s.checkBody(e.frame)
		}
		if err != nil {
			if off, err = v.damaged(s, off, e.frame, err, last); err != nil {
				return err
			}
			continue
		}
		v.count(e)
		off = e.end()
	}
	return nil
}

func (v *verifier) count(e entry) {
	if !e.isRecord() {
		return
	}
	v.due++
	v.report.Records++
	if e.kind == kindPage {
		v.report.Pages++
	}
}

// damaged reports what is wrong at off, where f was read as far as possible,
// and returns where to go on. An error that is no damage is returned.
func (v *verifier) damaged(s *segmentReader, off int64, f frame, err error, last bool) (int64, error) {
	d, ok := errors.AsType[*damage](err)
	if !ok {
		return 0, err
	}
	isTorn, err := s.isTorn(off, d, last)
	if err != nil {
		return 0, err
	}
	if isTorn {
		v.report.Torn = &TornTail{Segment: v.path, Offset: off, Bytes: s.size - off, Reason: d.reason}
		return s.size, nil
	}
	from := off + 1
	if f.kind != 0 && f.seq != v.due {
		from = off // the frame may be good but for its number
	}
	next, seq, found := s.size, v.due, false
	err = s.search(from, func(at int64, h frameHeader) bool {
		next, seq, found = at, h.seq, true
		return false
	})
	if err != nil {
		return 0, err
	}
	switch {
	case found:
	case f.kind != 0 && f.end() == s.size:
		v.problem(off, d.reason) // the segment's last
		v.due = f.seq + 1
		return next, nil
	default:
		v.problem(off, d.reason+"; nothing after it in this segment can be read")
		v.lost = true
		return next, nil
	}
	v.problem(off, fmt.Sprintf("%s; the next record that can be read is %d", d.reason, seq))
	v.due = seq
	return next, nil
}
