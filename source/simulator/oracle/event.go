package oracle

import "maps"

// Event returns the row of an event: a lead as Rows has it, as the version-th
// event of a type in a stream; the version of snapshots, which are no events of a
// stream, is 0. before is how the event before showed the lead, and is needed for
// updates only.
func Event(lead, before Row, eventType, leadID string, version int64) Row {
	row := maps.Clone(lead)
	row["event_type"] = eventType
	row["lead_id"] = leadID
	if version > 0 {
		row["lead_version"] = version
	}
	if eventType == "updated" {
		row["changed_fields"] = Changed(before, lead)
	}
	row["event_id"] = eventID(row)
	return row
}

// hashed are the columns from the API, in the order of the design's table.
var hashed = []string{
	"item_id", "item_title", "submitted_time", "lead_status", "user_id", "email", "external_email",
	"first_name", "last_name", "phone", "postal_code", "additional_information", "financing_answer",
	"trade_in_make", "trade_in_model", "trade_in_year",
	"fee_amount", "fee_currency", "fee_converted_from_amount", "fee_converted_from_currency", "fee_description",
	"message_count", "messages", "extra",
}

// Changed names the columns in which two rows say something else, in the order
// of the table. The result is not nil.
func Changed(before, after Row) []string {
	changed := []string{}
	for _, column := range hashed {
		b, had := before[column]
		a, has := after[column]
		if had != has || has && canonicalColumn(column, b) != canonicalColumn(column, a) {
			changed = append(changed, column)
		}
	}
	return changed
}
