package files

import (
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"EBAY_DE":        "EBAY_DE",
		"example-motors": "example-motors",
		"a.b":            "a.b",
		"Autohaus Köln":  "Autohaus%20K%C3%B6ln",
		"../x":           "..%2Fx",
		"a%2Fb":          "a%252Fb",
		"a=b\x00":        "a%3Db%00",
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
}

// Different texts have different names, and all are fit to be part of one.
func TestEscapeIsUnambiguous(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-c%~./-]{0,5}`), rapid.StringOfN(rapid.RuneFrom([]rune("aäÄ ")), 100, 300, -1))
	rapid.Check(t, func(t *rapid.T) {
		a, b := texts.Draw(t, "a"), texts.Draw(t, "b")
		x, y := escape(a), escape(b)
		if a != b && x == y {
			t.Fatalf("%q and %q are both %q", a, b, x)
		}
		if len(x) > maxEscaped || strings.ContainsAny(x, `/\ `+"\x00") {
			t.Fatalf("%q is not fit for a name", x)
		}
	})
}

func ownsTemp(l layout, name string) bool {
	final, _, ok := cutTemp(name)
	return ok && l.owns(final)
}

// A name belongs to the account that it was made for, and to no other.
func TestOwns(t *testing.T) {
	accounts := rapid.StringMatching(`[a-b0.%-]{1,8}`)
	rapid.Check(t, func(t *rapid.T) {
		a := layout{account: accounts.Draw(t, "account"), extensions: []string{".ndjson", ".ndjson.gz"}}
		b := layout{account: accounts.Draw(t, "other"), extensions: a.extensions}
		name := a.part(rapid.IntRange(0, 1_000_000).Draw(t, "part"), rapid.SampledFrom(a.extensions).Draw(t, "extension"))
		hidden := temp(name, "0123456789abcdef")
		if !a.owns(name) || !ownsTemp(a, hidden) || a.owns(hidden) || ownsTemp(a, name) {
			t.Fatalf("account %q does not know its own %s", a.account, name)
		}
		if a.account != b.account && (b.owns(name) || ownsTemp(b, hidden)) {
			t.Fatalf("account %q takes %s, which is %q's", b.account, name, a.account)
		}
	})
}

func TestOwnsNot(t *testing.T) {
	l := layout{account: "a", extensions: []string{".parquet"}}
	for _, name := range []string{
		"leads-a-.parquet", "leads-a-0.parquet", "leads-a-0000x.parquet", "leads-a-00000.parquet.tmp", "leads-a-00000.ndjson",
		"leads-b-00000.parquet", "part-00000.parquet", "leads-a-00000-00000.parquet", ".leads-a-00000.parquet", "xleads-a-00000.parquet",
		"leads-a--0001.parquet", "leads-a-00000.parquet.superseded",
	} {
		if l.owns(name) {
			t.Errorf("%s is taken for ours", name)
		}
	}
	for _, name := range []string{".leads-a-00000.parquet.tmp", ".leads-a-00000.parquet.0123.tmp", ".leads-b-00000.parquet.0123456789abcdef.tmp", "leads-a-00000.parquet.0123456789abcdef.tmp"} {
		if ownsTemp(l, name) {
			t.Errorf("%s is taken for ours", name)
		}
	}
}

func TestPartitionFolders(t *testing.T) {
	l := layout{root: "/out", format: "parquet", account: "a", marketplace: "EBAY_DE"}
	for _, p := range []deliver.Partition{{}, {Date: "2026-09-01"}, {Date: "0001-01-01"}} {
		got, ok := partitionOf(filepath.Base(l.folder(p)))
		if !ok || got != p {
			t.Errorf("folder %s is read as %v, %t", l.folder(p), got, ok)
		}
	}
	for _, name := range []string{"date=", "date=2026-9-1", "date=..", "month=2026-09", "2026-09-01"} {
		if p, ok := partitionOf(name); ok {
			t.Errorf("%s is read as %v", name, p)
		}
	}
}

func TestCheckPartition(t *testing.T) {
	for _, p := range []deliver.Partition{deliver.Whole, {Date: "../../etc"}, {Date: "2026-02-30"}, {Date: "2026-09-01/x"}} {
		if checkPartition(p) == nil {
			t.Errorf("partition %v is taken", p)
		}
	}
}
