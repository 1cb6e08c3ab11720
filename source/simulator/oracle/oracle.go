// Package oracle says which event rows an export of simulated leads has to
// give, column by column. It is slow and obvious, and made from the written
// rules alone (the design's table of columns, schema/IDENTITY.md, the package
// documentation of flatten): it shares no code with the export, so that the two
// can be held against each other.
//
// What must not be here: anything from packages flatten and schema, and any
// speed that costs clarity.
package oracle

import (
	"iter"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/source/simulator"
)

// Row is an event row by column name. Nulls are left out. Texts, times (RFC 3339
// with milliseconds and Z), amounts (as sent) and extra are string, booleans
// bool, counts and ids int64, messages []map[string]any with nulls left out too,
// changed_fields []string.
//
// extracted_at is not among them, since it depends on the run.
type Row = map[string]any

// Options are what rows depend on besides the leads.
type Options struct {
	Account     string
	Marketplace string
	// Messages says that messages were asked for.
	Messages bool
}

// schemaVersion is that of the rules that this package follows.
const schemaVersion = 1

// Rows returns the snapshot rows of the leads, in their order, without those that
// are dead letters. Leads that share a second and a listing must all be there,
// since they may have to be told apart by their ordinals.
func Rows(leads iter.Seq[simulator.Lead], o Options) []Row {
	var rows []Row
	for lead := range leads {
		if !lead.Dead {
			rows = append(rows, apiColumns(lead, o))
		}
	}
	identify(rows)
	for _, row := range rows {
		row["event_type"] = "snapshot"
		row["account"] = o.Account
		row["marketplace_id"] = o.Marketplace
		row["schema_version"] = int64(schemaVersion)
		row["event_id"] = eventID(row)
	}
	return rows
}

// identify gives the rows their hashes and lead ids. Rows whose ids would be the
// same are numbered in the order of their hashes.
func identify(rows []Row) {
	groups := make(map[string][]Row)
	for _, row := range rows {
		row["content_hash"] = ContentHash(row)
		name := LeadName(row)
		groups[name] = append(groups[name], row)
	}
	for name, group := range groups {
		slices.SortStableFunc(group, func(a, b Row) int {
			return compare(a["content_hash"].(string), b["content_hash"].(string))
		})
		for i, row := range group {
			row["lead_id"] = leadID(name, i+1)
		}
	}
}

// apiColumns returns the columns that come from the API.
func apiColumns(l simulator.Lead, o Options) Row {
	row := Row{}
	text := func(column string, value simulator.Opt[string]) {
		if value.Set {
			row[column] = value.Value
		}
	}
	text("item_id", l.ItemID)
	text("item_title", l.ItemTitle)
	if l.SubmittedTime.Set {
		row["submitted_time"] = formatTime(l.SubmittedTime.Value)
	}
	text("lead_status", l.LeadStatus)
	text("user_id", l.UserID)
	text("email", l.Email)
	text("external_email", l.ExternalEmail)
	text("first_name", l.FirstName)
	text("last_name", l.LastName)
	text("phone", l.Phone)
	text("postal_code", l.PostalCode)
	text("additional_information", l.AdditionalInformation)
	if l.FinancingAnswer.Set {
		row["financing_answer"] = l.FinancingAnswer.Value
	}
	text("trade_in_make", l.TradeInMake)
	text("trade_in_model", l.TradeInModel)
	text("trade_in_year", l.TradeInYear)
	text("fee_amount", l.FeeAmount)
	text("fee_currency", l.FeeCurrency)
	text("fee_converted_from_amount", l.FeeConvertedFromAmount)
	text("fee_converted_from_currency", l.FeeConvertedFromCurrency)
	text("fee_description", l.FeeDescription)

	row["message_count"] = int64(0)
	if o.Messages && l.Messages.Set {
		row["message_count"] = int64(len(l.Messages.Value))
		row["messages"] = messages(l.Messages.Value)
	}
	if extra := extra(l, o.Messages); extra != "" {
		row["extra"] = extra
	}
	return row
}

func messages(list []simulator.Message) []map[string]any {
	out := []map[string]any{}
	for _, m := range list {
		message := map[string]any{}
		if m.MessageID.Set {
			message["message_id"] = m.MessageID.Value
		}
		if m.CreationDate.Set {
			message["created_at"] = formatTime(m.CreationDate.Value)
		}
		if m.Body.Set {
			message["question"] = m.Body.Value
		}
		if m.Response.Set {
			message["response"] = m.Response.Value
		}
		out = append(out, message)
	}
	return out
}

// formatTime is a time as rows have it: UTC, cut to milliseconds.
func formatTime(t time.Time) string {
	return t.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}
