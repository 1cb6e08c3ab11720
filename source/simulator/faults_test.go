package simulator

import (
	"strings"
	"testing"
	"time"
)

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]Faults{
		"":                          {},
		"  ":                        {},
		"350000=0.08":               {Internal: 0.08},
		"350000=0.08:409":           {Internal: 0.08, InternalStatus: 409},
		"429=0.04:2s":               {TooMany: 0.04, RetryAfter: 2 * time.Second},
		"slow=0.01:500ms":           {Slow: 0.01, SlowBy: 500 * time.Millisecond},
		"max-leads=1500":            {MaxLeads: 1500},
		"token-life=20s,random":     {TokenLife: 20 * time.Second, Random: true},
		" short=0.05 , reset=1e-3 ": {Short: 0.05, Reset: 0.001},
		"bomb=1:1000":               {Bomb: 1, BombBytes: 1000},
		"350000=0.08,429=0.04,truncate=0.05,reset=0.05,short=0.05,html502=0.04,token=0.2,slow=0.01:2s": {
			Internal: 0.08, TooMany: 0.04, Truncate: 0.05, Reset: 0.05, Short: 0.05, HTML502: 0.04, Token: 0.2, Slow: 0.01, SlowBy: 2 * time.Second,
		},
	} {
		got, err := ParseFaults(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
		again, err := ParseFaults(got.String())
		if err != nil || again != got {
			t.Errorf("%q comes back from %q as %+v, %v", text, got.String(), again, err)
		}
	}
	for text, want := range map[string]string{
		"350000":              `"" is no rate`,
		"350000=2":            "no rate from 0 to 1",
		"350000=-0.1":         "no rate from 0 to 1",
		"350000=NaN":          "no rate from 0 to 1",
		"350000=0.1:99":       "HTTP status 99",
		"350000=0.1:x":        "no number",
		"429=0.1:5":           "no duration",
		"429=0.1:-5s":         "no duration",
		"429=0.1:1500ms":      "whole seconds",
		"reset=0.1:2s":        "takes no argument",
		"nonsense=0.1":        `unknown fault "nonsense"`,
		"reset=0.1,reset=0.1": "there twice",
		"reset=0.1,,":         `unknown fault ""`,
		"reset=0.6,short=0.6": "more than 1",
		"max-leads=-1":        "no number",
		"random=1":            `unknown fault "random"`,
		"token-life=forever":  "no duration",
	} {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

// FuzzParseFaults has whatever parses be written and read back as the same.
func FuzzParseFaults(f *testing.F) {
	for _, seed := range []string{
		"", "350000=0.08:500,429=0.04:2s,429-date=0.01,503=0.1", "slow=0.01:2s,token=0.2,token-endless=0.1,token-life=20s",
		"max-leads=1500,random", "bomb=1:1000,redirect=0", "350000=0:409", "reset=-0", "x=1", "=,=", "429=1:1h1m1s",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseFaults(text)
		if err != nil {
			return
		}
		again, err := ParseFaults(got.String())
		if err != nil || again != got {
			t.Errorf("%q is written as %q, and read back as %+v, %v", text, got.String(), again, err)
		}
	})
}
