package simulator

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// longText is the length of the long texts in bytes.
const longText = 64 << 10

// maxTitle is the reference's limit of itemTitle in characters.
const maxTitle = 80

// itemIDs of listings are from here on, and apart, so that a wrong id is
// unlikely to be another listing's.
const (
	firstItemID = 110_500_000_000
	itemIDStep  = 37
)

func itemID(listing int) string {
	return strconv.FormatInt(firstItemID+int64(listing)*itemIDStep, 10)
}

// listing sets the fields of the listing.
func (g *generator) listing(d *draft, listing int) {
	d.ItemID = Some(itemID(listing))
	r := newRNG(g.seed, aspectTitle, uint64(listing))
	brand, noun := pick(&r, tradeMakes), pick(&r, itemNouns)
	title := append(d.scratch[:0], brand...)
	left := maxTitle - utf8.RuneCountInString(brand) - utf8.RuneCountInString(noun) - 1
	for range 3 + r.below(6) {
		word := pick(&r, itemWords)
		if left -= 1 + utf8.RuneCountInString(word); left < 0 {
			break
		}
		title = append(append(title, ' '), word...)
	}
	title = append(append(title, ' '), noun...)
	d.scratch = title
	d.ItemTitle = Some(string(title))
	g.oddListing(d, &r)
}

// prose returns about n bytes of text in the language.
func (g *generator) prose(d *draft, r *rng, l *language, n int, odd bool) string {
	text := append(d.scratch[:0], pick(r, l.openings)...)
	text = append(text, l.end...)
	sentence := 0
	for len(text) < n {
		if sentence > 0 {
			text = append(text, l.join...)
		}
		switch {
		case odd && r.chance(0.3):
			text = append(append(text, pick(r, oddPieces)...), ' ')
		case r.chance(0.15):
			text = append(strconv.AppendInt(text, int64(r.below(250_000)), 10), l.join...)
			text = strconv.AppendUint(text, r.next()>>40, 36) // a reference, a plate, part of a number
		default:
			text = append(text, pick(r, l.words)...)
		}
		if sentence++; sentence > 6 && r.chance(0.2) {
			text = append(text, l.end...)
			sentence = 0
		}
	}
	d.scratch = text
	return string(text)
}

// length draws the length of a text with the given mean.
func length(r *rng, mean int) int { return mean/3 + r.below(mean+1) + r.below(mean/3+1) }

// words sets the first message.
func (g *generator) words(d *draft, i int, p *person) {
	r := newRNG(g.seed, aspectText, uint64(g.writer(i)))
	long, odd := r.chance(g.rates.LongTexts), r.chance(g.rates.OddTexts)
	d.ascii = odd && r.chance(0.3)
	if r.chance(0.02) && !g.undated(i) {
		return // the form was sent without a text
	}
	n := length(&r, g.text)
	if long {
		n = longText
	}
	text := g.prose(d, &r, p.language, n, odd)
	if long {
		// Cut at a character, so that it is as long as the limit allows.
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	d.AdditionalInformation = Some(text)
}

// details sets the answers of the Motors form, and the fee.
func (g *generator) details(d *draft, i int) {
	r := newRNG(g.seed, aspectDetail, uint64(i))
	if r.chance(0.5) {
		d.FinancingAnswer = Some(r.chance(0.5))
	}
	if r.chance(0.2) {
		d.TradeInMake, d.TradeInModel = Some(pick(&r, tradeMakes)), Some(pick(&r, tradeModels))
		if r.chance(0.9) {
			d.TradeInYear = Some(strconv.Itoa(1965 + r.below(60)))
		}
	}
	if r.chance(0.15) {
		return
	}
	d.FeeAmount, d.FeeCurrency = Some(price(&r)), Some("EUR")
	if r.chance(0.9) {
		d.FeeDescription = Some(pick(&r, feeTexts))
	}
	if r.chance(0.08) {
		d.FeeConvertedFromAmount, d.FeeConvertedFromCurrency = Some(price(&r)), Some(pick(&r, []string{"USD", "GBP", "PLN"}))
	}
}

// price is an amount in one of the ways in which amounts are written.
func price(r *rng) string {
	cents := r.below(5000)
	switch r.below(12) {
	case 0:
		return strconv.Itoa(cents)
	case 1:
		return strconv.FormatFloat(float64(cents)/10, 'f', 1, 64)
	case 2:
		return strconv.FormatFloat(float64(cents)/1000, 'f', 4, 64)
	case 3:
		return "0.00"
	case 4:
		return "-" + strconv.FormatFloat(float64(cents+1)/100, 'f', 2, 64)
	case 5:
		return strconv.FormatFloat(float64(cents)/100, 'f', 6, 64) // zeros at the end fit
	default:
		return strconv.FormatFloat(float64(cents)/100, 'f', 2, 64)
	}
}

// messages sets the exchange. Its first question is the first message.
func (g *generator) messages(d *draft, i int, p *person) {
	r := newRNG(g.seed, aspectMessages, uint64(i))
	if r.chance(0.02) {
		if r.chance(0.2) {
			d.Messages = Some([]Message{})
		}
		return
	}
	list := make([]Message, 0, 4)
	list = append(list, Message{
		MessageID: Some(messageID(i, 0)), CreationDate: Some(d.Created), Body: d.AdditionalInformation,
	})
	for n := 1; n < 4 && r.chance(0.25); n++ {
		list[n-1].Response = Some(g.prose(d, &r, p.language, length(&r, g.text/2), false))
		list = append(list, Message{
			MessageID: Some(messageID(i, n)), CreationDate: Some(d.Created.Add(time.Duration(n*(1+r.below(50_000))) * time.Second)),
			Body: Some(g.prose(d, &r, p.language, length(&r, g.text/2), false)),
		})
	}
	if g.statusOf(i) == statusResponded {
		list[len(list)-1].Response = Some(g.prose(d, &r, p.language, length(&r, g.text/2), false))
	}
	d.Messages = Some(list)
}

// messageID is unique in the world: no lead has a thousand messages.
func messageID(i, n int) int64 { return 2_100_000_000_000 + int64(i)*1000 + int64(n) }

// edit applies the n-th change to a lead.
func (g *generator) edit(d *draft, i, n int, e editKind, p *person) {
	r := newRNG(g.seed, aspectChurn, uint64(i)*1000+uint64(n))
	text := g.prose(d, &r, p.language, length(&r, g.text/2), false)
	if e == editRespond {
		d.LeadStatus = Some(statusResponded)
		delete(d.Misfits, "leadStatus")
		d.forgetNull("leadStatus")
	}
	if _, unfit := d.Misfits["memberMessage"]; unfit {
		return
	}
	d.forgetNull("memberMessage")
	list := d.Messages.Value
	if e == editMessage || len(list) == 0 {
		list = append(list, Message{
			MessageID:    Some(messageID(i, 500+n)),
			CreationDate: Some(d.Created.Add(time.Duration(n+1) * 26 * time.Hour)),
			Body:         Some(text),
		})
	}
	if e == editRespond {
		last := &list[len(list)-1]
		last.Response = Some("Re " + strconv.Itoa(n) + ": " + text)
		delete(d.Misfits, messagePath(len(list)-1, "response"))
	}
	d.Messages = Some(list)
}

func (d *draft) forgetNull(path string) {
	if d.null == path {
		d.null = ""
	}
}

// messagePath is the path of a field of the n-th message.
func messagePath(n int, field string) string {
	path := "memberMessage.memberMessageExchange[" + strconv.Itoa(n) + "]"
	if field == "" {
		return path
	}
	return path + "." + field
}
