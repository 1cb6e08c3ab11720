package simulator

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Faults say how often requests fail, and how. Rates are from 0 to 1 and, but
// for Slow and the tokens', exclude each other: their sum is the share of
// requests that fail. Which request fails follows from the seed and the
// request's number, so that a sequence of requests fails the same way again.
//
// In text (flags, the admin surface) they are a list such as
//
//	350000=0.08,429=0.04:2s,short=0.05,slow=0.01:500ms,max-leads=1500,token-life=20s
type Faults struct {
	// Internal answers 350000 with InternalStatus, which is 500 if 0.
	Internal       float64
	InternalStatus int
	// TooMany answers 429 with a Retry-After of seconds, TooManyDate with one of
	// an HTTP date. RetryAfter is how long, 1 s if 0; whole seconds count.
	TooMany     float64
	RetryAfter  time.Duration
	TooManyDate float64
	// Unavailable answers 503 and nothing else, HTML502 a gateway's error page.
	Unavailable float64
	HTML502     float64
	// Reset resets the connection before the answer, ResetBody in its middle.
	Reset     float64
	ResetBody float64
	// Truncate sends the first part of the gzip stream as if it were all;
	// Garbage says gzip and sends none; NotJSON sends text of another kind.
	Truncate float64
	Garbage  float64
	NotJSON  float64
	// Short leaves leads out but counts them in totalLeads.
	Short float64
	// Bomb sends a small gzip stream of BombBytes, 2 GiB if 0.
	Bomb      float64
	BombBytes int
	// Redirect sends the client to another host.
	Redirect float64
	// Warnings come with answers that are right.
	Warnings float64
	// Revoke ends the request's token before its time.
	Revoke float64
	// Slow delays the answer by SlowBy, 1 s if 0. It goes with the other faults.
	Slow   float64
	SlowBy time.Duration

	// Token makes the token endpoint fail in one of several ways, TokenEndless
	// makes its answer never end. TokenLife is how long tokens live, 2 h if 0.
	Token        float64
	TokenEndless float64
	TokenLife    time.Duration

	// MaxLeads refuses windows with more leads, each time, with 350000; 0 refuses none.
	MaxLeads int
	// Random draws anew in each process instead of from the seed.
	Random bool
}

// faultKey is one key of the text form. At most one of the arguments is set;
// rate is nil where the argument is the value.
type faultKey struct {
	key      string
	rate     *float64
	duration *time.Duration
	number   *int
	// exclusive rates are drawn from together.
	exclusive bool
}

// keys are the keys of the text form, in the order in which it is written.
func (f *Faults) keys() []faultKey {
	return []faultKey{
		{key: "350000", rate: &f.Internal, number: &f.InternalStatus, exclusive: true},
		{key: "429", rate: &f.TooMany, duration: &f.RetryAfter, exclusive: true},
		{key: "429-date", rate: &f.TooManyDate, exclusive: true},
		{key: "503", rate: &f.Unavailable, exclusive: true},
		{key: "html502", rate: &f.HTML502, exclusive: true},
		{key: "reset", rate: &f.Reset, exclusive: true},
		{key: "reset-body", rate: &f.ResetBody, exclusive: true},
		{key: "truncate", rate: &f.Truncate, exclusive: true},
		{key: "garbage", rate: &f.Garbage, exclusive: true},
		{key: "not-json", rate: &f.NotJSON, exclusive: true},
		{key: "short", rate: &f.Short, exclusive: true},
		{key: "bomb", rate: &f.Bomb, number: &f.BombBytes, exclusive: true},
		{key: "redirect", rate: &f.Redirect, exclusive: true},
		{key: "warnings", rate: &f.Warnings, exclusive: true},
		{key: "revoke", rate: &f.Revoke, exclusive: true},
		{key: "slow", rate: &f.Slow, duration: &f.SlowBy},
		{key: "token", rate: &f.Token},
		{key: "token-endless", rate: &f.TokenEndless},
		{key: "token-life", duration: &f.TokenLife},
		{key: "max-leads", number: &f.MaxLeads},
	}
}

const keyRandom = "random"

// ParseFaults reads the text form. The empty text is no faults.
func ParseFaults(text string) (Faults, error) {
	var f Faults
	if strings.TrimSpace(text) == "" {
		return f, nil
	}
	keys := f.keys()
	seen := make(map[string]bool)
	for entry := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if seen[key] {
			return Faults{}, fmt.Errorf("fault %q is there twice", key)
		}
		seen[key] = true
		if key == keyRandom && value == "" {
			f.Random = true
			continue
		}
		known := false
		for _, k := range keys {
			if k.key == key {
				known = true
				if err := k.parse(value); err != nil {
					return Faults{}, fmt.Errorf("fault %q: %w", key, err)
				}
			}
		}
		if !known {
			return Faults{}, fmt.Errorf("unknown fault %q", key)
		}
	}
	var problem error
	f.validate(func(_, text string) { problem = fmt.Errorf("faults: %s", text) })
	if problem != nil {
		return Faults{}, problem
	}
	return f, nil
}

// parse reads "rate", "rate:argument", or, where there is no rate, "argument".
func (k faultKey) parse(value string) error {
	argument := value
	if k.rate != nil {
		rate, rest, more := strings.Cut(value, ":")
		v, err := strconv.ParseFloat(rate, 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return fmt.Errorf("%q is no rate from 0 to 1", rate)
		}
		*k.rate = math.Abs(v) // -0 is 0
		if !more {
			return nil
		}
		argument = rest
	}
	switch {
	case k.duration != nil:
		d, err := time.ParseDuration(argument)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is no duration such as 2s", argument)
		}
		*k.duration = d
	case k.number != nil:
		n, err := strconv.Atoi(argument)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is no number", argument)
		}
		*k.number = n
	default:
		return fmt.Errorf("takes no argument, has %q", argument)
	}
	return nil
}

// validate reports what cannot be, under the key "faults".
func (f *Faults) validate(report func(key, problem string)) {
	sum := 0.0
	for _, k := range f.keys() {
		if k.rate == nil {
			continue
		}
		if !(*k.rate >= 0 && *k.rate <= 1) {
			report("faults", fmt.Sprintf("the rate of %s must be from 0 to 1, is %v", k.key, *k.rate))
		}
		if k.exclusive {
			sum += *k.rate
		}
	}
	if sum > 1+1e-9 {
		report("faults", fmt.Sprintf("the rates add up to %v, which is more than 1", sum))
	}
	if s := f.InternalStatus; s != 0 && (s < 200 || s > 599) {
		report("faults", fmt.Sprintf("350000 cannot come with HTTP status %d", s))
	}
	if f.RetryAfter%time.Second != 0 {
		report("faults", "Retry-After has whole seconds")
	}
}

// String returns the text form, which ParseFaults reads back. An argument
// without its rate is written with rate 0.
func (f Faults) String() string {
	var parts []string
	for _, k := range f.keys() {
		argument := ""
		switch {
		case k.duration != nil && *k.duration != 0:
			argument = k.duration.String()
		case k.number != nil && *k.number != 0:
			argument = strconv.Itoa(*k.number)
		}
		switch {
		case k.rate == nil && argument != "":
			parts = append(parts, k.key+"="+argument)
		case k.rate != nil && (*k.rate != 0 || argument != ""):
			part := k.key + "=" + strconv.FormatFloat(*k.rate, 'g', -1, 64)
			if argument != "" {
				part += ":" + argument
			}
			parts = append(parts, part)
		}
	}
	if f.Random {
		parts = append(parts, keyRandom)
	}
	return strings.Join(parts, ",")
}

// UnmarshalText reads the text form, for flags and config files.
func (f *Faults) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFaults(string(text))
	return err
}

// MarshalText writes the text form.
func (f Faults) MarshalText() ([]byte, error) { return []byte(f.String()), nil }
