package files

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// A name belongs to the account that it was made for, and to no other, and says
// what it was made of.
func TestOwnsEvents(t *testing.T) {
	accounts := rapid.OneOf(
		rapid.StringMatching(`[a-b0.%-]{1,8}`),
		// Names that look like an account with a name of ours behind it.
		rapid.StringMatching(`a(-[0-9a-f]{8}(-[0-9]{20}(-[0-9]{5})?)?)?`),
	)
	rapid.Check(t, func(t *rapid.T) {
		a := layout{account: accounts.Draw(t, "account"), extensions: []string{".ndjson", ".ndjson.gz"}}
		b := layout{account: accounts.Draw(t, "other"), extensions: a.extensions}
		tag := rapid.StringMatching(`[0-9a-f]{8}`).Draw(t, "tag")
		from := journal.Seq(rapid.Uint64().Draw(t, "from"))
		n := rapid.IntRange(0, 1_000_000).Draw(t, "part")
		name := a.eventPart(tag, from, n, rapid.SampledFrom(a.extensions).Draw(t, "extension"))
		gotTag, gotFrom, ok := a.parseEventPart(name)
		if !ok || gotTag != tag || gotFrom != from {
			t.Fatalf("account %q reads its own %s as %s, %d, %t", a.account, name, gotTag, gotFrom, ok)
		}
		if final, _, ok := cutTemp(temp(name, "0123456789abcdef")); !ok || final != name {
			t.Fatalf("the temporary name of %s is not known again", name)
		}
		if a.account != b.account && b.ownsEvents(name) {
			t.Fatalf("account %q takes %s, which is %q's", b.account, name, a.account)
		}
		// Table and events do not take each other's.
		if a.owns(name) || b.owns(name) || a.ownsEvents(a.part(n, ".ndjson")) || b.ownsEvents(a.part(n, ".ndjson")) {
			t.Fatalf("the table takes %s, or events its parts", name)
		}
	})
}

func TestOwnsEventsNot(t *testing.T) {
	l := layout{account: "a", extensions: []string{".parquet"}}
	for _, name := range []string{
		"events-a-0190c0de-00000000000000000007-0000.parquet",
		"events-a-0190c0de-0000000000000000007-00000.parquet",
		"events-a-0190c0de-99999999999999999999-00000.parquet", // no such record
		"events-a-0190C0DE-00000000000000000007-00000.parquet",
		"events-a-0190c0de-00000000000000000007-00000.ndjson",
		"events-a-0190c0de-00000000000000000007-00000.parquet.superseded",
		"events-b-0190c0de-00000000000000000007-00000.parquet",
		"events-a-a-0190c0de-00000000000000000007-00000.parquet",
		".events-a-0190c0de-00000000000000000007-00000.parquet",
		"events-a-0190c0de--0000000000000000007-00000.parquet",
		"events-a-0190c0de-00000000000000000007-.parquet",
		"events-a-.parquet", "events-a.parquet",
	} {
		if l.ownsEvents(name) {
			t.Errorf("%s is taken for ours", name)
		}
	}
}

// Names of manifests sort as positions do.
func TestEventManifestNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := eventManifestRef{"0190c0de", journal.Seq(rapid.Uint64().Draw(t, "a"))}
		b := eventManifestRef{"0190c0de", journal.Seq(rapid.Uint64().Draw(t, "b"))}
		if got, ok := parseEventManifest(a.name()); !ok || got != a {
			t.Fatalf("%s is read as %+v, %t", a.name(), got, ok)
		}
		if (a.next < b.next) != (a.name() < b.name()) {
			t.Fatalf("%s and %s do not sort as their numbers", a.name(), b.name())
		}
	})
	for _, name := range []string{"", ".json", "0190c0de-.json", "0190c0de-7.json", "2026-09-01.json", ".0190c0de-00000000000000000007.json.tmp", "0190c0dx-00000000000000000007.json"} {
		if r, ok := parseEventManifest(name); ok {
			t.Errorf("%q is read as %+v", name, r)
		}
	}
}
