package schema

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// The ids are those that google/uuid makes of the text that DESIGN describes.
func TestIDsAreUUIDv5(t *testing.T) {
	ns := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://api.ebay.com/sell/leads"))
	id := func(parts ...string) string {
		return uuid.NewSHA1(ns, []byte(strings.Join(parts, "\n"))).String()
	}
	rapid.Check(t, func(t *rapid.T) {
		r := rows().Draw(t, "row")
		submitted := ""
		if r.SubmittedTime.Valid {
			submitted = r.SubmittedTime.Value.Format("2006-01-02T15:04:05.000Z07:00")
		}
		buyer := ""
		for _, o := range []Opt[string]{r.Phone, r.Email, r.ExternalEmail, r.UserID} {
			if o.Or("") != "" {
				buyer = o.Value
			}
		}
		if got, want := LeadID(r, 1), id(r.ItemID.Value, submitted, buyer, r.AdditionalInformation.Value); got != want {
			t.Fatalf("lead id %s, want %s", got, want)
		}
		if got, want := LeadID(r, 12), id(r.ItemID.Value, submitted, buyer, r.AdditionalInformation.Value, "12"); got != want {
			t.Fatalf("lead id of the twelfth %s, want %s", got, want)
		}
		version := ""
		if r.LeadVersion.Valid {
			version = strconv.Itoa(int(r.LeadVersion.Value))
		}
		if got, want := EventID(r), id(r.LeadID, string(r.EventType), r.ContentHash, version); got != want {
			t.Fatalf("event id %s, want %s", got, want)
		}
	})
}

// Each of the four ways to know a buyer counts only if those before it are
// null or empty.
func TestLeadIDBuyer(t *testing.T) {
	at := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	of := func(user, external, email, phone Opt[string]) string {
		return LeadID(&Row{ItemID: Some("1"), SubmittedTime: Some(at), UserID: user, ExternalEmail: external, Email: email, Phone: phone}, 1)
	}
	a, b, null, empty := Some("a"), Some("b"), Opt[string]{}, Some("")
	want := of(a, null, null, null)
	for i, got := range []string{
		of(a, b, b, b), of(null, a, b, b), of(empty, a, b, b), of(null, empty, a, b), of(empty, null, empty, a),
	} {
		if got != want {
			t.Errorf("%d: another lead", i)
		}
	}
	if of(b, a, a, a) == want || of(null, null, null, null) == want {
		t.Error("the buyer does not count")
	}
	if of(null, null, null, null) != of(empty, empty, empty, empty) {
		t.Error("null and empty are different buyers")
	}
}

// Nothing but the key's columns goes into a lead id: a lead that is answered,
// or whose listing gets another title, stays the same lead.
func TestLeadIDIsStable(t *testing.T) {
	key := map[string]bool{"item_id": true, "submitted_time": true, "user_id": true, "external_email": true, "email": true, "phone": true, "additional_information": true}
	rapid.Check(t, func(t *rapid.T) {
		before := rows().Draw(t, "row")
		after := *before
		for _, c := range Columns {
			if !key[c.Name] {
				fill(t, c, &after)
			}
		}
		if LeadID(before, 1) != LeadID(&after, 1) {
			t.Fatal("another lead")
		}
	})
}
