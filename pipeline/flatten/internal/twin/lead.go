package twin

import (
	"time"

	"github.com/leads-etl/leads-etl/schema"
)

// The documented members of the API's types. One group for each type of the
// reference; the answer and the listing are read in answer.go and page.go.
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
func submittedTime(lead string) schema.Opt[time.Time] {
	for c := into(lead); ; {
		quoted, value, ok := c.member()
		if !ok {
			return schema.Opt[time.Time]{}
		}
		if nameOf(quoted) != "submittedTime" {
			continue
		}
		t, _, ok := timeOf(value)
		return schema.Opt[time.Time]{Value: t, Valid: ok} // the first of its name counts
	}
}

// readLead reads a ClassifiedLeadResponses object into its columns.
func readLead(r *schema.Row, n *notes, text string) {
	o := object{notes: n}
	for c := into(text); ; {
		quoted, value, ok := c.member()
		if !ok {
			return
		}
		switch name := nameOf(quoted); name {
		case "submittedTime":
			o.time(leadSubmittedTime, name, value, &r.SubmittedTime)
		case "leadStatus":
			o.text(leadStatus, name, value, &r.LeadStatus)
		case "userId":
			o.text(leadUserID, name, value, &r.UserID)
		case "email":
			o.text(leadEmail, name, value, &r.Email)
		case "externalEmail":
			o.text(leadExternalEmail, name, value, &r.ExternalEmail)
		case "contactInformation":
			if contact, ok := o.composite(leadContactInformation, name, value, '{'); ok {
				readContact(r, n, contact)
			}
		case "additionalInformation":
			o.text(leadAdditionalInformation, name, value, &r.AdditionalInformation)
		case "financingAnswer":
			o.flag(leadFinancingAnswer, name, value, &r.FinancingAnswer)
		case "tradeInMake":
			o.text(leadTradeInMake, name, value, &r.TradeInMake)
		case "tradeInModel":
			o.text(leadTradeInModel, name, value, &r.TradeInModel)
		case "tradeInYear":
			o.text(leadTradeInYear, name, value, &r.TradeInYear)
		case "leadFee":
			if fee, ok := o.composite(leadLeadFee, name, value, '{'); ok {
				readFee(r, n, fee)
			}
		case "memberMessage":
			if messages, ok := o.composite(leadMemberMessage, name, value, '{'); ok {
				readMemberMessage(r, n, messages)
			}
		default:
			o.unknown(name, value)
		}
	}
}

// readContact reads a ContactInformation object.
func readContact(r *schema.Row, n *notes, text string) {
	o := object{notes: n, at: scope{path: "contactInformation"}}
	for c := into(text); ; {
		quoted, value, ok := c.member()
		if !ok {
			return
		}
		switch name := nameOf(quoted); name {
		case "firstName":
			o.text(contactFirstName, name, value, &r.FirstName)
		case "lastName":
			o.text(contactLastName, name, value, &r.LastName)
		case "phone":
			o.text(contactPhone, name, value, &r.Phone)
		case "postalCode":
			o.text(contactPostalCode, name, value, &r.PostalCode)
		default:
			o.unknown(name, value)
		}
	}
}

// readFee reads a LeadFee object.
func readFee(r *schema.Row, n *notes, text string) {
	o := object{notes: n, at: scope{path: "leadFee"}}
	for c := into(text); ; {
		quoted, value, ok := c.member()
		if !ok {
			return
		}
		switch name := nameOf(quoted); name {
		case "amount":
			if amount, ok := o.composite(feeAmount, name, value, '{'); ok {
				readAmount(r, n, amount)
			}
		case "description":
			o.text(feeDescription, name, value, &r.FeeDescription)
		default:
			o.unknown(name, value)
		}
	}
}

// readAmount reads the fee's Amount object.
func readAmount(r *schema.Row, n *notes, text string) {
	o := object{notes: n, at: scope{path: "leadFee.amount"}}
	for c := into(text); ; {
		quoted, value, ok := c.member()
		if !ok {
			return
		}
		switch name := nameOf(quoted); name {
		case "value":
			o.amount(amountValue, name, value, &r.FeeAmount)
		case "currency":
			o.text(amountCurrency, name, value, &r.FeeCurrency)
		case "convertedFromValue":
			o.amount(amountConvertedFromValue, name, value, &r.FeeConvertedFromAmount)
		case "convertedFromCurrency":
			o.text(amountConvertedFromCurrency, name, value, &r.FeeConvertedFromCurrency)
		default:
			o.unknown(name, value)
		}
	}
}

// readMemberMessage reads a MemberMessage object. Messages is null if there is
// no array of them, and empty if the array is.
func readMemberMessage(r *schema.Row, n *notes, text string) {
	o := object{notes: n, at: scope{path: "memberMessage"}}
	for c := into(text); ; {
		quoted, value, ok := c.member()
		if !ok {
			return
		}
		switch name := nameOf(quoted); name {
		case "memberMessageExchange":
			if exchanges, ok := o.composite(memberMessageExchange, name, value, '['); ok {
				r.Messages = schema.Some(readExchanges(n, exchanges))
				r.MessageCount = int32(len(r.Messages.Value))
			}
		default:
			o.unknown(name, value)
		}
	}
}

// readExchanges reads the array of MemberMessageExchange objects. The result
// has one message for each element, so that indexes agree; what is no object
// becomes a message of nulls.
func readExchanges(n *notes, text string) []schema.Message {
	messages := []schema.Message{}
	for c := into(text); ; {
		value, ok := c.element()
		if !ok {
			return messages
		}
		o := object{notes: n, at: scope{path: "memberMessage.memberMessageExchange", index: len(messages), indexed: true}}
		messages = append(messages, schema.Message{})
		switch {
		case value[0] == '{':
			readExchange(&o, value, &messages[len(messages)-1])
		case value != "null":
			n.add(o.at.self(), value, false)
			n.unfit++
		}
	}
}

// readExchange reads one MemberMessageExchange object.
func readExchange(o *object, text string, m *schema.Message) {
	for c := into(text); ; {
		quoted, value, ok := c.member()
		if !ok {
			return
		}
		switch name := nameOf(quoted); name {
		case "creationDate":
			o.time(exchangeCreationDate, name, value, &m.CreatedAt)
		case "question":
			if question, ok := o.composite(exchangeQuestion, name, value, '{'); ok {
				at := o.at
				at.below = ".question"
				readQuestion(&object{notes: o.notes, at: at}, question, m)
			}
		case "response":
			o.text(exchangeResponse, name, value, &m.Response)
		default:
			o.unknown(name, value)
		}
	}
}

// readQuestion reads the Question object of a message.
func readQuestion(o *object, text string, m *schema.Message) {
	for c := into(text); ; {
		quoted, value, ok := c.member()
		if !ok {
			return
		}
		switch name := nameOf(quoted); name {
		case "body":
			o.text(questionBody, name, value, &m.Question)
		case "messageID":
			o.integer(questionMessageID, name, value, &m.MessageID)
		default:
			o.unknown(name, value)
		}
	}
}
