package journal_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// A batch lands a page; whoever follows the journal reads it from there.
func Example() {
	dir, err := os.MkdirTemp("", "state")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	j, err := journal.Open(dir, journal.Options{
		Identity: journal.Identity{Account: "main", Marketplace: "EBAY_DE", API: "https://api.example.com/sell/leads/v1"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer j.Close()

	ctx := context.Background()
	day := window.New(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 2, 0, 0, 0, 0, time.UTC))
	for _, r := range []journal.Record{
		{Begin: &journal.Begin{ID: "b1", Spec: "2026-09-01/2026-09-02", Range: day, Queries: []journal.Query{{}}}},
		{Page: &journal.Page{Batch: "b1", Window: day, Leads: 2, Body: []byte("the answer as received")}},
		{End: &journal.End{Batch: "b1"}},
	} {
		if _, err := j.Append(ctx, r); err != nil { // returns when synced
			log.Fatal(err)
		}
	}

	for r, err := range j.Records(ctx, 0) {
		if err != nil {
			log.Fatal(err)
		}
		switch {
		case r.Begin != nil:
			fmt.Println(r.Seq, "begin", r.Begin.Spec)
		case r.Page != nil:
			page, err := j.Page(r.Seq) // with its body, verified
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(r.Seq, "page", page.Window, page.Leads, string(page.Body))
		case r.End != nil:
			fmt.Println(r.Seq, "end", r.End.Batch)
		}
	}
	// Output:
	// 0 begin 2026-09-01/2026-09-02
	// 1 page [2026-09-01T00:00:00Z, 2026-09-02T00:00:00Z) 2 the answer as received
	// 2 end b1
}
