package simulator

import (
	"encoding/json"
	"time"
)

// Opt is a value that an answer may leave out.
type Opt[T any] struct {
	Value T
	Set   bool
}

// Some returns an Opt that holds v.
func Some[T any](v T) Opt[T] { return Opt[T]{Value: v, Set: true} }

// IsZero reports that there is no value; JSON then leaves the field out.
func (o Opt[T]) IsZero() bool { return !o.Set }

// MarshalJSON writes the value, or null.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.Set {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*o = Opt[T]{}
		return nil
	}
	o.Set = true
	return json.Unmarshal(b, &o.Value)
}

// Lead is one lead response as the API shows it at one version of the world,
// with its listing.
//
// A documented field is set if, and only if, the answer has it with a value of
// the documented type that fits: all others are in Misfits as they are served.
// Strings are valid UTF-8. The JSON of a Lead (truth of the admin surface) is
// lossless.
type Lead struct {
	// Index is the lead's number in the world; it never changes.
	Index int `json:"index"`
	// Version is that of the world when the lead last changed, 0 if it never did.
	Version uint64 `json:"version,omitzero"`
	// Created is the second that the API filters by, whatever SubmittedTime says.
	Created time.Time `json:"created"`
	// Buyer is the number of the person, whatever the fields show of them.
	Buyer int `json:"buyer"`
	// Active says that the listing has not ended.
	Active bool `json:"active"`

	ItemID    Opt[string] `json:"item_id,omitzero"`
	ItemTitle Opt[string] `json:"item_title,omitzero"`

	// SubmittedTime is the instant told, UTC, milliseconds at most.
	SubmittedTime Opt[time.Time] `json:"submitted_time,omitzero"`
	LeadStatus    Opt[string]    `json:"lead_status,omitzero"`
	UserID        Opt[string]    `json:"user_id,omitzero"`
	Email         Opt[string]    `json:"email,omitzero"`
	ExternalEmail Opt[string]    `json:"external_email,omitzero"`

	FirstName  Opt[string] `json:"first_name,omitzero"`
	LastName   Opt[string] `json:"last_name,omitzero"`
	Phone      Opt[string] `json:"phone,omitzero"`
	PostalCode Opt[string] `json:"postal_code,omitzero"`

	AdditionalInformation Opt[string] `json:"additional_information,omitzero"`
	FinancingAnswer       Opt[bool]   `json:"financing_answer,omitzero"`
	TradeInMake           Opt[string] `json:"trade_in_make,omitzero"`
	TradeInModel          Opt[string] `json:"trade_in_model,omitzero"`
	TradeInYear           Opt[string] `json:"trade_in_year,omitzero"`

	// Amounts are plain decimal numbers with at most 14 digits before and 4
	// after the point, as sent.
	FeeAmount                Opt[string] `json:"fee_amount,omitzero"`
	FeeCurrency              Opt[string] `json:"fee_currency,omitzero"`
	FeeConvertedFromAmount   Opt[string] `json:"fee_converted_from_amount,omitzero"`
	FeeConvertedFromCurrency Opt[string] `json:"fee_converted_from_currency,omitzero"`
	FeeDescription           Opt[string] `json:"fee_description,omitzero"`

	// Messages is the exchange; not set if the answer has no memberMessage even
	// when messages are asked for.
	Messages Opt[[]Message] `json:"messages,omitzero"`

	// Misfits are values of documented fields that do not fit, as served, by
	// path: "leadFee.amount.value", "listing.itemTitle",
	// "memberMessage.memberMessageExchange[1].question.messageID".
	Misfits map[string][]byte `json:"misfits,omitempty"`
	// Unknown are the fields that the reference does not name, as served, by the
	// same kind of path.
	Unknown map[string][]byte `json:"unknown,omitempty"`

	// Dead says that the response is no object: nothing but Raw is known of it.
	Dead bool `json:"dead,omitempty"`
	// Raw is the response as served when messages are asked for. It may hold
	// bytes that are no UTF-8.
	Raw []byte `json:"raw"`
}

// Message is one exchange between buyer and seller.
type Message struct {
	MessageID    Opt[int64]     `json:"message_id,omitzero"`
	CreationDate Opt[time.Time] `json:"creation_date,omitzero"`
	// Body is the question's text.
	Body     Opt[string] `json:"body,omitzero"`
	Response Opt[string] `json:"response,omitzero"`
}
