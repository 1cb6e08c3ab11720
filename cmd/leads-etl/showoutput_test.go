package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
)

// What the outputs of batches hold is what the journal says, in the same order,
// whatever the filter; amounts in Parquet lose the zeros at their end.
func TestOutputsShowWhatTheJournalShows(t *testing.T) {
	dir := t.TempDir()
	_, environ := seller(t, dir)
	environ = append(environ, "LEADS_ETL_PARQUET_DIR="+filepath.Join(dir, "parquet"))
	done(t, environ, "batch")
	for _, filter := range [][]string{nil, {"--from", "2026-09-03", "--to", "2026-09-05T12:00:00Z"}} {
		show := append([]string{"show", "--json", "--limit", "0", "--reveal"}, filter...)
		want := done(t, environ, show...)
		if n := strings.Count(want, "\n"); n < 100 {
			t.Fatalf("%v: only %d rows", filter, n)
		}
		for _, output := range []string{"ndjson", "parquet"} {
			got := done(t, environ, append(show, "--output", output)...)
			sameRows(t, output, got, want)
			newestFirst(t, got)
		}
	}
}

// sameRows holds rows to others, but for zeros at the ends of amounts.
func sameRows(t *testing.T, what, got, want string) {
	t.Helper()
	a, b := rowsOf(t, got), rowsOf(t, want)
	if len(a) != len(b) || strings.Count(got, "\n") != strings.Count(want, "\n") {
		t.Errorf("%s: %d rows, want %d", what, len(a), len(b))
	}
	for id, row := range b {
		other, ok := a[id]
		plainAmounts(&row)
		plainAmounts(&other)
		if !ok || !reflect.DeepEqual(other, row) {
			t.Errorf("%s: event %s is another, or missing", what, id)
		}
	}
}

func plainAmounts(r *schema.Row) {
	for _, amount := range []*schema.Opt[schema.Decimal]{&r.FeeAmount, &r.FeeConvertedFromAmount} {
		if amount.Valid {
			amount.Value.Text = amount.Value.Canonical()
		}
	}
}

// Files that are not as they were written are named, with what to do.
func TestDamagedOutputsAreNamed(t *testing.T) {
	dir := t.TempDir()
	_, environ := seller(t, dir)
	environ = append(environ, "LEADS_ETL_PARQUET_DIR="+filepath.Join(dir, "parquet"))
	done(t, environ, "batch")
	for output, folder := range map[string]string{"ndjson": "out", "parquet": "parquet"} {
		path := filepath.Join(dir, folder, "marketplace=EBAY_DE", "date=2026-09-04", "leads-acme-00000."+output)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, damage := range []struct {
			says string
			do   func() error
		}{
			{"is damaged, or not of leads-etl", func() error { return os.WriteFile(path, []byte(strings.Repeat("x", len(data))), 0o600) }},
			{"is not as its manifest lists it", func() error { return os.WriteFile(path, data[:len(data)/2], 0o600) }},
			{"is not as its manifest lists it", func() error { return os.Remove(path) }},
		} {
			if err := damage.do(); err != nil {
				t.Fatal(err)
			}
			code, _, stderr := runIn(t, environ, "show", "--output", output, "--limit", "0")
			if code != exitUnexpected || !strings.Contains(stderr, path+" "+damage.says) || !strings.Contains(stderr, "leads-etl replay") {
				t.Errorf("%s: exit code %d: %s", output, code, stderr)
			}
		}
		// Other dates can be shown.
		done(t, environ, "show", "--output", output, "--limit", "0", "--from", "2026-09-05")
	}
}
