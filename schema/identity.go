package schema

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/google/uuid"
)

// namespace is NS, the UUID namespace of leads and events. It and everything
// below is part of the contract with readers, who recompute ids: IDENTITY.md
// says the same for them, testdata/identity holds vectors and a script.
var namespace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://api.ebay.com/sell/leads"))

// LeadID returns the identity of the row's lead, which the API does not give:
//
//	UUIDv5(NS, item_id LF submitted_time LF buyer LF additional_information)
//
// where submitted_time is as FormatTime has it, buyer is the first of user_id,
// external_email, email and phone that is neither null nor empty, and nulls are
// empty. Leads of one answer for which this is the same are told apart by their
// ordinal, from 1, in the order of their content hashes: 1 appends nothing, n
// appends LF n.
//
// It reads the row's API columns only.
func LeadID(r *Row, ordinal int) string {
	var text [LeadIDBytes]byte
	return string(AppendLeadID(text[:0], r, ordinal))
}

// AppendLeadID appends what LeadID returns, of LeadIDBytes.
func AppendLeadID(dst []byte, r *Row, ordinal int) []byte {
	s := borrowScratch()
	defer s.giveBack()
	b := append(s.out, namespace[:]...)
	b = append(b, r.ItemID.Or("")...)
	b = append(b, '\n')
	if r.SubmittedTime.Valid {
		b = AppendTime(b, r.SubmittedTime.Value)
	}
	b = append(b, '\n')
	b = append(b, buyer(r)...)
	b = append(b, '\n')
	b = append(b, r.AdditionalInformation.Or("")...)
	if ordinal > 1 {
		b = append(b, '\n')
		b = strconv.AppendInt(b, int64(ordinal), 10)
	}
	s.out = b
	return appendUUIDv5(dst, b)
}

// EventID returns the identity of the event:
//
//	UUIDv5(NS, lead_id LF event_type LF content_hash LF lead_version)
//
// where a null lead_version is empty. These four columns must be set.
func EventID(r *Row) string {
	var text [EventIDBytes]byte
	return string(AppendEventID(text[:0], r))
}

// AppendEventID appends what EventID returns, of EventIDBytes.
func AppendEventID(dst []byte, r *Row) []byte {
	s := borrowScratch()
	defer s.giveBack()
	b := append(s.out, namespace[:]...)
	b = append(b, r.LeadID...)
	b = append(b, '\n')
	b = append(b, r.EventType...)
	b = append(b, '\n')
	b = append(b, r.ContentHash...)
	b = append(b, '\n')
	if r.LeadVersion.Valid {
		b = strconv.AppendInt(b, int64(r.LeadVersion.Value), 10)
	}
	s.out = b
	return appendUUIDv5(dst, b)
}

// ContentHash returns the SHA-256, in lower-case hexadecimal digits, of the
// row's canonical form: of all that the API said of the lead, and of nothing
// else. Two rows of one lead have the same hash exactly if nothing changed in
// between; canonical.go says what is no change.
//
// It never fails: an Extra that is no JSON, against the row's invariants, is
// hashed as a string.
func ContentHash(r *Row) string {
	var text [ContentHashBytes]byte
	return string(AppendContentHash(text[:0], r))
}

// AppendContentHash appends what ContentHash returns, of ContentHashBytes.
func AppendContentHash(dst []byte, r *Row) []byte {
	s := borrowScratch()
	defer s.giveBack()
	s.canonicalRow(r)
	sum := sha256.Sum256(s.out)
	return hex.AppendEncode(dst, sum[:])
}

// Lengths of hashes and ids.
const (
	ContentHashBytes = 2 * sha256.Size
	LeadIDBytes      = 36
	EventIDBytes     = LeadIDBytes
)

// buyer is what identifies the person in a lead id.
func buyer(r *Row) string {
	for _, o := range [...]*Opt[string]{&r.UserID, &r.ExternalEmail, &r.Email, &r.Phone} {
		if o.Valid && o.Value != "" {
			return o.Value
		}
	}
	return ""
}

// appendUUIDv5 appends the version 5 UUID of a namespace and a name, one behind the
// other. It is uuid.NewSHA1 without the allocations of its hash, its copy and its
// text.
func appendUUIDv5(dst, namespaceAndName []byte) []byte {
	sum := sha1.Sum(namespaceAndName)
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x50 // version 5
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	dst = append(hex.AppendEncode(dst, id[:4]), '-')
	dst = append(hex.AppendEncode(dst, id[4:6]), '-')
	dst = append(hex.AppendEncode(dst, id[6:8]), '-')
	dst = append(hex.AppendEncode(dst, id[8:10]), '-')
	return hex.AppendEncode(dst, id[10:])
}
