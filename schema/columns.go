package schema

// Type is a column's logical type; each output format maps it to its own.
type Type uint8

// The logical types of columns.
const (
	// TypeString is text.
	TypeString Type = iota
	// TypeInt32 is a 32-bit integer.
	TypeInt32
	// TypeBool is three-valued where the column is nullable.
	TypeBool
	// TypeTimestamp is an instant: RFC 3339 with milliseconds and Z in JSON,
	// microseconds since the epoch, UTC, in typed formats.
	TypeTimestamp
	// TypeDecimal is an amount: the text as sent in JSON, DECIMAL(18,4) in typed
	// formats.
	TypeDecimal
	// TypeMessages is a list of Message.
	TypeMessages
	// TypeStrings is a list of text.
	TypeStrings
	// TypeJSON is text that is a JSON object.
	TypeJSON
)

// Column describes one column of the event row.
type Column struct {
	// Name is the column's name in every output.
	Name string
	// Type is the logical type.
	Type Type
	// Nullable says whether the column can be null.
	Nullable bool
	// Path is where the value comes from in the API's answer, as a dotted path
	// whose first part is an API type of the reference; empty for columns that
	// this project adds. Paths with "[]" pass through arrays.
	Path string
	// Personal marks data about a person: it is masked where rows are shown,
	// and kept out of file statistics.
	Personal bool
	// Doc is one sentence for people, used by all schema descriptions.
	Doc string
	// Field returns a pointer to the column's field of r. Its dynamic type is
	// one of *string, *EventType, *int32, *time.Time, *[]string and *Opt of
	// string, int32, bool, time.Time, Decimal, []Message and []string. A
	// pointer in an interface does not allocate, so that encoders can walk the
	// table with one type switch.
	Field func(r *Row) any
}

// FromAPI reports whether the column's value is the API's own, and so part of
// the content hash. message_count is derived from messages, extra collects what
// has no column: both carry API content too.
func (c Column) FromAPI() bool { return c.Path != "" }

// Columns is the table of columns, in the order of all outputs. Treat it as
// read-only. Everything that names a column follows from it.
var Columns = []Column{
	{Name: "event_id", Doc: "Identity of this event: a UUIDv5 of lead, event type, content and version.", Field: func(r *Row) any { return &r.EventID }},
	{Name: "event_type", Doc: "snapshot (batch); created, updated or vanished (stream).", Field: func(r *Row) any { return &r.EventType }},
	{Name: "lead_id", Doc: "Identity of the lead: a UUIDv5 of listing, time, buyer and text, since the API has none.", Field: func(r *Row) any { return &r.LeadID }},
	{Name: "lead_version", Type: TypeInt32, Nullable: true, Doc: "Stream: 1 at first sight, then counting up with each event of the lead. Batch: null.", Field: func(r *Row) any { return &r.LeadVersion }},
	{Name: "account", Doc: "The configuration's name for the seller.", Field: func(r *Row) any { return &r.Account }},
	{Name: "marketplace_id", Doc: "The eBay marketplace asked, for example EBAY_DE.", Field: func(r *Row) any { return &r.MarketplaceID }},
	{Name: "item_id", Nullable: true, Path: "ClassifiedLead.itemId", Doc: "Identifier of the listing.", Field: func(r *Row) any { return &r.ItemID }},
	{Name: "item_title", Nullable: true, Path: "ClassifiedLead.itemTitle", Doc: "Title of the listing.", Field: func(r *Row) any { return &r.ItemTitle }},
	{Name: "submitted_time", Type: TypeTimestamp, Nullable: true, Path: "ClassifiedLeadResponses.submittedTime", Doc: "When the lead was submitted.", Field: func(r *Row) any { return &r.SubmittedTime }},
	{Name: "lead_status", Nullable: true, Path: "ClassifiedLeadResponses.leadStatus", Doc: "NEW or RESPONDED; values unknown to the reference are kept as they are.", Field: func(r *Row) any { return &r.LeadStatus }},
	{Name: "user_id", Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.userId", Doc: "The buyer's eBay user id; absent if not logged in.", Field: func(r *Row) any { return &r.UserID }},
	{Name: "email", Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.email", Doc: "The buyer's e-mail address, if logged in.", Field: func(r *Row) any { return &r.Email }},
	{Name: "external_email", Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.externalEmail", Doc: "The e-mail address as entered in the lead form (Motors).", Field: func(r *Row) any { return &r.ExternalEmail }},
	{Name: "first_name", Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.contactInformation.firstName", Doc: "The buyer's first name.", Field: func(r *Row) any { return &r.FirstName }},
	{Name: "last_name", Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.contactInformation.lastName", Doc: "The buyer's last name.", Field: func(r *Row) any { return &r.LastName }},
	{Name: "phone", Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.contactInformation.phone", Doc: "The buyer's primary phone number.", Field: func(r *Row) any { return &r.Phone }},
	{Name: "postal_code", Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.contactInformation.postalCode", Doc: "The buyer's postal code.", Field: func(r *Row) any { return &r.PostalCode }},
	{Name: "additional_information", Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.additionalInformation", Doc: "The buyer's first message.", Field: func(r *Row) any { return &r.AdditionalInformation }},
	{Name: "financing_answer", Type: TypeBool, Nullable: true, Path: "ClassifiedLeadResponses.financingAnswer", Doc: "Whether the buyer would like financing (Motors); null if not answered.", Field: func(r *Row) any { return &r.FinancingAnswer }},
	{Name: "trade_in_make", Nullable: true, Path: "ClassifiedLeadResponses.tradeInMake", Doc: "Make of the vehicle to trade in (Motors).", Field: func(r *Row) any { return &r.TradeInMake }},
	{Name: "trade_in_model", Nullable: true, Path: "ClassifiedLeadResponses.tradeInModel", Doc: "Model of the vehicle to trade in (Motors).", Field: func(r *Row) any { return &r.TradeInModel }},
	{Name: "trade_in_year", Nullable: true, Path: "ClassifiedLeadResponses.tradeInYear", Doc: "Year of the vehicle to trade in (Motors).", Field: func(r *Row) any { return &r.TradeInYear }},
	{Name: "fee_amount", Type: TypeDecimal, Nullable: true, Path: "ClassifiedLeadResponses.leadFee.amount.value", Doc: "Fee charged for the lead.", Field: func(r *Row) any { return &r.FeeAmount }},
	{Name: "fee_currency", Nullable: true, Path: "ClassifiedLeadResponses.leadFee.amount.currency", Doc: "ISO 4217 currency of fee_amount.", Field: func(r *Row) any { return &r.FeeCurrency }},
	{Name: "fee_converted_from_amount", Type: TypeDecimal, Nullable: true, Path: "ClassifiedLeadResponses.leadFee.amount.convertedFromValue", Doc: "The fee before currency conversion.", Field: func(r *Row) any { return &r.FeeConvertedFromAmount }},
	{Name: "fee_converted_from_currency", Nullable: true, Path: "ClassifiedLeadResponses.leadFee.amount.convertedFromCurrency", Doc: "ISO 4217 currency of fee_converted_from_amount.", Field: func(r *Row) any { return &r.FeeConvertedFromCurrency }},
	{Name: "fee_description", Nullable: true, Path: "ClassifiedLeadResponses.leadFee.description", Doc: "Explanation of the fee.", Field: func(r *Row) any { return &r.FeeDescription }},
	{Name: "message_count", Type: TypeInt32, Path: "ClassifiedLeadResponses.memberMessage.memberMessageExchange[]", Doc: "Number of messages; 0 when messages were not asked for.", Field: func(r *Row) any { return &r.MessageCount }},
	{Name: "messages", Type: TypeMessages, Nullable: true, Personal: true, Path: "ClassifiedLeadResponses.memberMessage.memberMessageExchange[]", Doc: "The exchange between buyer and seller; null when messages were not asked for.", Field: func(r *Row) any { return &r.Messages }},
	{Name: "changed_fields", Type: TypeStrings, Nullable: true, Doc: "Of updated events: the columns that differ from the version before.", Field: func(r *Row) any { return &r.ChangedFields }},
	{Name: "content_hash", Doc: "SHA-256 over all API content of the lead in canonical form.", Field: func(r *Row) any { return &r.ContentHash }},
	{Name: "extracted_at", Type: TypeTimestamp, Doc: "When the page that first showed this version of the lead was received.", Field: func(r *Row) any { return &r.ExtractedAt }},
	{Name: "schema_version", Type: TypeInt32, Doc: "Version of this schema.", Field: func(r *Row) any { return &r.SchemaVersion }},
	{Name: "extra", Type: TypeJSON, Nullable: true, Personal: true, Path: "*", Doc: "What has no column or does not fit it, as a JSON object by dotted path from the lead response.", Field: func(r *Row) any { return &r.Extra }},
}
