package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
)

func TestPositionRecord(t *testing.T) {
	want := deliver.Position{Journal: journalID, Next: 1<<64 - 1, Base: 3, Through: 1 << 63}
	value, err := positionRecord{
		Version: positionVersion, Position: want,
		Account: testBinding.Account, Marketplace: testBinding.Marketplace, Topic: "leads", Written: time.Unix(1, 0).UTC(),
	}.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parsePosition(value, testBinding)
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := parsePosition(nil, testBinding); err != nil || got != (deliver.Position{}) {
		t.Errorf("a tombstone: %+v, %v", got, err)
	}
	other := testBinding
	other.Account = "someone-else"
	if _, err := parsePosition(value, other); err == nil || !strings.Contains(err.Error(), "transactional-id") {
		t.Errorf("another account's position: %v", err)
	}
	for _, text := range []string{
		"", "null", "{}", `{"version":1}`, `{"version":2,"journal":"j","next":1}`, `{"version":1,"journal":"j","next":-1}`, `{"version":1,"journal":"j","next":1.5}`,
	} {
		if got, err := parsePosition([]byte(text), testBinding); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

// FuzzPosition reads anything without falling over; what it takes it gives back
// when written again.
func FuzzPosition(f *testing.F) {
	f.Add(`{"version":1,"journal":"j","next":7,"base":2,"through":9,"account":"test","marketplace":"EBAY_DE","topic":"leads","written":"2026-09-01T00:00:00Z"}`)
	f.Add(`{"version":1,"journal":"j","next":18446744073709551615}`)
	f.Add(`{"version":3,"journal":"j"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		b := deliver.Binding{Account: "test", Marketplace: "EBAY_DE"}
		p, err := parsePosition([]byte(text), b)
		if err != nil {
			if p != (deliver.Position{}) {
				t.Errorf("an error and a position: %+v, %v", p, err)
			}
			return
		}
		value, err := positionRecord{Version: 1, Position: p, Account: b.Account, Marketplace: b.Marketplace}.encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parsePosition(value, b); err != nil || again != p {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
	})
}
