package known

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/google/uuid"

	"github.com/leads-etl/leads-etl/schema"
)

// matcher finds out which row of a group is which known lead of it. All rows and
// leads that it sees have the same listing, second and text.
//
// It goes by what is surest first: the content and the id, the content (the ids of
// leads of one buyer go by the order of their contents, which changes; the
// fraction of a second is part of the id, but not of the content), and last by how
// much the row and the lead are alike.
//
// Its outcome depends neither on the order of the rows in the answer nor on that
// of the leads: both come sorted.
type matcher struct {
	*reading
	rows  []*shown
	leads []lead      // live ones first, then by key
	of    []int       // for each row, its place in leads; -1
	ids   []uuid.UUID // of leads that the rows were found to begin
	taken []bool      // of leads
	pairs []pair
}

// way is a way of telling that a row is a known lead.
type way func(m *matcher, r *shown, l *lead) bool

func sameRow(m *matcher, r *shown, l *lead) bool  { return l.row == r.id && m.same(r, l) }
func sameText(m *matcher, r *shown, l *lead) bool { return m.same(r, l) }
func sameID(_ *matcher, r *shown, l *lead) bool   { return l.row == r.id || l.id == r.id }

// begin starts with a group's rows, sorted by their ids, and no leads.
func (m *matcher) begin(rows []*shown) {
	m.rows, m.leads = rows, m.leads[:0]
	m.of, m.taken, m.ids = m.of[:0], m.taken[:0], m.ids[:0]
	for range rows {
		m.of = append(m.of, -1)
	}
}

// consider matches the rows that are left with leads[from:], which were added.
func (m *matcher) consider(from int) {
	fresh := m.leads[from:]
	slices.SortStableFunc(fresh, func(a, b lead) int { return compareBool(a.vanished, b.vanished) })
	for range fresh {
		m.taken = append(m.taken, false)
	}
	m.pass(from, sameRow)
	m.pass(from, sameText)
}

// pass matches the rows that are left with leads[from:].
func (m *matcher) pass(from int, is way) {
	for i, r := range m.rows {
		for k := from; m.of[i] < 0 && k < len(m.leads); k++ {
			if !m.taken[k] && is(m, r, &m.leads[k]) {
				m.of[i], m.taken[k] = k, true
			}
		}
	}
}

// unknown reports whether rows are left that are no known lead.
func (m *matcher) unknown() bool { return slices.Contains(m.of, -1) }

// has reports whether a lead of the group has the id.
func (m *matcher) has(id uuid.UUID) bool {
	return slices.Contains(m.ids, id) || slices.ContainsFunc(m.leads, func(l lead) bool { return l.id == id })
}

// same reports whether the row has the content that is known of the lead, as far
// as that can be told.
func (m *matcher) same(r *shown, l *lead) bool {
	if m.comparable(l) {
		return l.hash == r.hash
	}
	return differing(r.columns(), l.digests)&^ofMessages == 0
}

// pair is a row and a lead that may be the same.
type pair struct{ row, lead, score int }

// maxPairs bounds the work and the memory for one group.
const maxPairs = 1 << 16

// compare matches the rows and leads that are left, those first that are most
// alike.
func (m *matcher) compare() {
	if len(m.rows)*len(m.leads) > maxPairs { // hundreds in one second: not of this world
		m.pass(0, sameID)
	}
	m.pairs = m.pairs[:0]
	for i, r := range m.rows {
		for k := range m.leads {
			if m.of[i] >= 0 || m.taken[k] || len(m.pairs) == maxPairs {
				continue
			}
			if score, ok := m.alike(r, &m.leads[k]); ok {
				m.pairs = append(m.pairs, pair{i, k, score})
			}
		}
	}
	slices.SortStableFunc(m.pairs, func(a, b pair) int { return cmp.Compare(b.score, a.score) })
	for _, p := range m.pairs {
		if m.of[p.row] < 0 && !m.taken[p.lead] {
			m.of[p.row], m.taken[p.lead] = p.lead, true
		}
	}
}

// What speaks for a row and a lead to be the same: each outweighs all after it.
const (
	ofOneBuyer  = 100_000 // by the name that they have now
	notVanished = 10_000
	perContact  = 100 // for each way to reach the buyer that is the same
	ofOneID     = 50  // by the fraction of the second, or by the name that the lead began with
	perColumn   = 1
)

// alike reports whether the row can be the lead, and how much speaks for it.
//
// Under another name, it proves enough that the lead is missing from an answer
// which has to show it. Where it has not, or the lead has vanished, something else
// has to: a text or some way to reach the buyer that is the same. An answer of
// leads of one status never proves it, for the lead may have another one now; nor
// does it for a row that is not in its place in time: there, the buyer's full name,
// an address or a number has to be the same.
func (m *matcher) alike(r *shown, l *lead) (score int, ok bool) {
	differ := differing(r.columns(), l.digests)
	if !m.comparable(l) {
		differ |= ofMessages
	}
	var equal uint64 // columns that say the same of both
	for i, column := range r.columns() {
		if differ&(1<<i) == 0 {
			score += perColumn
			if column != 0 {
				equal |= 1 << i
			}
		}
	}
	reached := bits.OnesCount64(equal & ofContact)
	score += reached * perContact
	if !l.vanished {
		score += notVanished
	}
	if sameID(m, r, l) {
		score += ofOneID
	}
	switch {
	case l.row == r.id, sameBuyer(r.columns(), l.digests):
		return score + ofOneBuyer, true
	case l.id == r.id:
		return score, true
	case m.filtered:
		return 0, false
	case r.undated:
		return score, equal&ofAddress != 0 || equal&ofName == ofName
	}
	missed := m.must(&l.group) && l.space == dated && !l.vanished
	return score, missed || reached > 0 || r.row.AdditionalInformation.Or("") != ""
}

// sameBuyer reports whether two leads have the same buyer in their ids, which is
// the first of some columns that is neither null nor empty.
func sameBuyer(a, b []uint32) bool {
	for _, c := range buyerColumns {
		noA, noB := a[c.place] == 0 || a[c.place] == c.empty, b[c.place] == 0 || b[c.place] == c.empty
		if !noA || !noB {
			return a[c.place] == b[c.place]
		}
	}
	return true
}

// buyerColumns are the places of the columns that a lead id takes its buyer from,
// and the digests of an empty text in them.
var buyerColumns = func() (columns []struct {
	place int
	empty uint32
}) {
	none := schema.Some("")
	empty := schema.Digests(&schema.Row{UserID: none, ExternalEmail: none, Email: none, Phone: none}, nil)
	for _, name := range []string{"user_id", "external_email", "email", "phone"} {
		place := slices.IndexFunc(schema.DigestColumns, func(c schema.Column) bool { return c.Name == name })
		columns = append(columns, struct {
			place int
			empty uint32
		}{place, empty[place]})
	}
	return columns
}()

// Columns by what they tell, as bits for schema.DigestColumns.
var (
	ofMessages = bitsOf("message_count", "messages", "extra")
	ofContact  = bitsOf("email", "external_email", "phone", "first_name", "last_name", "messages")
	ofAddress  = bitsOf("email", "external_email", "phone")
	ofName     = bitsOf("first_name", "last_name")
)

func bitsOf(names ...string) uint64 {
	var set uint64
	for i, c := range schema.DigestColumns {
		if slices.Contains(names, c.Name) {
			set |= 1 << i
		}
	}
	return set
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
