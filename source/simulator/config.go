package simulator

import (
	"fmt"
	"slices"
	"time"
)

// Config describes a simulated world and the server in front of it. The zero
// value is usable: New fills what is zero with the defaults named here.
type Config struct {
	Addr string `name:"addr" help:"Address to listen on." default:"127.0.0.1:8765"`
	Seed uint64 `name:"seed" help:"Seed of all data and faults: the same seed gives the same world." default:"1"`

	// Leads is how many leads the world begins with; none is a valid world.
	Leads int `name:"leads" help:"Number of leads." default:"20000"`
	// From and To bound the submitted times, [From, To). To is by default the
	// last full hour, From 60 days before To. Times after now are shown by the
	// API only when their moment has come.
	From time.Time `name:"from" help:"Submitted time of the first lead at the earliest." placeholder:"TIME"`
	To   time.Time `name:"to" help:"End of the submitted times, not included." placeholder:"TIME"`
	// Listings is the number of listings; 0 is one for 40 leads.
	Listings int `name:"listings" help:"Number of listings; 0 is one for every 40 leads." default:"0"`
	// Burst leads share one second, at each of Bursts places of the range.
	Burst  int `name:"burst" help:"Put this many leads into one second." default:"0"`
	Bursts int `name:"bursts" help:"Number of such seconds." default:"1"`
	// AvgBytes is the mean size of a lead's JSON with its messages.
	AvgBytes int `name:"avg-bytes" help:"Mean size of a lead in bytes of JSON, messages included." default:"1150"`
	// Marketplace is the one that has leads; others answer with none.
	Marketplace string `name:"marketplace" help:"Marketplace that has the leads." default:"EBAY_DE"`

	// Clean leaves out everything odd: Rates are then taken as zero.
	Clean bool `name:"clean" help:"Only tidy data: no misfits, no unknown fields, no twins."`
	// Rates of what is odd; all zero is DefaultRates, unless Clean.
	Rates Rates `embed:"" prefix:"rate-"`

	Faults Faults `name:"faults" help:"Faults on demand, such as 350000=0.08,429=0.04:1s,short=0.05,max-leads=1500." placeholder:"LIST"`
	// Churn lets the world change on its own; it acts from Start on.
	Churn time.Duration `name:"churn" help:"Change the world a little this often; 0 is never." default:"0s"`

	ClientID     string `name:"client-id" help:"Client id that the token endpoint knows." default:"simulator"`
	ClientSecret string `name:"client-secret" help:"Client secret that the token endpoint knows." default:"simulator-secret"`
	RefreshToken string `name:"refresh-token" help:"Refresh token that the token endpoint knows." default:"simulator-refresh-token"`

	// DailyQuota is the number of calls a day (from midnight Pacific time);
	// 0 is eBay's usual 5,000 as told by the analytics API, but not enforced.
	DailyQuota int `name:"daily-quota" help:"Calls a day before 429; 0 for no limit." default:"0"`
	// Skew is how far the simulated clock is ahead of the real one.
	Skew time.Duration `name:"skew" help:"How far the simulator's clock is ahead; may be negative." default:"0s"`
	// CacheBytes is how much memory compressed answers may take, so that a
	// repeated request costs nothing; it is for benchmarks.
	CacheBytes int64 `name:"cache-bytes" help:"Memory for ready answers in bytes; 0 for none." default:"0"`

	// Now is the clock that Skew is added to; nil is time.Now.
	Now func() time.Time `kong:"-"`
}

// Rates are the shares, from 0 to 1, of leads with something odd about them.
// They are independent of each other.
type Rates struct {
	// Guests were not logged in: externalEmail, but neither userId nor email.
	Guests float64 `name:"guests" help:"Share of buyers not logged in." default:"0.15"`
	// Strangers left no contact whatever.
	Strangers float64 `name:"strangers" help:"Share of leads without any contact." default:"0.005"`
	// SharedSeconds come in the second of the lead before.
	SharedSeconds float64 `name:"shared-seconds" help:"Share of leads in the same second as the one before." default:"0.01"`
	// Twins repeat the lead before: listing, second, buyer and text.
	Twins float64 `name:"twins" help:"Share of leads that repeat buyer, listing, second and text." default:"0.002"`
	// SecondLetters are by the buyer of the lead before, about the same listing,
	// in the same second, with another text.
	SecondLetters float64 `name:"second-letters" help:"Share of leads that repeat buyer, listing and second." default:"0.002"`
	// LongTexts are 64 KiB long.
	LongTexts float64 `name:"long-texts" help:"Share of leads with 64 KiB of text." default:"0.0002"`
	// OddTexts hold quotes, control characters, emoji, right-to-left text and
	// combining marks; or come with everything escaped that can be.
	OddTexts float64 `name:"odd-texts" help:"Share of leads with quotes, control characters and rare scripts." default:"0.05"`
	// OddTimes have a fraction of a second or an offset from UTC.
	OddTimes float64 `name:"odd-times" help:"Share of leads whose time has a fraction or an offset." default:"0.002"`
	// Nulls have an explicit null, or an empty string, in the place of a value.
	Nulls float64 `name:"nulls" help:"Share of leads with an explicit null or an empty string." default:"0.005"`
	// UnknownStatuses have a status that the reference does not name.
	UnknownStatuses float64 `name:"unknown-statuses" help:"Share of leads with a status the reference does not name." default:"0.002"`
	// UnknownFields have fields that the reference does not name.
	UnknownFields float64 `name:"unknown-fields" help:"Share of leads and listings with fields the reference does not name." default:"0.01"`
	// Misfits have a value of another type or form than documented.
	Misfits float64 `name:"misfits" help:"Share of leads with a value of another type or form than documented." default:"0.004"`
	// BadTexts hold bytes that are no UTF-8, or half a surrogate pair.
	BadTexts float64 `name:"bad-texts" help:"Share of leads with a text that is no valid Unicode." default:"0.001"`
	// Undated have no submitted time, or one that does not parse.
	Undated float64 `name:"undated" help:"Share of leads without a readable time." default:"0.0003"`
	// Dead are no objects at all.
	Dead float64 `name:"dead" help:"Share of leads that are no JSON objects." default:"0.0003"`
}

// DefaultRates are those of Config's tags.
func DefaultRates() Rates {
	return Rates{
		Guests: 0.15, Strangers: 0.005, SharedSeconds: 0.01, Twins: 0.002, SecondLetters: 0.002,
		LongTexts: 0.0002, OddTexts: 0.05, OddTimes: 0.002, Nulls: 0.005, UnknownStatuses: 0.002,
		UnknownFields: 0.01, Misfits: 0.004, BadTexts: 0.001, Undated: 0.0003, Dead: 0.0003,
	}
}

// named lists the rates with their keys.
func (r *Rates) named() []struct {
	key  string
	rate float64
} {
	return []struct {
		key  string
		rate float64
	}{
		{"rate-guests", r.Guests}, {"rate-strangers", r.Strangers}, {"rate-shared-seconds", r.SharedSeconds},
		{"rate-twins", r.Twins}, {"rate-second-letters", r.SecondLetters}, {"rate-long-texts", r.LongTexts},
		{"rate-odd-texts", r.OddTexts}, {"rate-odd-times", r.OddTimes}, {"rate-nulls", r.Nulls},
		{"rate-unknown-statuses", r.UnknownStatuses}, {"rate-unknown-fields", r.UnknownFields},
		{"rate-misfits", r.Misfits}, {"rate-bad-texts", r.BadTexts}, {"rate-undated", r.Undated}, {"rate-dead", r.Dead},
	}
}

// Limits of a world: lead numbers fit 32 bits, and so do seconds of the range.
const (
	maxLeads    = 1 << 31
	maxListings = 1 << 24
	maxRange    = 100 * 365 * 24 * time.Hour
)

// Marketplaces are those that the header X-EBAY-C-MARKETPLACE-ID may name.
var Marketplaces = []string{
	"EBAY_AT", "EBAY_AU", "EBAY_BE", "EBAY_CA", "EBAY_CH", "EBAY_DE", "EBAY_ES", "EBAY_FR", "EBAY_GB", "EBAY_HK",
	"EBAY_IE", "EBAY_IT", "EBAY_MOTORS", "EBAY_MOTORS_US", "EBAY_MY", "EBAY_NL", "EBAY_PH", "EBAY_PL", "EBAY_SG", "EBAY_TW", "EBAY_US",
}

// Validate reports every problem of the config, by the key it is set with.
func (c *Config) Validate(report func(key, problem string)) {
	limit := func(key string, value, low, high int) {
		if value < low || value > high {
			report(key, fmt.Sprintf("must be from %d to %d, is %d", low, high, value))
		}
	}
	limit("leads", c.Leads, 0, maxLeads)
	limit("listings", c.Listings, 0, maxListings)
	limit("burst", c.Burst, 0, max(c.Leads, 0))
	limit("bursts", c.Bursts, 0, 1000)
	limit("daily-quota", c.DailyQuota, 0, maxLeads)
	if c.AvgBytes != 0 {
		limit("avg-bytes", c.AvgBytes, 500, 1<<20)
	}
	if c.Burst*c.Bursts > c.Leads {
		report("bursts", fmt.Sprintf("%d bursts of %d leads are more than the %d leads there are", c.Bursts, c.Burst, c.Leads))
	}
	if !c.From.IsZero() && !c.To.IsZero() {
		if !c.From.Before(c.To) {
			report("to", "must be after from")
		} else if c.To.Sub(c.From) > maxRange {
			report("to", "must be at most 100 years after from")
		}
	}
	if c.Marketplace != "" && !slices.Contains(Marketplaces, c.Marketplace) {
		report("marketplace", fmt.Sprintf("%q is no eBay marketplace; try EBAY_DE or EBAY_US", c.Marketplace))
	}
	for _, r := range c.Rates.named() {
		if !(r.rate >= 0 && r.rate <= 1) {
			report(r.key, fmt.Sprintf("must be from 0 to 1, is %v", r.rate))
		}
	}
	if c.Churn < 0 {
		report("churn", "must not be negative")
	}
	if c.CacheBytes < 0 {
		report("cache-bytes", "must not be negative")
	}
	c.Faults.validate(report)
}

// withDefaults returns the config with nothing left to guess.
func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.To.IsZero() && !c.From.IsZero() {
		c.To = c.From.Add(60 * 24 * time.Hour)
	}
	if c.To.IsZero() {
		c.To = c.Now().Add(c.Skew).Truncate(time.Hour)
	}
	if c.From.IsZero() {
		c.From = c.To.Add(-60 * 24 * time.Hour)
	}
	c.From, c.To = c.From.UTC().Truncate(time.Second), c.To.UTC().Truncate(time.Second)
	if c.Listings == 0 {
		c.Listings = min(c.Leads/40+1, maxListings)
	}
	if c.Burst > 0 && c.Bursts == 0 {
		c.Bursts = 1
	}
	if c.AvgBytes == 0 {
		c.AvgBytes = 1150
	}
	if c.Clean {
		c.Rates = Rates{Guests: c.Rates.Guests}
	} else if c.Rates == (Rates{}) {
		c.Rates = DefaultRates()
	}
	setDefault := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	setDefault(&c.Marketplace, "EBAY_DE")
	setDefault(&c.ClientID, "simulator")
	setDefault(&c.ClientSecret, "simulator-secret")
	setDefault(&c.RefreshToken, "simulator-refresh-token")
	return c
}
