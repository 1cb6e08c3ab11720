package known

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// space is where a lead is kept, and the first byte of its key.
type space byte

const (
	// dated holds the leads that pages of their time show: where such a page
	// shows one no longer, it has vanished.
	dated space = 'l'
	// undated holds the leads that were ever shown without a time or at another
	// time than was asked for: which page has to show them is worked out from where
	// they were shown (whereabouts.go).
	undated space = 'u'
)

// LeadKinds are what begins the places of Past.Leads.
const LeadKinds = string(dated) + string(undated)

// The other kinds of keys, by their first byte.
const (
	metaKind   = 'a'
	deadKind   = 'd'
	eventKind  = 'e'
	streamKind = 's'
)

var (
	identityKey = []byte{metaKind, 'i'}
	positionKey = []byte{metaKind, 'p'}
)

// group is what leads have in common that only their buyer tells apart: a
// listing, a second, a text. Groups are ordered by their bytes, so by time first.
type group [24]byte

const (
	groupItem = 8  // where the digest of item_id begins
	groupText = 16 // where that of additional_information does
)

// noSecond stands in groups of leads without a time; it is after all times.
const noSecond = math.MaxInt64

func groupOf(r *schema.Row) group {
	var g group
	second := int64(noSecond)
	if r.SubmittedTime.Valid {
		second = r.SubmittedTime.Value.Unix()
	}
	putSecond(g[:], second)
	item, text := digest8(r.ItemID.Or("")), digest8(r.AdditionalInformation.Or(""))
	copy(g[groupItem:], item[:])
	copy(g[groupText:], text[:])
	return g
}

// putSecond writes a Unix time so that the order of bytes is that of time.
func putSecond(dst []byte, second int64) {
	binary.BigEndian.PutUint64(dst, uint64(second)^1<<63)
}

func (g *group) second() int64 { return int64(binary.BigEndian.Uint64(g[:]) ^ 1<<63) }

func (g *group) compare(o *group) int { return bytes.Compare(g[:], o[:]) }

// digest8 tells texts apart within a second.
func digest8(text string) [8]byte {
	sum := sha256.Sum256([]byte(text))
	return [8]byte(sum[:8])
}

// leadKeyLen is the length of a lead's key: its space, its group, its id.
const leadKeyLen = 1 + len(group{}) + len(uuid.UUID{})

func appendGroupKey(dst []byte, s space, g *group) []byte {
	return append(append(dst, byte(s)), g[:]...)
}

func appendLeadKey(dst []byte, l *lead) []byte {
	return append(appendGroupKey(dst, l.space, &l.group), l.id[:]...)
}

// datedKey is the first key that a lead submitted in the second could have.
func datedKey(second int64) []byte {
	key := make([]byte, 1+8)
	key[0] = byte(dated)
	putSecond(key[1:], second)
	return key
}

// groupAt returns the group of a lead's key.
func groupAt(key []byte) group { return group(key[1 : 1+len(group{})]) }

// successor returns the first key after all that begin with the prefix, in the
// prefix's memory. The last byte of a prefix must not be 255.
func successor(prefix []byte) []byte {
	for i := len(prefix) - 1; ; i-- {
		if prefix[i]++; prefix[i] != 0 {
			return prefix[:i+1]
		}
	}
}

// class orders the events of a slice of a page.
type class byte

const (
	classDated    class = iota // in the order of the rows
	classUndated               // in the order of the rows
	classVanished              // in the order of the leads' keys
)

// appendEventSpan is the first key that an event of the page could have.
func appendEventSpan(dst []byte, seq journal.Seq) []byte {
	return binary.BigEndian.AppendUint64(append(dst, eventKind), uint64(seq))
}

// appendEventKey appends the key of an event of a lead. slice is the second at
// which the slice of the page begins.
func appendEventKey(dst []byte, seq journal.Seq, slice int64, c *change, l *lead) []byte {
	dst = appendEventSpan(dst, seq)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	putSecond(dst[len(dst)-8:], slice)
	dst = append(dst, byte(c.class))
	if c.class == classVanished {
		return append(append(dst, l.group[:]...), l.id[:]...)
	}
	return binary.BigEndian.AppendUint32(dst, uint32(c.index))
}

// eventSeq returns the page of an event's key.
func eventSeq(key []byte) journal.Seq { return journal.Seq(binary.BigEndian.Uint64(key[1:])) }
