package oracle

import (
	"slices"
	"testing"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// TestEvent holds an update to an event id that was computed with Python's uuid.
func TestEvent(t *testing.T) {
	before := Rows(slices.Values([]simulator.Lead{tricky()}), Options{Account: "shop", Marketplace: "EBAY_DE", Messages: true})[0]
	lead := tricky()
	lead.LeadStatus = some("X")
	lead.UserID = simulator.Opt[string]{}
	lead.Messages = some(append([]simulator.Message{{MessageID: some(int64(9))}}, lead.Messages.Value...))
	after := Rows(slices.Values([]simulator.Lead{lead}), Options{Account: "shop", Marketplace: "EBAY_DE", Messages: true})[0]
	row := Event(after, before, "updated", before["lead_id"].(string), 2)
	if got, want := row["changed_fields"].([]string), []string{"lead_status", "user_id", "message_count", "messages"}; !slices.Equal(got, want) {
		t.Errorf("changed fields %v, want %v", got, want)
	}
	row["content_hash"] = "409f4764dcab5bc563d76f25fb920208f1036889a4ce5c1f03a1ee01ef8f7e03"
	if got := eventID(row); got != "815d300d-da96-501f-8bfb-6e9d55665758" {
		t.Errorf("event id %s", got)
	}
	created := Event(before, nil, "created", before["lead_id"].(string), 1)
	if _, has := created["changed_fields"]; has || created["lead_version"] != int64(1) || created["event_id"] == before["event_id"] {
		t.Errorf("created: %v", created)
	}
}

// What means the same is no change: the order of messages, fractions of seconds,
// zeros of amounts.
func TestChangedIsWhatMeansSomething(t *testing.T) {
	lead := tricky()
	before := Rows(slices.Values([]simulator.Lead{lead}), Options{Messages: true})[0]
	lead = tricky()
	slices.Reverse(lead.Messages.Value)
	lead.FeeAmount = some("12.5")
	lead.SubmittedTime = some(ten.Truncate(1e9))
	after := Rows(slices.Values([]simulator.Lead{lead}), Options{Messages: true})[0]
	if changed := Changed(before, after); len(changed) > 0 {
		t.Errorf("changed: %v", changed)
	}
	for column := range before {
		if !slices.Contains(hashed, column) && !slices.Contains(notAPI, column) {
			t.Errorf("column %s is in neither list", column)
		}
	}
}
