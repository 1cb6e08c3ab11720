package sinktest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/schema"
)

// Whose rows the suite writes.
const (
	Account     = "example-motors"
	Marketplace = "EBAY_DE"
)

// Day is the date of the rows that Leads makes.
const Day = "2026-09-01"

func seq(n uint64) journal.Seq { return journal.Seq(n) }

// Leads returns n rows as a batch has them, of a bit more than a kilobyte of
// JSON each, sorted, all of one date. The same n and offset give the same rows,
// and rows of other offsets are other leads. All people are invented.
func Leads(date string, offset, n int) []schema.Row {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	rows := make([]schema.Row, n)
	for i := range rows {
		rows[i] = lead(day, offset+i)
	}
	Sort(rows)
	return rows
}

// Marked returns the rows with a mark at the beginning of every text: one where
// the column is about people, the other elsewhere. What must not be seen can then
// be told for certain from what only looks like it. Ids and texts with a form of
// their own (extra) are as they were.
func Marked(rows []schema.Row, public, personal string) []schema.Row {
	marked := slices.Clone(rows)
	for i := range marked {
		for _, c := range schema.Columns {
			m := public
			if c.Personal {
				m = personal
			}
			switch v := c.Field(&marked[i]).(type) {
			case *schema.Opt[string]:
				if c.Type == schema.TypeString {
					*v = schema.Some(m + v.Value)
				}
			case *schema.Opt[[]schema.Message]:
				*v = schema.Some(append(slices.Clone(v.Value), schema.Message{}))
				for j := range v.Value {
					v.Value[j].Question = schema.Some(m + v.Value[j].Question.Value)
					v.Value[j].Response = schema.Some(m + v.Value[j].Response.Value)
				}
			}
		}
	}
	return marked
}

// Undated returns n rows without a submitted time, sorted.
func Undated(n int) []schema.Row {
	rows := Leads(Day, 0, n)
	for i := range rows {
		rows[i].SubmittedTime = schema.Opt[time.Time]{}
		seal(&rows[i])
	}
	Sort(rows)
	return rows
}

// Sort puts rows in the order in which a Replace sink gets them.
func Sort(rows []schema.Row) {
	slices.SortFunc(rows, func(a, b schema.Row) int {
		if c := a.SubmittedTime.Value.Compare(b.SubmittedTime.Value); c != 0 {
			return c
		}
		return strings.Compare(a.LeadID, b.LeadID)
	})
}

// PartitionOf is the partition that the rows of a date go to.
func PartitionOf(s deliver.Semantics, date string) deliver.Partition {
	if s == deliver.Append {
		return deliver.Whole
	}
	return deliver.Partition{Date: date}
}

var (
	firstNames = []string{"Anna", "Björn", "Chloé", "Đorđe", "Ελένη", "Fatma", "José", "Zoë", "雪"}
	lastNames  = []string{"Example", "Müller-Muster", "O'Test", "Ñandú", "Σπανός", "van der Probe"}
	makes      = []string{"Audi", "BMW", "Citroën", "Škoda", "Volkswagen"}
	words      = strings.Fields("I would like to see the car this weekend is it still available and has it had one owner only " +
		"could you send the service history to me please my number is below thank you grüße aus köln 車 🚗 \"quoted\" back\\slash")
)

// lead makes the ith lead of a day. Its times are spread over the day and its
// texts drawn from a generator seeded with i, so that it compresses about as
// real leads do.
func lead(day time.Time, i int) schema.Row {
	rng := rand.New(rand.NewPCG(uint64(i), 0x1ead))
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	text := func(n int) string {
		var b strings.Builder
		for b.Len() < n {
			b.WriteString(pick(words))
			b.WriteByte(' ')
		}
		return b.String()
	}
	submitted := day.Add(time.Duration(rng.IntN(24*60*60*1000)) * time.Millisecond)
	r := schema.Row{
		EventType:     schema.Snapshot,
		Account:       Account,
		MarketplaceID: Marketplace,
		ItemID:        schema.Some(fmt.Sprint(110_000_000_000 + rng.IntN(5000))),
		ItemTitle:     schema.Some(pick(makes) + " " + text(30)),
		SubmittedTime: schema.Some(submitted),
		LeadStatus:    schema.Some([]string{"NEW", "RESPONDED"}[rng.IntN(2)]),
		ExternalEmail: schema.Some(fmt.Sprintf("buyer.%d@example.org", i)),
		FirstName:     schema.Some(pick(firstNames)),
		LastName:      schema.Some(pick(lastNames)),
		Phone:         schema.Some(fmt.Sprintf("+49 30 0%07d", rng.IntN(10_000_000))),
		PostalCode:    schema.Some(fmt.Sprintf("%05d", rng.IntN(100_000))),
		ContentHash:   "",

		AdditionalInformation: schema.Some(text(120)),
		FeeAmount:             schema.Some(amount("7.50")),
		FeeCurrency:           schema.Some("EUR"),
		FeeDescription:        schema.Some("Lead fee"),
		ExtractedAt:           day.Add(26*time.Hour + time.Duration(i%1000)*time.Millisecond),
		SchemaVersion:         schema.Version,
	}
	if rng.IntN(4) > 0 {
		r.UserID = schema.Some(fmt.Sprintf("buyer_%d", rng.IntN(1_000_000)))
		r.Email = schema.Some(fmt.Sprintf("u%d@members.example.com", rng.IntN(1_000_000)))
	}
	if rng.IntN(3) > 0 {
		r.FinancingAnswer = schema.Some(rng.IntN(2) == 0)
		r.TradeInMake = schema.Some(pick(makes))
		r.TradeInModel = schema.Some("Model " + fmt.Sprint(rng.IntN(9)))
		r.TradeInYear = schema.Some(fmt.Sprint(1995 + rng.IntN(30)))
	}
	messages := make([]schema.Message, rng.IntN(3))
	for j := range messages {
		messages[j] = schema.Message{
			MessageID: schema.Some(rng.Int64N(1 << 40)),
			CreatedAt: schema.Some(submitted.Add(time.Duration(j+1) * time.Hour)),
			Question:  schema.Some(text(60)),
			Response:  schema.Some(text(60)),
		}
	}
	r.Messages = schema.Some(messages)
	r.MessageCount = int32(len(messages))
	if rng.IntN(10) == 0 {
		r.Extra = schema.Some(`{"leadScore":7,"contactInformation.title":"Dr"}`)
	}
	seal(&r)
	return r
}

// seal sets what follows from the other columns.
func seal(r *schema.Row) {
	r.ContentHash = schema.ContentHash(r)
	r.LeadID = schema.LeadID(r, 1)
	r.EventID = schema.EventID(r)
}

func amount(s string) schema.Decimal {
	d, err := schema.ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}
