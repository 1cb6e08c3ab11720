package schema

// Columns is the table of columns, in the order of all outputs. Treat it as
// read-only. Everything that names a column follows from it.
var Columns = []Column{
	{Name: "event_id", Pattern: uuidPattern, Doc: "Identity of this event: a UUIDv5 of lead, event type, content and version.", Field: func(r *Row) any { return &r.EventID }},
	{Name: "event_type", Doc: "snapshot (batch); created, updated or vanished (stream).", Field: func(r *Row) any { return &r.EventType }},
	{Name: "lead_id", Pattern: uuidPattern, Doc: "Identity of the lead: a UUIDv5 of listing, time, buyer and text, since the API has none.", Field: func(r *Row) any { return &r.LeadID }},
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
	{Name: "content_hash", Pattern: hashPattern, Doc: "SHA-256 over all API content of the lead in canonical form.", Field: func(r *Row) any { return &r.ContentHash }},
	{Name: "extracted_at", Type: TypeTimestamp, Doc: "When the page that first showed this version of the lead was received.", Field: func(r *Row) any { return &r.ExtractedAt }},
	{Name: "schema_version", Type: TypeInt32, Doc: "Version of this schema.", Field: func(r *Row) any { return &r.SchemaVersion }},
	{Name: "extra", Type: TypeJSON, Nullable: true, Personal: true, Path: "*", Doc: "What has no column or does not fit it, as a JSON object by dotted path from the lead response.", Field: func(r *Row) any { return &r.Extra }},
}

// MessageColumns is the table of a message's members, in the order of all
// outputs. Treat it as read-only.
var MessageColumns = []MessageColumn{
	{Name: "message_id", Type: TypeInt64, Path: "MemberMessageExchange.question.messageID", Doc: "Identifier of the question.", Field: func(m *Message) any { return &m.MessageID }},
	{Name: "created_at", Type: TypeTimestamp, Path: "MemberMessageExchange.creationDate", Doc: "When the message was created.", Field: func(m *Message) any { return &m.CreatedAt }},
	{Name: "question", Type: TypeString, Path: "MemberMessageExchange.question.body", Doc: "What the buyer wrote.", Field: func(m *Message) any { return &m.Question }},
	{Name: "response", Type: TypeString, Path: "MemberMessageExchange.response", Doc: "What the seller answered.", Field: func(m *Message) any { return &m.Response }},
}
