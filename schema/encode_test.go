package schema

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// oracleRow is the row for a general-purpose encoder, in the order of DESIGN.
type oracleRow struct {
	EventID                  string           `json:"event_id"`
	EventType                string           `json:"event_type"`
	LeadID                   string           `json:"lead_id"`
	LeadVersion              *int32           `json:"lead_version,omitzero"`
	Account                  string           `json:"account"`
	MarketplaceID            string           `json:"marketplace_id"`
	ItemID                   *string          `json:"item_id,omitzero"`
	ItemTitle                *string          `json:"item_title,omitzero"`
	SubmittedTime            *string          `json:"submitted_time,omitzero"`
	LeadStatus               *string          `json:"lead_status,omitzero"`
	UserID                   *string          `json:"user_id,omitzero"`
	Email                    *string          `json:"email,omitzero"`
	ExternalEmail            *string          `json:"external_email,omitzero"`
	FirstName                *string          `json:"first_name,omitzero"`
	LastName                 *string          `json:"last_name,omitzero"`
	Phone                    *string          `json:"phone,omitzero"`
	PostalCode               *string          `json:"postal_code,omitzero"`
	AdditionalInformation    *string          `json:"additional_information,omitzero"`
	FinancingAnswer          *bool            `json:"financing_answer,omitzero"`
	TradeInMake              *string          `json:"trade_in_make,omitzero"`
	TradeInModel             *string          `json:"trade_in_model,omitzero"`
	TradeInYear              *string          `json:"trade_in_year,omitzero"`
	FeeAmount                *string          `json:"fee_amount,omitzero"`
	FeeCurrency              *string          `json:"fee_currency,omitzero"`
	FeeConvertedFromAmount   *string          `json:"fee_converted_from_amount,omitzero"`
	FeeConvertedFromCurrency *string          `json:"fee_converted_from_currency,omitzero"`
	FeeDescription           *string          `json:"fee_description,omitzero"`
	MessageCount             int32            `json:"message_count"`
	Messages                 *[]oracleMessage `json:"messages,omitzero"`
	ChangedFields            *[]string        `json:"changed_fields,omitzero"`
	ContentHash              string           `json:"content_hash"`
	ExtractedAt              string           `json:"extracted_at"`
	SchemaVersion            int32            `json:"schema_version"`
	Extra                    *string          `json:"extra,omitzero"`
}

type oracleMessage struct {
	MessageID *int64  `json:"message_id,omitzero"`
	CreatedAt *string `json:"created_at,omitzero"`
	Question  *string `json:"question,omitzero"`
	Response  *string `json:"response,omitzero"`
}

func oracle(r *Row) oracleRow {
	o := oracleRow{
		EventID: r.EventID, EventType: string(r.EventType), LeadID: r.LeadID, LeadVersion: pointer(r.LeadVersion),
		Account: r.Account, MarketplaceID: r.MarketplaceID,
		ItemID: pointer(r.ItemID), ItemTitle: pointer(r.ItemTitle), SubmittedTime: timeText(r.SubmittedTime), LeadStatus: pointer(r.LeadStatus),
		UserID: pointer(r.UserID), Email: pointer(r.Email), ExternalEmail: pointer(r.ExternalEmail),
		FirstName: pointer(r.FirstName), LastName: pointer(r.LastName), Phone: pointer(r.Phone), PostalCode: pointer(r.PostalCode),
		AdditionalInformation: pointer(r.AdditionalInformation), FinancingAnswer: pointer(r.FinancingAnswer),
		TradeInMake: pointer(r.TradeInMake), TradeInModel: pointer(r.TradeInModel), TradeInYear: pointer(r.TradeInYear),
		FeeAmount: decimalText(r.FeeAmount), FeeCurrency: pointer(r.FeeCurrency),
		FeeConvertedFromAmount: decimalText(r.FeeConvertedFromAmount), FeeConvertedFromCurrency: pointer(r.FeeConvertedFromCurrency),
		FeeDescription: pointer(r.FeeDescription), MessageCount: r.MessageCount, ChangedFields: pointer(r.ChangedFields),
		ContentHash: r.ContentHash, ExtractedAt: *timeText(Some(r.ExtractedAt)), SchemaVersion: r.SchemaVersion, Extra: pointer(r.Extra),
	}
	if r.Messages.Valid {
		list := []oracleMessage{}
		for _, m := range r.Messages.Value {
			list = append(list, oracleMessage{pointer(m.MessageID), timeText(m.CreatedAt), pointer(m.Question), pointer(m.Response)})
		}
		o.Messages = &list
	}
	return o
}

func pointer[T any](o Opt[T]) *T {
	if !o.Valid {
		return nil
	}
	return &o.Value
}

func timeText(o Opt[time.Time]) *string {
	if !o.Valid {
		return nil
	}
	s := o.Value.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	return &s
}

func decimalText(o Opt[Decimal]) *string {
	if !o.Valid {
		return nil
	}
	return &o.Value.Text
}

// Rows are encoded as a general-purpose encoder does it, byte for byte.
func TestAppendJSONAsOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rows().Draw(t, "row")
		want, err := json.Marshal(oracle(r))
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendJSON([]byte("before\n"), r)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != "before\n"+string(want) {
			t.Fatalf("got\n%s, want\n%s", got, want)
		}
	})
}

// Of a row against the invariants, the column is named and nothing is written.
func TestAppendJSONRefusesInvalidUTF8(t *testing.T) {
	const bad = "secret\xff"
	before := []byte("before")
	for _, c := range Columns {
		r := sampleRow(t)
		switch v := c.Field(r).(type) {
		case *string:
			*v = bad
		case *EventType:
			*v = bad
		case *Opt[string]:
			*v = Some(bad)
		case *Opt[Decimal]:
			*v = Some(Decimal{Text: bad})
		case *Opt[[]string]:
			*v = Some([]string{"a", bad, "b"})
		case *Opt[[]Message]:
			for _, m := range []Message{{Question: Some(bad)}, {Response: Some(bad)}, {Question: Some(bad), Response: Some("a")}} {
				*v = Some([]Message{{}, m, {}})
				refuse(t, before, r, c.Name)
			}
		default:
			continue // no text
		}
		refuse(t, before, r, c.Name)
	}
}

func refuse(t *testing.T, before []byte, r *Row, column string) {
	t.Helper()
	got, err := AppendJSON(before, r)
	if err == nil || string(got) != string(before) {
		t.Errorf("column %s: %q, %v", column, got, err)
		return
	}
	if !strings.Contains(err.Error(), column) || strings.Contains(err.Error(), "secret") {
		t.Errorf("column %s: the error is %q", column, err)
	}
}

// What is there is null exactly if it is left out; empty is not null.
func TestAppendJSONNullAndEmpty(t *testing.T) {
	line, err := AppendJSON(nil, &Row{UserID: Some(""), Messages: Some[[]Message](nil), FinancingAnswer: Some(false), Extra: Some("{}")})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"event_id":"","event_type":"","lead_id":"","account":"","marketplace_id":"","user_id":"","financing_answer":false,` +
		`"message_count":0,"messages":[],"content_hash":"","extracted_at":"0001-01-01T00:00:00.000Z","schema_version":0,"extra":"{}"}`
	if string(line) != want {
		t.Errorf("%s, want %s", line, want)
	}
	if !jsontext.Value(line).IsValid() {
		t.Error("not JSON")
	}
}
