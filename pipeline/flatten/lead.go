package flatten

import (
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// The documented members of the API's types. One group for each type of the
// reference; the answer and the listing are read in answer.go and builder.go.
const (
	leadSubmittedTime field = 1 << iota
	leadStatus
	leadUserID
	leadEmail
	leadExternalEmail
	leadContactInformation
	leadAdditionalInformation
	leadFinancingAnswer
	leadTradeInMake
	leadTradeInModel
	leadTradeInYear
	leadLeadFee
	leadMemberMessage
)

const (
	contactFirstName field = 1 << iota
	contactLastName
	contactPhone
	contactPostalCode
)

const (
	feeAmount field = 1 << iota
	feeDescription
)

const (
	amountValue field = 1 << iota
	amountCurrency
	amountConvertedFromValue
	amountConvertedFromCurrency
)

const memberMessageExchange field = 1

const (
	exchangeCreationDate field = 1 << iota
	exchangeQuestion
	exchangeResponse
)

const (
	questionBody field = 1 << iota
	questionMessageID
)

// submittedTime reads of a lead only its time, for those who may not need more.
func submittedTime(lead value) schema.Opt[time.Time] {
	for c := lead.into(); ; {
		name, v, ok := c.member()
		if !ok {
			return schema.Opt[time.Time]{}
		}
		if name != "submittedTime" {
			continue
		}
		t, _, ok := timeOf(v)
		return schema.Opt[time.Time]{Value: t, Valid: ok} // the first of its name counts
	}
}

// readLead reads a ClassifiedLeadResponses object into its columns.
func readLead(r *schema.Row, n *notes, m *messageStore, c cursor) {
	o := object{notes: n}
	for {
		name, v, ok := c.member()
		if !ok {
			return
		}
		switch name {
		case "submittedTime":
			o.time(leadSubmittedTime, name, v, &r.SubmittedTime)
		case "leadStatus":
			o.text(leadStatus, name, v, &r.LeadStatus)
		case "userId":
			o.text(leadUserID, name, v, &r.UserID)
		case "email":
			o.text(leadEmail, name, v, &r.Email)
		case "externalEmail":
			o.text(leadExternalEmail, name, v, &r.ExternalEmail)
		case "contactInformation":
			if contact, ok := o.composite(leadContactInformation, name, v, '{'); ok {
				readContact(r, n, contact)
			}
		case "additionalInformation":
			o.text(leadAdditionalInformation, name, v, &r.AdditionalInformation)
		case "financingAnswer":
			o.flag(leadFinancingAnswer, name, v, &r.FinancingAnswer)
		case "tradeInMake":
			o.text(leadTradeInMake, name, v, &r.TradeInMake)
		case "tradeInModel":
			o.text(leadTradeInModel, name, v, &r.TradeInModel)
		case "tradeInYear":
			o.text(leadTradeInYear, name, v, &r.TradeInYear)
		case "leadFee":
			if fee, ok := o.composite(leadLeadFee, name, v, '{'); ok {
				readFee(r, n, fee)
			}
		case "memberMessage":
			if messages, ok := o.composite(leadMemberMessage, name, v, '{'); ok {
				readMemberMessage(r, n, m, messages)
			}
		default:
			o.unknown(name, v)
		}
	}
}

// readContact reads a ContactInformation object.
func readContact(r *schema.Row, n *notes, c cursor) {
	o := object{notes: n, at: scope{path: "contactInformation"}}
	for {
		name, v, ok := c.member()
		if !ok {
			return
		}
		switch name {
		case "firstName":
			o.text(contactFirstName, name, v, &r.FirstName)
		case "lastName":
			o.text(contactLastName, name, v, &r.LastName)
		case "phone":
			o.text(contactPhone, name, v, &r.Phone)
		case "postalCode":
			o.text(contactPostalCode, name, v, &r.PostalCode)
		default:
			o.unknown(name, v)
		}
	}
}

// readFee reads a LeadFee object.
func readFee(r *schema.Row, n *notes, c cursor) {
	o := object{notes: n, at: scope{path: "leadFee"}}
	for {
		name, v, ok := c.member()
		if !ok {
			return
		}
		switch name {
		case "amount":
			if amount, ok := o.composite(feeAmount, name, v, '{'); ok {
				readAmount(r, n, amount)
			}
		case "description":
			o.text(feeDescription, name, v, &r.FeeDescription)
		default:
			o.unknown(name, v)
		}
	}
}

// readAmount reads the fee's Amount object.
func readAmount(r *schema.Row, n *notes, c cursor) {
	o := object{notes: n, at: scope{path: "leadFee.amount"}}
	for {
		name, v, ok := c.member()
		if !ok {
			return
		}
		switch name {
		case "value":
			o.amount(amountValue, name, v, &r.FeeAmount)
		case "currency":
			o.text(amountCurrency, name, v, &r.FeeCurrency)
		case "convertedFromValue":
			o.amount(amountConvertedFromValue, name, v, &r.FeeConvertedFromAmount)
		case "convertedFromCurrency":
			o.text(amountConvertedFromCurrency, name, v, &r.FeeConvertedFromCurrency)
		default:
			o.unknown(name, v)
		}
	}
}

// readMemberMessage reads a MemberMessage object. Messages is null if there is
// no array of them, and empty if the array is.
func readMemberMessage(r *schema.Row, n *notes, m *messageStore, c cursor) {
	o := object{notes: n, at: scope{path: "memberMessage"}}
	for {
		name, v, ok := c.member()
		if !ok {
			return
		}
		switch name {
		case "memberMessageExchange":
			if exchanges, ok := o.composite(memberMessageExchange, name, v, '['); ok {
				r.Messages = schema.Some(readExchanges(n, m, exchanges))
				r.MessageCount = int32(len(r.Messages.Value))
			}
		default:
			o.unknown(name, v)
		}
	}
}

// readExchanges reads the array of MemberMessageExchange objects. The result
// has one message for each element, so that indexes agree; what is no object
// becomes a message of nulls.
func readExchanges(n *notes, m *messageStore, c cursor) []schema.Message {
	messages := m.take(c.elements())
	for {
		v, ok := c.element()
		if !ok {
			return messages
		}
		o := object{notes: n, at: scope{path: "memberMessage.memberMessageExchange", index: len(messages), indexed: true}}
		messages = append(messages, schema.Message{})
		switch {
		case v.kind() == '{':
			readExchange(&o, v.into(), &messages[len(messages)-1])
		case !v.isNull():
			n.add(o.at.self(), v, false)
			n.unfit++
		}
	}
}

// readExchange reads one MemberMessageExchange object.
func readExchange(o *object, c cursor, m *schema.Message) {
	for {
		name, v, ok := c.member()
		if !ok {
			return
		}
		switch name {
		case "creationDate":
			o.time(exchangeCreationDate, name, v, &m.CreatedAt)
		case "question":
			if question, ok := o.composite(exchangeQuestion, name, v, '{'); ok {
				at := o.at
				at.below = ".question"
				readQuestion(&object{notes: o.notes, at: at}, question, m)
			}
		case "response":
			o.text(exchangeResponse, name, v, &m.Response)
		default:
			o.unknown(name, v)
		}
	}
}

// readQuestion reads the Question object of a message.
func readQuestion(o *object, c cursor, m *schema.Message) {
	for {
		name, v, ok := c.member()
		if !ok {
			return
		}
		switch name {
		case "body":
			o.text(questionBody, name, v, &m.Question)
		case "messageID":
			o.integer(questionMessageID, name, v, &m.MessageID)
		default:
			o.unknown(name, v)
		}
	}
}
