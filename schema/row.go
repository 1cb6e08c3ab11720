package schema

import "time"

// Version is the schema_version that rows of this build carry. It rises when a
// change of the columns is not purely additive.
const Version = 1

// EventType says what a row reports of a lead.
type EventType string

// The event types. A batch writes snapshots only; the other three belong to
// streams.
const (
	Snapshot EventType = "snapshot"
	Created  EventType = "created"
	Updated  EventType = "updated"
	Vanished EventType = "vanished"
)

// EventTypes are the event types that there are.
var EventTypes = []EventType{Snapshot, Created, Updated, Vanished}

// Row is one event row: one lead response of the API as it was seen at one
// time, flattened. The table in columns.go names and describes every field;
// a test holds the two together.
//
// Invariants: all strings are valid UTF-8; times are UTC, of the years 0 to 9999
// (there; RFC 3339 has no others), and have at most millisecond precision;
// decimals come from ParseDecimal; Extra, if valid, is a JSON object. The strings of a row may be views into one shared buffer, so a
// long-lived copy of a single column should be cloned.
type Row struct {
	EventID     string
	EventType   EventType
	LeadID      string
	LeadVersion Opt[int32]

	Account       string
	MarketplaceID string

	ItemID    Opt[string]
	ItemTitle Opt[string]

	SubmittedTime Opt[time.Time]
	LeadStatus    Opt[string]

	UserID        Opt[string]
	Email         Opt[string]
	ExternalEmail Opt[string]

	FirstName  Opt[string]
	LastName   Opt[string]
	Phone      Opt[string]
	PostalCode Opt[string]

	AdditionalInformation Opt[string]
	FinancingAnswer       Opt[bool]

	TradeInMake  Opt[string]
	TradeInModel Opt[string]
	TradeInYear  Opt[string]

	FeeAmount                Opt[Decimal]
	FeeCurrency              Opt[string]
	FeeConvertedFromAmount   Opt[Decimal]
	FeeConvertedFromCurrency Opt[string]
	FeeDescription           Opt[string]

	MessageCount int32
	Messages     Opt[[]Message]

	ChangedFields Opt[[]string]

	ContentHash   string
	ExtractedAt   time.Time
	SchemaVersion int32
	Extra         Opt[string]
}

// Message is one exchange between buyer and seller.
type Message struct {
	MessageID Opt[int64]
	CreatedAt Opt[time.Time]
	Question  Opt[string]
	Response  Opt[string]
}
