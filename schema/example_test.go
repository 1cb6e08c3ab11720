package schema_test

import (
	"fmt"
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// lead is a row as flattening leaves it, before it gets its identity.
func lead() schema.Row {
	return schema.Row{
		Account: "demo", MarketplaceID: "EBAY_DE", EventType: schema.Snapshot, SchemaVersion: schema.Version,
		ItemID:                schema.Some("110000000001"),
		SubmittedTime:         schema.Some(time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)),
		LeadStatus:            schema.Some("NEW"),
		UserID:                schema.Some("ada_77"),
		AdditionalInformation: schema.Some("Is it still there?"),
		ExtractedAt:           time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC),
	}
}

// A lead that is answered stays the same lead.
func ExampleLeadID() {
	r := lead()
	fmt.Println(schema.LeadID(&r, 1))
	r.LeadStatus = schema.Some("RESPONDED")
	fmt.Println(schema.LeadID(&r, 1))
	fmt.Println(schema.LeadID(&r, 2), "if the buyer sent the same twice in one second")
	// Output:
	// da11a7c2-db01-52a8-bb61-ba33159bed76
	// da11a7c2-db01-52a8-bb61-ba33159bed76
	// 8e7300e8-8416-54e6-b31a-ddb4375c4724 if the buyer sent the same twice in one second
}

// Another status is a change; another way to write the same is none.
func ExampleContentHash() {
	r := lead()
	fmt.Println(schema.ContentHash(&r))
	r.SubmittedTime.Value = r.SubmittedTime.Value.Add(250 * time.Millisecond)
	fmt.Println(schema.ContentHash(&r))
	r.LeadStatus = schema.Some("RESPONDED")
	fmt.Println(schema.ContentHash(&r))
	// Output:
	// f892b830af3199b2f5bf1bc4cd1ccab255abd947b4942563762456bfeb375391
	// f892b830af3199b2f5bf1bc4cd1ccab255abd947b4942563762456bfeb375391
	// 9b8316497d308ca709442d210d1dd34322059207f7eb141fe26f30d244b2429f
}

// The ids depend on each other in this order.
func ExampleEventID() {
	r := lead()
	r.ContentHash = schema.ContentHash(&r)
	r.LeadID = schema.LeadID(&r, 1)
	r.EventID = schema.EventID(&r)
	fmt.Println(r.EventID)
	// Output:
	// e7d2ddb2-9520-5b1f-92c6-06da4624dff5
}

func ExampleAppendJSON() {
	r := lead()
	r.ContentHash = schema.ContentHash(&r)
	r.LeadID = schema.LeadID(&r, 1)
	r.EventID = schema.EventID(&r)
	line, err := schema.AppendJSON(nil, &r)
	fmt.Println(string(line), err)
	// Output:
	// {"event_id":"e7d2ddb2-9520-5b1f-92c6-06da4624dff5","event_type":"snapshot","lead_id":"da11a7c2-db01-52a8-bb61-ba33159bed76","account":"demo","marketplace_id":"EBAY_DE","item_id":"110000000001","submitted_time":"2026-09-01T10:00:00.000Z","lead_status":"NEW","user_id":"ada_77","additional_information":"Is it still there?","message_count":0,"content_hash":"f892b830af3199b2f5bf1bc4cd1ccab255abd947b4942563762456bfeb375391","extracted_at":"2026-09-01T12:00:00.000Z","schema_version":1} <nil>
}

func ExampleParseDecimal() {
	for _, s := range []string{"012.50", "0.00001", "1e3"} {
		d, err := schema.ParseDecimal(s)
		if err != nil {
			fmt.Println(s, "is refused:", err)
			continue
		}
		fmt.Println(d.Text, d.Unscaled, d.Canonical())
	}
	// Output:
	// 012.50 125000 12.5
	// 0.00001 is refused: more than 4 digits after the point
	// 1e3 is refused: not a plain decimal number
}

// What the API sent as empty is something; what it left out is null.
func ExampleOpt() {
	for _, o := range []schema.Opt[string]{schema.Some("ada_77"), schema.Some(""), {}} {
		value, ok := o.Get()
		fmt.Printf("%q %t %q\n", value, ok, o.Or("unknown"))
	}
	// Output:
	// "ada_77" true "ada_77"
	// "" true ""
	// "" false "unknown"
}
