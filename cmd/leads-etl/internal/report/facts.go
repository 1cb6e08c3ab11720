package report

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/display"
	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// Facts are what a report tells. Leads are added one by one; memory grows with the
// number of listings and the days on which they have leads, not with the leads.
type Facts struct {
	// Account and Marketplace are whose leads these are, Made is when they were
	// summed up, and Asked the range of submitted times, empty for all.
	Account, Marketplace string
	Made                 time.Time
	Asked                window.Window
	// Gaps are open, in the order of time.
	Gaps []Gap
	// Calls are the answers on record by the day of eBay's quota ("2026-09-01"), and
	// Used and Quota the calls of today and those that a day has.
	Calls       map[string]int
	Today       string
	Used, Quota int

	leads, undated int
	days           map[day]*tally
	listings       map[string]*listing
	statuses       map[string]int
	fees           map[string]*fees
	answers        answers
}

// Gap is a window that could not be had.
type Gap struct {
	Window window.Window
	Item   string
	Reason string
}

// day is a UTC day, counted from 1970.
type day int32

func dayOf(t time.Time) day { return day(t.UTC().Truncate(24*time.Hour).Unix() / 86400) }

func (d day) date() string { return d.time().Format(time.DateOnly) }

func (d day) time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// tally counts leads.
type tally struct{ leads, answered int }

func (t *tally) add(answered bool) {
	t.leads++
	if answered {
		t.answered++
	}
}

// listing is what there is of a listing. Its days come in order, as leads do.
type listing struct {
	id, title string
	tally
	days []dayCount
}

type dayCount struct {
	day   day
	leads int32
}

// fees are those of one currency, in units of schema.Decimal.
type fees struct {
	currency string
	leads    int
	sum      big.Int
	days     map[day]float64
}

// others stands for values beyond the first few of which there may be any number.
const (
	others       = "(others)"
	mostDistinct = 24
)

// Add adds the latest version of a lead. Leads come in the order of their
// submitted times, those without one at any time.
func (f *Facts) Add(r *schema.Row) {
	if f.days == nil {
		f.days, f.listings = make(map[day]*tally), make(map[string]*listing)
		f.statuses, f.fees = make(map[string]int), make(map[string]*fees)
	}
	f.leads++
	answered := f.answers.add(r)
	f.statuses[bounded(f.statuses, display.Printable(r.LeadStatus.Or("(none)")))]++
	d, dated := day(0), r.SubmittedTime.Valid
	if !dated {
		f.undated++
	} else {
		d = dayOf(r.SubmittedTime.Value)
		if f.days[d] == nil {
			f.days[d] = new(tally)
		}
		f.days[d].add(answered)
	}
	f.addListing(r, d, dated, answered)
	if r.FeeAmount.Valid {
		f.addFee(r, d, dated)
	}
}

func (f *Facts) addListing(r *schema.Row, d day, dated, answered bool) {
	id := r.ItemID.Or("(none)")
	l := f.listings[id]
	if l == nil {
		id = strings.Clone(id) // else the whole lead is kept with it
		l = &listing{id: display.Printable(id)}
		f.listings[id] = l
	}
	if r.ItemTitle.Valid && l.title == "" {
		l.title = strings.Clone(display.Printable(r.ItemTitle.Value))
	}
	l.add(answered)
	if !dated {
		return
	}
	if n := len(l.days); n == 0 || l.days[n-1].day != d {
		l.days = append(l.days, dayCount{day: d})
	}
	l.days[len(l.days)-1].leads++
}

func (f *Facts) addFee(r *schema.Row, d day, dated bool) {
	currency := bounded(f.fees, display.Printable(r.FeeCurrency.Or("(none)")))
	c := f.fees[currency]
	if c == nil {
		c = &fees{currency: currency, days: make(map[day]float64)}
		f.fees[currency] = c
	}
	c.leads++
	c.sum.Add(&c.sum, big.NewInt(r.FeeAmount.Value.Unscaled))
	if dated {
		c.days[d] += float64(r.FeeAmount.Value.Unscaled) / decimalUnit
	}
}

// decimalUnit is one of a currency in schema.Decimal.
const decimalUnit = 10_000

// bounded returns the key, or others where there are many already.
func bounded[V any](m map[string]V, key string) string {
	_, ok := m[key]
	switch {
	case ok:
		return key
	case len(m) >= mostDistinct:
		return others
	}
	return strings.Clone(key)
}

// total is the sum in whole and hundredths.
func (c *fees) total() float64 {
	sum, _ := new(big.Float).Quo(new(big.Float).SetInt(&c.sum), big.NewFloat(decimalUnit)).Float64()
	return sum
}

// ranked returns the listings, those with most leads first.
func (f *Facts) ranked() []*listing {
	all := make([]*listing, 0, len(f.listings))
	for _, l := range f.listings {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *listing) int {
		return cmp.Or(cmp.Compare(b.leads, a.leads), cmp.Compare(a.id, b.id))
	})
	return all
}

// currencies returns the fees, those of most leads first.
func (f *Facts) currencies() []*fees {
	all := make([]*fees, 0, len(f.fees))
	for _, c := range f.fees {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *fees) int {
		return cmp.Or(cmp.Compare(b.leads, a.leads), cmp.Compare(a.currency, b.currency))
	})
	return all
}
