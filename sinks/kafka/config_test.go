package kafka

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/leads-etl/leads-etl/pipeline/secret"
)

// TestDefaults holds DefaultConfig to the tags.
func TestDefaults(t *testing.T) {
	var c Config
	parser, err := kong.New(&c, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"--brokers", "a:1,b:2"}); err != nil {
		t.Fatal(err)
	}
	if want := DefaultConfig("a:1", "b:2"); !reflect.DeepEqual(c, want) {
		t.Errorf("the tags say\n%+v\nDefaultConfig\n%+v", c, want)
	}
	c.Validate(func(key, problem string) { t.Errorf("default %s: %s", key, problem) })
	if !c.On() || (&Config{}).On() {
		t.Error("the sink is on when it has brokers")
	}
}

func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Config)
		want   []string // keys, sorted
	}{
		"broker without port":    {func(c *Config) { c.Brokers = []string{"kafka.example.com"} }, []string{"brokers"}},
		"broker as URL":          {func(c *Config) { c.Brokers = []string{"kafka://example.com:9092"} }, []string{"brokers"}},
		"every broker":           {func(c *Config) { c.Brokers = []string{"a:0", "b:9092", ":9092"} }, []string{"brokers", "brokers"}},
		"IPv6":                   {func(c *Config) { c.Brokers = []string{"[::1]:9092"} }, nil},
		"pattern":                {func(c *Config) { c.Topic = "ebay.{marketplace}.{account}-{event_type}" }, nil},
		"unknown hole":           {func(c *Config) { c.Topic = "leads-{item}" }, []string{"topic"}},
		"illegal topic":          {func(c *Config) { c.Topic = "leads of ebay" }, []string{"topic"}},
		"dot":                    {func(c *Config) { c.Topic = "." }, []string{"topic"}},
		"long topic":             {func(c *Config) { c.Topic = strings.Repeat("x", 250) }, []string{"topic"}},
		"no topics":              {func(c *Config) { c.Topic, c.PositionsTopic = "", "" }, []string{"positions-topic", "topic"}},
		"hole in positions":      {func(c *Config) { c.PositionsTopic = "p-{account}" }, []string{"positions-topic"}},
		"one topic for both":     {func(c *Config) { c.PositionsTopic = c.Topic }, []string{"positions-topic"}},
		"words":                  {func(c *Config) { c.Delivery, c.Compression = "once", "brotli" }, []string{"compression", "delivery"}},
		"tombstones":             {func(c *Config) { c.Vanished = VanishedTombstone }, nil},
		"tombstones elsewhere":   {func(c *Config) { c.Vanished, c.Topic = VanishedTombstone, "leads-{event_type}" }, []string{"vanished"}},
		"vanished":               {func(c *Config) { c.Vanished = "delete" }, []string{"vanished"}},
		"numbers":                {func(c *Config) { c.Partitions, c.Replication = -1, 40000 }, []string{"partitions", "replication"}},
		"TLS files without TLS":  {func(c *Config) { c.TLSCA, c.TLSCert, c.TLSKey = "a", "b", "c" }, []string{"tls-ca", "tls-cert", "tls-key"}},
		"certificate, no key":    {func(c *Config) { c.TLS, c.TLSCert = true, "a" }, []string{"tls-key"}},
		"key, no certificate":    {func(c *Config) { c.TLS, c.TLSKey = true, "a" }, []string{"tls-cert"}},
		"mechanism alone":        {func(c *Config) { c.SASLMechanism = Plain }, []string{"sasl-password", "sasl-username"}},
		"unknown mechanism":      {func(c *Config) { c.SASLMechanism, c.SASLUsername, c.SASLPasswordFile = "GSSAPI", "u", "f" }, []string{"sasl-mechanism"}},
		"user without mechanism": {func(c *Config) { c.SASLUsername = "u" }, []string{"sasl-mechanism"}},
		"two passwords": {func(c *Config) {
			c.SASLMechanism, c.SASLUsername, c.SASLPassword, c.SASLPasswordFile = ScramSHA512, "u", secret.New("p"), "f"
		}, []string{"sasl-password-file"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig("kafka.example.com:9092")
			tc.change(&c)
			var got []string
			c.Validate(func(key, problem string) {
				if problem == "" {
					t.Errorf("%s: no words", key)
				}
				got = append(got, key)
			})
			slices.Sort(got)
			if !slices.Equal(got, tc.want) {
				t.Errorf("problems with %v, want %v", got, tc.want)
			}
		})
	}
}

func TestSecretDoesNotPrint(t *testing.T) {
	c := DefaultConfig("a:1")
	c.SASLPassword = secret.New("hunter2")
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%x", c.SASLPassword), string(asJSON), c.SASLPassword.LogValue().String(),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74") {
			t.Errorf("the password shows: %s", text)
		}
	}
	if secret.New("").String() != "" {
		t.Error("an empty secret looks like one")
	}
}

func TestPasswordFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("hunter2"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig("a:1")
	c.SASLMechanism, c.SASLUsername, c.SASLPasswordFile = Plain, "u", path
	if _, err := c.mechanism(); err == nil || !strings.Contains(err.Error(), "sasl-password-file") || strings.Contains(err.Error(), "hunter") {
		t.Errorf("a file for everybody: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if m, err := c.mechanism(); err != nil || m == nil {
		t.Errorf("got %v, %v", m, err)
	}
}
