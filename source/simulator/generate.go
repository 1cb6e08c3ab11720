package simulator

import (
	"slices"
	"strconv"
	"time"
)

// generator invents leads. A lead's content is a function of the seed, its
// number and what happened to it; nothing is kept.
type generator struct {
	seed     uint64
	leads    int // of the beginning; later ones have numbers from here on
	listings int
	buyers   int
	rates    Rates
	text     int // mean length of a first message, bytes
}

// Bytes of a lead that are not text, and how often a byte of the mean text is
// in a lead with its messages; both measured (TestMeanSize holds them).
const (
	bytesBesideText = 511
	textRepeated    = 2.47
)

func newGenerator(c Config) *generator {
	return &generator{
		seed: c.Seed, leads: c.Leads, listings: c.Listings,
		buyers: c.Leads*3/4 + 1,
		rates:  c.Rates,
		text:   max(20, int(float64(c.AvgBytes-bytesBesideText)/textRepeated)),
	}
}

// kind is how a lead hangs on the one before it.
type kind uint8

const (
	kindPlain        kind = iota
	kindSharedSecond      // the same second
	kindSecondLetter      // and the same buyer and listing
	kindTwin              // and the same text
)

// kindOf returns the kind of a lead. The first lead and late ones are plain.
func (g *generator) kindOf(i int) kind {
	if i <= 0 || i >= g.leads {
		return kindPlain
	}
	r := newRNG(g.seed, aspectKind, uint64(i))
	switch u := r.float(); {
	case u < g.rates.Twins:
		return kindTwin
	case u < g.rates.Twins+g.rates.SecondLetters:
		return kindSecondLetter
	case u < g.rates.Twins+g.rates.SecondLetters+g.rates.SharedSeconds:
		return kindSharedSecond
	default:
		return kindPlain
	}
}

// sender returns the lead that decides buyer, listing and contact of lead i, and
// writer the one that decides its text.
func (g *generator) sender(i int) int {
	for g.kindOf(i) >= kindSecondLetter {
		i--
	}
	return i
}

func (g *generator) writer(i int) int {
	for g.kindOf(i) == kindTwin {
		i--
	}
	return i
}

// alone says that no neighbour shares the lead's buyer.
func (g *generator) alone(i int) bool {
	return g.kindOf(i) < kindSecondLetter && g.kindOf(i+1) < kindSecondLetter
}

// listingOf returns the listing of one of the first leads. Some listings draw
// many leads, most a few.
func (g *generator) listingOf(i int) int {
	r := newRNG(g.seed, aspectListing, uint64(g.sender(i)))
	u := r.float()
	return int(u * (0.3 + 0.7*u) * float64(g.listings))
}

func (g *generator) buyerOf(i int) int {
	r := newRNG(g.seed, aspectBuyer, uint64(g.sender(i)))
	return r.below(g.buyers)
}

// undated and dead leads have no time to be told apart by, so they are never
// one of several by one buyer.
func (g *generator) undated(i int) bool {
	r := newRNG(g.seed, aspectUndated, uint64(i))
	return r.chance(g.rates.Undated) && g.alone(i)
}

func (g *generator) dead(i int) bool {
	r := newRNG(g.seed, aspectDead, uint64(i))
	return r.chance(g.rates.Dead) && g.alone(i)
}

// The statuses that the reference names.
const (
	statusNew       = "NEW"
	statusResponded = "RESPONDED"
)

// statusOf returns the status at the beginning.
func (g *generator) statusOf(i int) string {
	r := newRNG(g.seed, aspectStatus, uint64(i))
	if r.chance(g.rates.UnknownStatuses) {
		return pick(&r, oddStatuses)
	}
	if r.chance(0.4) {
		return statusResponded
	}
	return statusNew
}

// times returns the seconds of the first leads after the start, sorted.
func (g *generator) times(span, burst, bursts int) []uint32 {
	times := make([]uint32, g.leads)
	r := newRNG(g.seed, aspectTime, 0)
	for i := range times {
		times[i] = uint32(r.below(span))
	}
	slices.Sort(times)
	for b := range bursts {
		at := (b + 1) * g.leads / (bursts + 1)
		at = min(at, g.leads-burst)
		for i := range burst {
			times[at+i] = times[at]
		}
	}
	for i := 1; i < len(times); i++ {
		if g.kindOf(i) != kindPlain {
			times[i] = times[i-1]
		}
	}
	return times
}

// history is what happened to a lead up to some version of the world.
type history struct {
	// edits are its own changes, in order.
	edits []editKind
	// renames is how often its buyer changed names.
	renames int
}

// editKind is a change of a lead's content.
type editKind uint8

const (
	// editRespond is an answer by the seller.
	editRespond editKind = iota
	// editMessage is a further message by the buyer.
	editMessage
)

// quirks are how a lead is written where that is not all in Lead.
type quirks struct {
	timeText  string // submittedTime as written; empty is the plain form
	null      string // path of a field that is written as null
	ascii     bool   // everything beyond ASCII as escapes
	feeNumber bool   // the fee's value as a number, not a string
}

// draft is a lead and how it is written.
type draft struct {
	Lead
	quirks
	scratch []byte
}

// compose fills d with lead i, submitted in the given second about the given
// listing.
func (g *generator) compose(d *draft, i int, second int64, listing int, h history) {
	*d = draft{scratch: d.scratch[:0]}
	d.Index = i
	d.Created = time.Unix(second, 0).UTC()
	d.Buyer = g.buyerOf(i)
	g.listing(d, listing)
	if g.dead(i) {
		d.Dead = true
		return
	}
	person := g.person(d.Buyer)
	g.contact(d, i, &person, h.renames)
	g.time(d, i)
	g.words(d, i, &person)
	g.details(d, i)
	g.messages(d, i, &person)
	d.LeadStatus = Some(g.statusOf(i))
	if g.undated(i) {
		g.undate(d, i)
	}
	g.oddities(d, i)
	for n, e := range h.edits {
		g.edit(d, i, n, e, &person)
	}
}

// person is a buyer.
type person struct {
	language    *language
	first, last string
	handle      string
	mail        string
	phone       string
	postal      string
}

func (g *generator) person(buyer int) person {
	r := newRNG(g.seed, aspectPerson, uint64(buyer))
	l := pick(&r, languages)
	p := person{language: l, first: pick(&r, l.first), last: pick(&r, l.last)}
	// The buyer's number makes user names and addresses unique.
	number := strconv.FormatUint(uint64(buyer), 36)
	p.handle = pick(&r, l.handles) + "_" + number
	p.mail = pick(&r, l.handles) + "." + number + "@" + pick(&r, mailDomains)
	p.phone = phoneNumber(&r)
	p.postal = strconv.Itoa(10000 + r.below(89999))
	if r.chance(0.1) {
		p.postal = "0" + p.postal[1:]
	}
	return p
}

// phoneNumber is one of the ranges that regulators keep for fiction.
func phoneNumber(r *rng) string {
	digits := func(prefix string, n, width int) string {
		s := strconv.Itoa(n)
		for len(s) < width {
			s = "0" + s
		}
		return prefix + s
	}
	switch r.below(4) {
	case 0:
		return digits("+49 30 23125 ", r.below(1000), 3)
	case 1:
		return digits("+49 (0)171 39200 ", r.below(100), 2)
	case 2:
		return digits("+1 202-555-01", r.below(100), 2)
	default:
		return digits("+44 20 7946 0", r.below(1000), 3)
	}
}

// contact sets who the buyer is, as far as the form was filled in.
func (g *generator) contact(d *draft, i int, p *person, renames int) {
	r := newRNG(g.seed, aspectContact, uint64(g.sender(i)))
	u := r.float()
	if u < g.rates.Strangers && !g.undated(i) {
		return
	}
	if u < g.rates.Strangers+g.rates.Guests && !g.undated(i) {
		d.ExternalEmail = Some(p.mail)
	} else {
		handle := p.handle
		if renames > 0 {
			handle += "_renamed" + strconv.Itoa(renames)
		}
		d.UserID, d.Email = Some(handle), Some(p.mail)
		if r.chance(0.1) {
			d.ExternalEmail = Some("alt." + p.mail)
		}
		if r.chance(0.1) {
			d.Email = Opt[string]{}
		}
	}
	if r.chance(0.15) {
		return // no contactInformation
	}
	d.FirstName, d.LastName = Some(p.first), Some(p.last)
	if r.chance(0.8) {
		d.Phone = Some(p.phone)
	}
	if r.chance(0.7) {
		d.PostalCode = Some(p.postal)
	}
}

// time sets the submitted time: whole seconds, but for odd ones.
func (g *generator) time(d *draft, i int) {
	at := d.Created
	r := newRNG(g.seed, aspectTime, uint64(g.sender(i))+1)
	if r.chance(g.rates.OddTimes) {
		switch r.below(4) {
		case 0:
			at = at.Add(time.Duration(r.below(999)+1) * time.Millisecond)
			d.timeText = at.Format("2006-01-02T15:04:05.000Z")
		case 1:
			d.timeText = at.In(time.FixedZone("", 2*3600)).Format("2006-01-02T15:04:05-07:00")
		case 2:
			d.timeText = at.In(time.FixedZone("", -(3*3600 + 1800))).Format("2006-01-02T15:04:05.000-07:00")
		default:
			d.timeText = at.Format("2006-01-02T15:04:05.000Z")
		}
	}
	d.SubmittedTime = Some(at)
}
