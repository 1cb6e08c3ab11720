package known

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/leads-etl/leads-etl/schema"
)

// A lead that is shown without a time, or at another than was asked for, was
// created at some time of the answer's window all the same: the API goes by that.
// So each sighting narrows down when it can have been created, and each whole
// answer without it rules its window out. When nothing is left, it has vanished.

// maxUndated is beyond how many leads of the undated space none of them vanishes:
// each answer is held against all of them, and so many are none but an API whose
// times nobody can read any more.
const maxUndated = 20_000

// spans are stretches of time, [from, to) in Unix seconds, in order and apart.
type spans [][2]int64

const spanLen = 16

func (s spans) append(dst []byte) []byte {
	for _, span := range s {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(span[0]))
		dst = binary.LittleEndian.AppendUint64(dst, uint64(span[1]))
	}
	return dst
}

func readSpans(value []byte) spans {
	s := make(spans, 0, len(value)/spanLen)
	for ; len(value) >= spanLen; value = value[spanLen:] {
		s = append(s, [2]int64{int64(binary.LittleEndian.Uint64(value)), int64(binary.LittleEndian.Uint64(value[8:]))})
	}
	return s
}

// within returns what of the spans lies in [from, to).
func (s spans) within(from, to int64) spans {
	var in spans
	for _, span := range s {
		if a, b := max(span[0], from), min(span[1], to); a < b {
			in = append(in, [2]int64{a, b})
		}
	}
	return in
}

// without returns what of the spans does not lie in [from, to).
func (s spans) without(from, to int64) spans {
	var out spans
	for _, span := range s {
		if a := min(span[1], from); span[0] < a {
			out = append(out, [2]int64{span[0], a})
		}
		if b := max(span[0], to); b < span[1] {
			out = append(out, [2]int64{b, span[1]})
		}
	}
	return out
}

// sighted notes where a lead of the undated space was shown. An answer may show
// the second on either side of its window (flatten has the reason).
func (d *deriver) sighted(known, now *lead) {
	from, to := d.from-1, d.to+1
	now.open = nil
	if known != nil && known.space == undated && !known.vanished {
		now.open = known.open.within(from, to)
	}
	if len(now.open) == 0 { // it is back, or the API contradicts itself
		now.open = spans{{from, to}}
	}
	now.seen = d.seq
	if d.shown == nil {
		d.shown = make(map[leadName]struct{})
	}
	d.shown[leadName{now.group, now.id}] = struct{}{}
}

// leadName is what tells a lead of the undated space from all others.
type leadName struct {
	group group
	id    [16]byte
}

// missing works out what it says of the leads of the undated space that the
// answer, whose rows have all been told, does not show. It sets progress if it
// rules out anything.
func (d *deriver) missing(ctx context.Context) error {
	if !d.stream || !d.whole {
		return nil
	}
	leads, err := d.scan([]byte{byte(undated)}, []byte{byte(undated) + 1})
	if err != nil {
		return err
	}
	for ok := leads.First(); ok && err == nil; ok = leads.Next() {
		if err = ctx.Err(); err == nil {
			err = d.ruleOut(leads)
		}
	}
	if closeErr := leads.Close(); err == nil {
		err = closeErr
	}
	return err
}

// ruleOut takes the answer's window from where the lead can be at which the
// iterator is.
func (d *deriver) ruleOut(leads *pebble.Iterator) error {
	g := groupAt(leads.Key())
	if !d.must(&g) {
		return nil
	}
	value, err := leads.ValueAndErr()
	if err != nil {
		return err
	}
	var known lead
	if err := known.read(leads.Key(), value); err != nil || known.vanished || d.isShown(&known) {
		return err
	}
	now := known
	now.open = known.open.without(d.from, d.to)
	if slices.Equal(now.open, known.open) {
		return nil
	}
	d.progress = true
	if len(now.open) > 0 {
		return d.take(&known, &now, nil)
	}
	now.vanished = true
	now.version++
	return d.take(&known, &now, &change{class: classVanished, typ: schema.Vanished})
}

// isShown reports whether the answer shows the lead: by what this deriver told, or
// what was told of the page before a crash.
func (d *deriver) isShown(l *lead) bool {
	_, shown := d.shown[leadName{l.group, l.id}]
	return shown || d.landed && l.seen == d.seq
}
