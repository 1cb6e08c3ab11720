package schema

import "hash/crc32"

// DigestColumns are the columns that Digests speaks of: those that the API fills,
// in the order of Columns. Treat it as read-only.
var DigestColumns = func() []Column {
	var columns []Column
	for _, c := range Columns {
		if c.FromAPI() {
			columns = append(columns, c)
		}
	}
	return columns
}()

var digestMembers = func() []canonicalMember {
	members := make([]canonicalMember, len(DigestColumns))
	for i, c := range DigestColumns {
		members[i] = canonicalMemberOf(c)
	}
	return members
}()

var digestTable = crc32.MakeTable(crc32.Castagnoli)

// Digests appends a digest of each of the DigestColumns to dst: 0 if the column is
// null, else a CRC-32C of its canonical form. It is for telling which columns of
// two versions of a lead differ: what is no change to ContentHash is none here.
// Values that differ share a digest once in four billion times.
func Digests(r *Row, dst []uint32) []uint32 {
	s := borrowScratch()
	defer s.giveBack()
	for i := range digestMembers {
		s.out = s.out[:0]
		s.canonicalMember(r, &digestMembers[i])
		digest := uint32(0)
		if len(s.out) > 0 {
			digest = max(1, crc32.Checksum(s.out, digestTable))
		}
		dst = append(dst, digest)
	}
	return dst
}
