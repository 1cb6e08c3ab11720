package flatten_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/leads-etl/leads-etl/pipeline/flatten"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

const answer = `{"totalItems": 1, "totalLeads": 2, "classifiedLeads": [{"itemId": "110000000001", "responses": [
	{"submittedTime": "2026-09-01T10:00:00Z", "userId": "buyer-one", "leadScore": 7, "leadFee": {"amount": {"value": "a lot"}}},
	"not a lead"
]}]}`

func ExampleFlattener_Page() {
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	if _, err := w.Write([]byte(answer)); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	day := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	page := &journal.Page{Window: window.New(day, day.AddDate(0, 0, 1)), Received: day.AddDate(0, 0, 2), Body: body.Bytes()}

	f := flatten.Flattener{Account: "motors", Marketplace: "EBAY_DE"}
	result, err := f.Page(page, page.Window)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range result.Rows {
		fmt.Println(r.ItemID.Value, r.UserID.Value, r.FeeAmount.Valid)
		fmt.Println(r.Extra.Value)
	}
	for _, d := range result.Dead {
		fmt.Printf("listing %d, response %d: %s\n", d.Listing, d.Response, d.Reason)
	}
	fmt.Println("unfit:", result.Unfit)
	// Output:
	// 110000000001 buyer-one false
	// {"leadFee.amount.value":"a lot","leadScore":7}
	// listing 0, response 1: the lead response is not an object
	// unfit: 1
}

func ExampleInspect() {
	inspection, err := flatten.Inspect(strings.NewReader(answer))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(inspection.Items, inspection.Leads, *inspection.TotalLeads)

	_, err = flatten.Inspect(strings.NewReader(answer[:80]))
	fmt.Println(err)
	// Output:
	// 1 2 2
	// not an answer of the API, at byte 80: unexpected EOF
}
