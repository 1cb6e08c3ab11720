package simulator

import (
	"strconv"
	"time"
)

// oddities gives the lead what its rates have for it: unknown fields, values
// that do not fit, nulls, texts that are no Unicode.
func (g *generator) oddities(d *draft, i int) {
	if g.undated(i) {
		return // it must be told from others by its buyer and its text
	}
	r := newRNG(g.seed, aspectOdd, uint64(i))
	// A text that is broken is so in every copy of it.
	text := newRNG(g.seed, aspectOdd, 1<<40+uint64(g.writer(i)))
	if text.chance(g.rates.BadTexts) {
		g.breakText(d, &text)
	}
	if r.chance(g.rates.UnknownFields) {
		for range 1 + r.below(3) {
			unknown(d, &r)
		}
	}
	if r.chance(g.rates.Misfits) {
		pick(&r, misfits)(d, &r)
	}
	if r.chance(g.rates.Nulls) {
		pick(&r, nulls)(d)
	}
	d.feeNumber = r.chance(g.rates.Nulls)
}

func (d *draft) misfit(path, raw string) {
	if d.Misfits == nil {
		d.Misfits = make(map[string][]byte)
	}
	d.Misfits[path] = []byte(raw)
}

func (d *draft) unknown(path, raw string) {
	if d.Unknown == nil {
		d.Unknown = make(map[string][]byte)
	}
	d.Unknown[path] = []byte(raw)
}

// unknownValues are values of all JSON types, some with white space inside.
var unknownValues = []string{
	`7`, `-0.50`, `1e3`, `123456789012345678901234567890`, `true`, `null`, `"Dr"`, `""`, `"caf\u00e9 \ud83d\ude97"`,
	`{"b": 1, "a" : [ 1, 2.0, {"x":null} ]}`, `[]`, `{}`, `[ "a" , "b" ]`, `{"nested":{"deeper":{"deepest":"\"\\\/\n"}}}`,
}

// unknownPlaces are the paths of fields that the reference does not name.
var unknownPlaces = []string{
	"leadScore", "buyerRegion", "zz_internal", "contactInformation.title", "contactInformation.preferred Contact.Time",
	"leadFee.taxIncluded", "leadFee.amount.precision", "memberMessage.total", "größe",
}

func unknown(d *draft, r *rng) {
	place, value := r.below(len(unknownPlaces)+2), pick(r, unknownValues)
	switch {
	case place < len(unknownPlaces):
		path := unknownPlaces[place]
		if path == "memberMessage.total" && !d.Messages.Set {
			return // without messages there is no memberMessage to hold it
		}
		d.unknown(path, value)
	case len(d.Messages.Value) > 0:
		n := r.below(len(d.Messages.Value))
		field := "readByBuyer"
		if place > len(unknownPlaces) {
			field = "question.sentiment"
		}
		d.unknown(messagePath(n, field), value)
	}
}

// oddListing gives a listing an unknown field, or a title that is no string.
func (g *generator) oddListing(d *draft, r *rng) {
	if r.chance(g.rates.UnknownFields) {
		d.unknown("listing."+pick(r, []string{"listingFormat", "itemLocation", "views", "x.y"}), pick(r, unknownValues))
	}
	if r.chance(g.rates.Misfits) {
		d.ItemTitle = Opt[string]{}
		d.misfit("listing.itemTitle", pick(r, []string{`911`, `["Porsche"]`, `false`}))
	}
}

// misfits replace a value by one that does not fit its column. Where the field
// is part of an object that the lead does not have, the object comes to be.
var misfits = []func(*draft, *rng){
	func(d *draft, r *rng) {
		d.FeeAmount = Opt[string]{}
		d.misfit("leadFee.amount.value", pick(r, []string{
			`"n/a"`, `"12,50"`, `"1.234567"`, `""`, `"1e3"`, `"123456789012345.00"`, `"+5"`, `" 5 "`, `1.5e-9`, `{"value":"5"}`, `true`,
		}))
	},
	func(d *draft, r *rng) {
		d.FeeConvertedFromAmount = Opt[string]{}
		d.misfit("leadFee.amount.convertedFromValue", pick(r, []string{`"free"`, `"0.00001"`, `"."`}))
	},
	func(d *draft, r *rng) {
		d.TradeInYear = Opt[string]{}
		d.misfit("tradeInYear", strconv.Itoa(1965+r.below(60)))
	},
	func(d *draft, r *rng) {
		d.PostalCode = Opt[string]{}
		d.misfit("contactInformation.postalCode", strconv.Itoa(10000+r.below(89999)))
	},
	func(d *draft, r *rng) {
		d.FinancingAnswer = Opt[bool]{}
		d.misfit("financingAnswer", pick(r, []string{`"yes"`, `"true"`, `1`, `0`}))
	},
	func(d *draft, _ *rng) {
		d.Phone = Opt[string]{}
		d.misfit("contactInformation.phone", `{"countryCode": "+1", "number": "202-555-0100"}`)
	},
	func(d *draft, _ *rng) {
		d.FirstName, d.LastName, d.Phone, d.PostalCode = Opt[string]{}, Opt[string]{}, Opt[string]{}, Opt[string]{}
		d.dropUnder("contactInformation.")
		d.misfit("contactInformation", `"Alice Example, +1 202-555-0101"`)
	},
	func(d *draft, _ *rng) {
		d.FeeAmount, d.FeeCurrency, d.FeeDescription = Opt[string]{}, Opt[string]{}, Opt[string]{}
		d.FeeConvertedFromAmount, d.FeeConvertedFromCurrency = Opt[string]{}, Opt[string]{}
		d.dropUnder("leadFee.")
		d.misfit("leadFee", `[ ]`)
	},
	func(d *draft, r *rng) {
		d.LeadStatus = Opt[string]{}
		d.misfit("leadStatus", pick(r, []string{`3`, `["NEW"]`}))
	},
	func(d *draft, r *rng) {
		d.UserID = Opt[string]{}
		d.misfit("userId", strconv.Itoa(1_000_000+r.below(9_000_000)))
	},
	func(d *draft, _ *rng) {
		d.Messages = Opt[[]Message]{}
		d.dropUnder("memberMessage.")
		d.misfit("memberMessage", `"see mailbox"`)
	},
	func(d *draft, r *rng) {
		if n := len(d.Messages.Value); n > 0 {
			d.Messages.Value[n-1].MessageID = Opt[int64]{}
			d.misfit(messagePath(n-1, "question.messageID"), pick(r, []string{`"2100000000001"`, `12345678901234567890`, `1.5`}))
		}
	},
	func(d *draft, r *rng) {
		if n := len(d.Messages.Value); n > 0 {
			d.Messages.Value[n-1].CreationDate = Opt[time.Time]{}
			d.misfit(messagePath(n-1, "creationDate"), pick(r, []string{`"yesterday"`, `1756720800`, `"2026-02-30T10:00:00Z"`}))
		}
	},
	func(d *draft, _ *rng) {
		if n := len(d.Messages.Value); n > 0 {
			d.Messages.Value[n-1].Body, d.Messages.Value[n-1].MessageID = Opt[string]{}, Opt[int64]{}
			d.dropUnder(messagePath(n-1, "question."))
			d.misfit(messagePath(n-1, "question"), `"Is it still there?"`)
		}
	},
	func(d *draft, _ *rng) {
		if n := len(d.Messages.Value); n > 0 {
			d.Messages.Value[n-1].Response = Opt[string]{}
			d.misfit(messagePath(n-1, "response"), `{"body": "Yes."}`)
		}
	},
}

// dropUnder forgets what the lead has below a path, whose place is taken.
func (d *draft) dropUnder(prefix string) {
	for _, m := range []map[string][]byte{d.Unknown, d.Misfits} {
		for path := range m {
			if len(path) > len(prefix) && path[:len(prefix)] == prefix {
				delete(m, path)
			}
		}
	}
}

// nulls write null, or an empty string, where a value would be.
var nulls = []func(*draft){
	func(d *draft) { d.Email, d.null = Opt[string]{}, "email" },
	func(d *draft) { d.FinancingAnswer, d.null = Opt[bool]{}, "financingAnswer" },
	func(d *draft) { d.LastName, d.null = Opt[string]{}, "contactInformation.lastName" },
	func(d *draft) { d.FeeDescription, d.null = Opt[string]{}, "leadFee.description" },
	func(d *draft) { d.TradeInMake = Some("") },
	func(d *draft) { d.ExternalEmail = Some("") },
	func(d *draft) {
		if len(d.Misfits) == 0 && len(d.Unknown) == 0 {
			d.Messages, d.null = Opt[[]Message]{}, "memberMessage"
		}
	},
}

// breakText puts something into a text that is no Unicode.
func (g *generator) breakText(d *draft, r *rng) {
	raw := pick(r, []string{
		"\"Gr\xfc\xdfe aus M\xfcnchen\"", "\"cut \xe2\x82\"", "\"\xc0\xaf overlong\"", "\"\xed\xa0\x80 surrogate\"",
		`"half \ud83d a pair"`, `"\ude00 the other half"`, `"\ud83d\ud83d\ude00"`,
	})
	if r.chance(0.3) && d.FirstName.Set {
		d.FirstName = Opt[string]{}
		d.misfit("contactInformation.firstName", raw)
		return
	}
	d.AdditionalInformation = Opt[string]{}
	d.misfit("additionalInformation", raw)
	if len(d.Messages.Value) > 0 {
		d.Messages.Value[0].Body = Opt[string]{}
		d.misfit(messagePath(0, "question.body"), raw)
	}
}

// undate takes the submitted time away.
func (g *generator) undate(d *draft, i int) {
	d.SubmittedTime, d.timeText = Opt[time.Time]{}, ""
	r := newRNG(g.seed, aspectUndated, uint64(i)+1<<40)
	switch r.below(5) {
	case 0: // absent
	case 1:
		d.null = "submittedTime"
	case 2:
		d.misfit("submittedTime", `"2026-13-45T99:00:00Z"`)
	case 3:
		d.misfit("submittedTime", strconv.FormatInt(d.Created.Unix(), 10))
	default:
		d.misfit("submittedTime", `"`+d.Created.Format("02.01.2006 15:04")+`"`)
	}
}
