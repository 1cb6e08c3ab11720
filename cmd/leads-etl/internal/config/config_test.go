package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// shop is a grammar with a setting of every type.
type shop struct {
	Config string    `name:"config" env:"SHOP_CONFIG"`
	Plain  bool      `name:"plain"`
	Open   shopOpen  `cmd:""`
	Close  shopClose `cmd:""`
}

type shopOpen struct {
	Mode string    `name:"mode" env:"SHOP_MODE" default:"day" enum:"day,night"`
	Till tillSetup `embed:"" prefix:"till-" envprefix:"SHOP_TILL_" group:"till"`
	Door doorSetup `embed:"" prefix:"door-" envprefix:"SHOP_DOOR_" group:"door"`
}

type shopClose struct {
	Till tillSetup `embed:"" prefix:"till-" envprefix:"SHOP_TILL_" group:"till"`
}

type tillSetup struct {
	Float   int           `name:"float" env:"FLOAT" default:"100"`
	Rate    float64       `name:"rate" env:"RATE" default:"0.5"`
	Pin     string        `name:"pin" env:"PIN"`
	PinFile string        `name:"pin-file" env:"PIN_FILE"`
	Timeout time.Duration `name:"timeout" env:"TIMEOUT" default:"24h"`
}

type doorSetup struct {
	Wide   bool     `name:"wide" env:"WIDE" default:"true" negatable:""`
	Keys   []string `name:"keys" env:"KEYS"`
	Opens  Time     `name:"opens" env:"OPENS"`
	Weight int64    `name:"weight" type:"size" env:"WEIGHT" default:"64MiB"`
}

func TestSetAny(t *testing.T) {
	f := parse(t, "[till]\nfloat = 1\n", nil, "open").inForce
	if !f.SetAny("till") || f.SetAny("door") || f.SetAny("") {
		t.Error("not the sections that were given")
	}
}

// What differs is named, secrets too, and never shown.
func TestDifferences(t *testing.T) {
	const file = "[door]\nopens = \"2026-09-01\"\nkeys = [\"a\", \"b\"]\n"
	before := parse(t, file, []string{"SHOP_TILL_PIN=1"}, "open").inForce
	same := parse(t, "", []string{"SHOP_TILL_PIN=1", "SHOP_DOOR_OPENS=2026-09-01T00:00:00Z"}, "open", "--door-keys=a,b", "--till-float=100").inForce
	if got := before.Differences(same); len(got) > 0 {
		t.Errorf("the same from elsewhere differs in %v", got)
	}
	other := parse(t, file, []string{"SHOP_TILL_PIN=2"}, "open", "--mode=night", "--no-door-wide", "--door-keys=b,a").inForce
	want := []string{"mode", "[till] pin", "[door] wide", "[door] keys"}
	if got := before.Differences(other); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// parsed is a command line after parsing.
type parsed struct {
	shop    *shop
	sources *Sources
	inForce *InForce
}

func parse(t *testing.T, file string, environ []string, args ...string) parsed {
	t.Helper()
	var s shop
	k, err := kong.New(&s, Mappers())
	if err != nil {
		t.Fatal(err)
	}
	c := New(k.Model, "SHOP_")
	path := ""
	if file != "" {
		t.Chdir(t.TempDir())
		path = "shop.toml"
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sources := Load(c, path, environ)
	if err := kong.Resolvers(sources).Apply(k); err != nil {
		t.Fatal(err)
	}
	ctx, err := k.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	return parsed{&s, sources, sources.InForce(ctx)}
}

const everything = `
mode = "night"

[till]
float = 1_000
rate = 2
timeout = "2d"
pin-file = "/run/pin"

[door]
wide = false
keys = ["front, left", "back"]
opens = 2026-09-01T08:00:00Z
weight = "1GiB"
`

func TestPrecedence(t *testing.T) {
	environ := []string{"SHOP_TILL_FLOAT=7", "SHOP_TILL_RATE=7", "SHOP_DOOR_KEYS=a,b", "SHOP_MODE="}
	p := parse(t, everything, environ, "open", "--till-float=8")
	if len(p.sources.Problems)+len(p.sources.Warnings) > 0 {
		t.Fatalf("problems %v, warnings %v", p.sources.Problems, p.sources.Warnings)
	}
	want := shopOpen{
		Mode: "night", // the file; an empty variable is none
		Till: tillSetup{Float: 8 /* flag */, Rate: 7 /* environment */, PinFile: "/run/pin", Timeout: 48 * time.Hour},
		Door: doorSetup{Wide: false, Keys: []string{"a", "b"}, Opens: Time{time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)}, Weight: 1 << 30},
	}
	if !reflect.DeepEqual(p.shop.Open, want) {
		t.Errorf("got  %+v\nwant %+v", p.shop.Open, want)
	}
	for section, key := range map[string]string{"": "mode", "till": "float", "door": "keys"} {
		if !p.inForce.Set(section, key) {
			t.Errorf("%s %s counts as not set", section, key)
		}
	}
	if p.inForce.Set("till", "pin") {
		t.Error("pin counts as set")
	}
}

func TestListsKeepCommas(t *testing.T) {
	p := parse(t, everything, nil, "open")
	if want := []string{"front, left", "back"}; !reflect.DeepEqual(p.shop.Open.Door.Keys, want) {
		t.Errorf("keys are %q, want %q", p.shop.Open.Door.Keys, want)
	}
}

func TestDefaults(t *testing.T) {
	p := parse(t, "", nil, "open")
	want := shopOpen{Mode: "day", Till: tillSetup{Float: 100, Rate: .5, Timeout: Day}, Door: doorSetup{Wide: true, Weight: 64 << 20}}
	if !reflect.DeepEqual(p.shop.Open, want) {
		t.Errorf("got  %+v\nwant %+v", p.shop.Open, want)
	}
}

func TestPrint(t *testing.T) {
	p := parse(t, everything, []string{"SHOP_TILL_PIN=1234", "SHOP_TILL_RATE=7"}, "open", "--no-door-wide")
	var b bytes.Buffer
	if err := p.inForce.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := `mode = "night"  # shop.toml:2

[till]
float = 1000               # shop.toml:5
rate = 7                   # SHOP_TILL_RATE
# pin is set, and not shown  # SHOP_TILL_PIN
pin-file = "/run/pin"        # shop.toml:8
timeout = "2d"               # shop.toml:7

[door]
wide = false                     # --door-wide
keys = ["front, left", "back"]   # shop.toml:12
opens = "2026-09-01T08:00:00Z"   # shop.toml:13
weight = "1GiB"                  # shop.toml:14
`
	if got := strip(b.String()); got != strip(want) {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
	if strings.Contains(b.String(), "1234") {
		t.Error("the secret is shown")
	}
	// What was printed is a configuration with the same settings.
	again := parse(t, b.String(), []string{"SHOP_TILL_PIN=1234"}, "open")
	if len(again.sources.Problems) > 0 {
		t.Fatal(again.sources.Problems)
	}
	if !reflect.DeepEqual(again.shop.Open, p.shop.Open) {
		t.Errorf("read back: %+v\nbefore:    %+v", again.shop.Open, p.shop.Open)
	}
}

// strip makes runs of spaces one.
func strip(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.Join(strings.Fields(l), " ")
	}
	return strings.Join(lines, "\n")
}

func TestPrintShowsDefaults(t *testing.T) {
	p := parse(t, "", nil, "close")
	var b bytes.Buffer
	if err := p.inForce.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := "[till] float = 100 # default rate = 0.5 # default # pin = \"\" # not set # pin-file = \"\" # not set timeout = \"1d\" # default"
	if got := strings.Join(strings.Fields(b.String()), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name, file string
		environ    []string
		want       []string
	}{
		{"all at once, in the order of the file", "[till]\nfloat = \"x\"\nflot = 1\n[dor]\nwide = true\n[door]\nwide = 1\n", nil, []string{
			"shop.toml:2: [till] float: is text; write an integer",
			"shop.toml:3: [till] flot: unknown key; did you mean float?",
			"shop.toml:4: [dor]: unknown section; did you mean [door]?",
			"shop.toml:7: [door] wide: is an integer; write true or false",
		}},
		{"key of another section", "[till]\nkeys = []\n", nil, []string{"shop.toml:2: [till] keys: unknown key; it belongs to [door] keys"}},
		{"key that stands above", "[till]\nmode = \"day\"\n", nil, []string{"shop.toml:2: [till] mode: unknown key; it belongs above the sections"}},
		{"key without a section", "float = 1\n", nil, []string{"shop.toml:1: float: unknown key; it belongs to [till] float"}},
		{"nothing near", "[till]\nzzz = 1\n[zzz]\n", nil, []string{
			"shop.toml:2: [till] zzz: unknown key; the keys there are float, pin, pin-file, rate, timeout",
			"shop.toml:3: [zzz]: unknown section; the sections are door, till",
		}},
		{"the file itself is no key of it", "config = \"x\"\n", nil, []string{"shop.toml:1: config: unknown key; the keys there are mode"}},
		{"secret", "[till]\npin = \"hush\"\n", nil, []string{"shop.toml:2: [till] pin: secrets do not belong in this file; set SHOP_TILL_PIN, or name a file that holds it with [till] pin-file"}},
		{"values", "mode = \"dusk\"\n[till]\ntimeout = \"soon\"\n[door]\nopens = \"dawn\"\nweight = \"heavy\"\n", nil, []string{
			`shop.toml:1: mode: "dusk" is none of day, night; `,
			`shop.toml:3: [till] timeout: "soon" is no duration; write it as 30d, 24h, 90s or 500ms; `,
			`shop.toml:5: [door] opens: "dawn" is no time; write it as 2026-09-01 or 2026-09-01T15:04:05Z; `,
			`shop.toml:6: [door] weight: "heavy" is no size; write it as 512MiB, 64KiB, 10MB or a number of bytes; `,
		}},
		{"duration without a unit", "[till]\ntimeout = 30\n", nil, []string{`shop.toml:2: [till] timeout: is an integer; write a duration in quotes, such as "30s" or "7d"`}},
		{"list of numbers", "[door]\nkeys = [1]\n", nil, []string{`shop.toml:2: [door] keys: is a list; write a list of text, such as ["a", "b"]`}},
		{"twice", "[till]\nfloat = 1\nfloat = 2\n", nil, []string{"shop.toml:3: [till] float: is there twice, first in line 2; remove one"}},
		{"section twice", "[till]\nfloat = 1\n[door]\n[till]\nrate = 2\n", nil, []string{"shop.toml:4: [till]: the section is there twice, first in line 1; put its keys together"}},
		{"other ways to write a section", "till.float = \"x\"\ndoor = { wide = 3 }\n", nil, []string{
			"shop.toml:1: [till] float: is text; write an integer",
			"shop.toml:2: [door] wide: is an integer; write true or false",
		}},
		{"too deep", "[till.drawer]\nx = 1\n[door]\nwide.very = true\n", nil, []string{
			"shop.toml:1: [till.drawer]: sections have no sections of their own; ",
			"shop.toml:4: [door] wide.very: unknown key; keys of a section have no keys of their own",
		}},
		{"list of sections", "[[till]]\nfloat = 1\n", nil, []string{"shop.toml:1: [[till]]: a section cannot be a list; write it in single brackets"}},
		{"no TOML", "[till]\nfloat = 1\nrate 2\n", nil, []string{"shop.toml:3: the file is not TOML from here on: expected '=' after key; the form is key = value, with text in quotes"}},
		{"no text", "\x00", nil, []string{"shop.toml:1: the file is not text; "}},
		{"environment", "[till]\nfloat = 1\n", []string{"SHOP_TILL_FLOAT=many", "SHOP_TILL_TIMEOUT=5", "OTHER_FLOAT=x"}, []string{
			`SHOP_TILL_FLOAT: [till] float: expected a valid 64 bit int but got "many"; `,
			`SHOP_TILL_TIMEOUT: [till] timeout: "5" is no duration: it has no unit; write it as 30d, 24h, 90s or 500ms; `,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parse(t, c.file, c.environ, "open")
			p.sources.Problems.Sort("shop.toml")
			var got []string
			for _, problem := range p.sources.Problems {
				got = append(got, problem.String()+"; "+problem.Hint)
				if strings.Contains(problem.String()+problem.Hint, "hush") {
					t.Error("the secret is shown")
				}
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// A value that cannot be read counts as not set: what is checked afterwards is
// checked with the default.
func TestProblemsLeaveTheDefault(t *testing.T) {
	p := parse(t, "[till]\nfloat = \"x\"\n", []string{"SHOP_TILL_RATE=x"}, "open")
	if got := p.shop.Open.Till; got.Float != 100 || got.Rate != 0.5 {
		t.Errorf("got %+v", got)
	}
}

func TestUnknownVariablesAreWarnings(t *testing.T) {
	p := parse(t, "", []string{"SHOP_TILL_FLOTA=1", "SHOP_SERVICE_HOST=10.0.0.1", "SHOP_DOOR_LOCK="}, "open")
	if len(p.sources.Problems) > 0 {
		t.Errorf("problems: %v", p.sources.Problems)
	}
	want := []Problem{
		{Place: "SHOP_SERVICE_HOST", Text: "no setting has this variable"},
		{Place: "SHOP_TILL_FLOTA", Text: "no setting has this variable", Hint: "did you mean SHOP_TILL_FLOAT?"},
	}
	if !reflect.DeepEqual(p.sources.Warnings, want) {
		t.Errorf("got %v, want %v", p.sources.Warnings, want)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge.toml")
	if err := os.WriteFile(huge, bytes.Repeat([]byte("#"), maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := kong.New(&shop{}, Mappers())
	if err != nil {
		t.Fatal(err)
	}
	c := New(k.Model, "SHOP_")
	for path, want := range map[string]string{
		filepath.Join(dir, "none.toml"): "there is no such file",
		dir:                             "is a folder, not a file",
		huge:                            "is no configuration: it has 1048577 bytes",
	} {
		s := Load(c, path, nil)
		if len(s.Problems) != 1 || s.Problems[0].Text != want || s.Problems[0].Place != path {
			t.Errorf("%s: %v, want %q", path, s.Problems, want)
		}
	}
}

func TestPlaceOfProblems(t *testing.T) {
	p := parse(t, "[till]\nfloat = 1\n", []string{"SHOP_TILL_RATE=2"}, "open", "--till-timeout=1h")
	for key, want := range map[string]Problem{
		"float":   {Place: "shop.toml:2", Key: "[till] float", Text: "is odd"},
		"rate":    {Place: "SHOP_TILL_RATE", Key: "[till] rate", Text: "is odd"},
		"timeout": {Place: "--till-timeout", Key: "[till] timeout", Text: "is odd"},
		"pin":     {Key: "[till] pin", Text: "is odd", Hint: "set SHOP_TILL_PIN, or name a file that holds it with [till] pin-file"},
		"pin-file": {Key: "[till] pin-file", Text: "is odd",
			Hint: "set [till] pin-file in the configuration file, --till-pin-file, or SHOP_TILL_PIN_FILE"},
	} {
		if got := p.inForce.Problem("till", key, "is odd"); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func TestSecretsAreNotFlags(t *testing.T) {
	k, err := kong.New(&shop{}, Mappers())
	if err != nil {
		t.Fatal(err)
	}
	c := New(k.Model, "SHOP_")
	ctx, err := kong.Trace(k, []string{"open", "--till-pin=1234"})
	if err != nil || ctx.Error != nil {
		t.Fatal(err, ctx.Error)
	}
	err = c.RefuseSecrets(ctx)
	refused, ok := err.(*SecretFlagError)
	if !ok || refused.Flag != "--till-pin" || strings.Contains(err.Error(), "1234") {
		t.Errorf("got %v", err)
	}
	ctx, err = kong.Trace(k, []string{"open", "--till-pin-file=x"})
	if err != nil || ctx.Error != nil {
		t.Fatal(err, ctx.Error)
	}
	if err := c.RefuseSecrets(ctx); err != nil {
		t.Error(err)
	}
}

func FuzzTOML(f *testing.F) {
	f.Add([]byte(everything))
	for _, s := range []string{
		"", "a", "a=", "[a]\nb=1\nb=2", "[[a]]", "a.b.c=1", "a={b={c=1}}", "a=[[1],[2]]", "\"\"=1", "a=\"\\uD800\"", "[a", "a=1979-05-27T07:32:00",
		"a=0x1F\nb=0o17\nc=+1_0\nd=-0", "[a]\r\nb=1\r\n", "#\x80", "a=\"\"\"\n\n\"\"\"\nb=1", "'a'.\"b\"=true",
	} {
		f.Add([]byte(s))
	}
	k, err := kong.New(&shop{}, Mappers())
	if err != nil {
		f.Fatal(err)
	}
	c := New(k.Model, "SHOP_")
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &Sources{catalogue: c, values: map[*key]setting{}, muddled: map[name]bool{}}
		s.document("shop.toml", data)
		lines := 1 + bytes.Count(data, []byte{'\n'})
		for _, p := range s.Problems {
			line := 0
			if _, err := fmt.Sscanf(p.Place, "shop.toml:%d", &line); err != nil || line < 1 || line > lines || p.Text == "" {
				t.Errorf("%+v: line %d of %d, %v", p, line, lines, err)
			}
		}
		for k, v := range s.values {
			if k.secret {
				t.Errorf("the secret %s was taken from the file", k)
			}
			if err := k.try(v.text); err != nil {
				t.Errorf("%s was taken, though: %v", k, err)
			}
		}
	})
}
