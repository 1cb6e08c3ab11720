package journal

import (
	"context"
	"errors"
)

// salvager reads one segment past all damage.
type salvager struct {
	*Salvage
	segment *salvaged
	// limit is where the next segment begins: what says that it is of this number
	// or a later one does not belong here.
	limit Seq
	last  bool

	reader *segmentReader
	off    int64
}

func (r *salvager) read(ctx context.Context) error {
	f, size, err := openSegment(r.segment.path)
	if err != nil {
		return err
	}
	defer f.Close()
	r.Report.Segments++
	r.Report.Bytes += size
	h := segmentHeader{r.segment.base, r.id.Journal}
	r.reader = newSegmentReader(f, size, h)
	if err := r.reader.checkHeader(h); err != nil {
		if done, err := r.header(err); done || err != nil {
			return err
		}
	}
	r.off = min(segmentHeaderSize, size)
	for r.off < size {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := r.reader.entry(r.off, r.segment.next())
		bodyOnly := err == nil
		if err == nil {
			err = r.reader.checkBody(e.frame)
		}
		if err == nil {
			r.keep(e)
			continue
		}
		d, ok := errors.AsType[*damage](err)
		if !ok {
			return err
		}
		torn, err := r.reader.isTorn(r.off, d, r.last)
		if err != nil {
			return err
		}
		if torn {
			r.Report.Torn = &TornTail{Segment: r.segment.path, Offset: r.off, Bytes: size - r.off, Reason: d.reason}
			return nil
		}
		if err := r.damaged(e, d, bodyOnly); err != nil {
			return err
		}
	}
	return nil
}

// header takes in that the segment's header is not good. What it should be is
// known, so the frames are read all the same; done says that there are none.
func (r *salvager) header(err error) (done bool, _ error) {
	d, ok := errors.AsType[*damage](err)
	if !ok {
		return false, err
	}
	torn, err := r.reader.isTorn(0, d, r.last)
	if err != nil {
		return false, err
	}
	if torn {
		r.Report.Torn = &TornTail{Segment: r.segment.path, Bytes: r.reader.size, Reason: d.reason}
		return true, nil
	}
	r.problem(r.segment, 0, d.reason)
	return false, nil
}

// keep takes a frame that is good.
func (r *salvager) keep(e entry) {
	r.off = e.end()
	if !e.isRecord() {
		return
	}
	r.segment.pieces = append(r.segment.pieces, piece{frame: e.frame, rec: e.rec})
	r.Report.Records++
	if e.rec.Page != nil {
		r.Report.Pages++
	}
}

// damaged deals with what stands at the offset and is not the good frame that is
// due. bodyOnly says that it is but for its body.
func (r *salvager) damaged(e entry, d *damage, bodyOnly bool) error {
	due := r.segment.next()
	header := e.kind != 0
	if header && e.seq != due && e.seq > due && e.seq <= r.limit {
		// Its header is good, and says which records are missing before it.
		r.problem(r.segment, r.off, d.reason)
		r.fill(r.segment, e.seq, "nothing of it can be read")
		return nil
	}
	r.problem(r.segment, r.off, d.reason)
	if !header || e.seq != due || due >= r.limit {
		return r.search(r.off + 1)
	}
	if e.isRecord() {
		l := Lost{Reason: d.reason}
		if e.kind != kindLost {
			l.Kind = e.kind.word()
		}
		if bodyOnly && e.rec.Page != nil {
			l.Page = e.rec.Page
		}
		r.lose(r.segment, l)
	}
	// The header's lengths are right, but the file may not have all of it.
	if end := e.end(); end < r.reader.size {
		if _, err := r.reader.frame(end); err == nil {
			r.off = end
			return nil
		}
		return r.search(r.off + frameHeaderSize)
	}
	r.off = r.reader.size
	return nil
}

// search goes on with the next frame that belongs here, and gives up what is
// before it.
func (r *salvager) search(from int64) error {
	due := r.segment.next()
	next := r.reader.size
	err := r.reader.search(from, func(at int64, h frameHeader) bool {
		belongs := h.seq >= due && (h.seq < r.limit || h.kind == kindMark && h.seq == r.limit)
		if belongs {
			next = at
			r.fill(r.segment, h.seq, "nothing of it can be read")
		}
		return !belongs
	})
	r.off = next
	return err
}
