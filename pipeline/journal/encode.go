package journal

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
)

// encoded is a record ready to be written, but for its number.
type encoded struct {
	head frameHeader
	meta []byte
	body []byte
	// rec is what a reader will get, without a page's body: it shares no memory
	// with the record that was handed in.
	rec Record
}

func (e encoded) size() int64 { return e.head.size() }

// encode checks a record and makes its frame. The body is not copied.
func encode(r Record) (encoded, error) {
	var e encoded
	var value any
	set := 0
	if r.Page != nil {
		e.head.kind, value, set = kindPage, r.Page, set+1
		e.body = r.Page.Body
	}
	if r.Begin != nil {
		e.head.kind, value, set = kindBegin, r.Begin, set+1
	}
	if r.Gap != nil {
		e.head.kind, value, set = kindGap, r.Gap, set+1
	}
	if r.End != nil {
		e.head.kind, value, set = kindEnd, r.End, set+1
	}
	if r.Poll != nil {
		e.head.kind, value, set = kindPoll, r.Poll, set+1
	}
	if r.Lost != nil {
		if r.Begin != nil && r.Begin == r.Lost.Begin {
			set-- // it stands in for this one
		}
		e.head.kind, value, set = kindLost, r.Lost, set+1
	}
	if set != 1 {
		return encoded{}, fmt.Errorf("a journal record holds exactly one of page, begin, gap, end, poll and lost; this one holds %d", set)
	}
	var err error
	if e.meta, err = json.Marshal(value); err != nil {
		return encoded{}, fmt.Errorf("encode a journal record (%s): %w", e.head.kind, err)
	}
	if len(e.meta) > maxMeta || len(e.body) > maxBody {
		return encoded{}, fmt.Errorf("a journal record of %d bytes of metadata and %d of body is larger than the journal takes (%d, %d)", len(e.meta), len(e.body), maxMeta, maxBody)
	}
	// Decoding what was encoded makes sure that it can be read back, and that
	// what is known while writing is what is known after opening again.
	if e.rec, err = decode(e.head.kind, 0, e.meta); err != nil {
		return encoded{}, err
	}
	return e.sealed(), nil
}

// sealed sets the lengths and checksums of metadata and body.
func (e encoded) sealed() encoded {
	e.head.meta, e.head.body = len(e.meta), len(e.body)
	e.head.metaSum = crc32.Checksum(e.meta, castagnoli)
	e.head.bodySum = crc32.Checksum(e.body, castagnoli)
	return e
}

// decode makes a record of a frame's metadata; a page has no body yet.
func decode(k kind, seq Seq, meta []byte) (Record, error) {
	r := Record{Seq: seq}
	var value any
	switch k {
	case kindPage:
		r.Page = new(Page)
		value = r.Page
	case kindBegin:
		r.Begin = new(Begin)
		value = r.Begin
	case kindGap:
		r.Gap = new(Gap)
		value = r.Gap
	case kindEnd:
		r.End = new(End)
		value = r.End
	case kindPoll:
		r.Poll = new(Poll)
		value = r.Poll
	case kindLost:
		r.Lost = new(Lost)
		value = r.Lost
	default:
		return Record{}, fmt.Errorf("decode a journal record: unknown kind %d", k)
	}
	if err := json.Unmarshal(meta, value); err != nil {
		return Record{}, fmt.Errorf("decode a journal record (%s): %w", k, err)
	}
	if r.Lost != nil {
		r.Begin = r.Lost.Begin
	}
	return r, nil
}
