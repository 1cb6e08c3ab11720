package source

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/secret"
)

func valid() Config {
	return Config{
		Environment: Production, Account: "shop", Marketplace: "EBAY_DE", Grant: ClientCredentials,
		ClientID: testID, ClientSecret: secret.New(testSecret),
	}
}

// problems are what Validate and ValidateLogin report, as "key: problem".
func problems(v interface {
	Validate(func(key, problem string))
}) (keys []string, text string) {
	report := func(key, problem string) {
		keys = append(keys, key)
		text += key + ": " + problem + "\n"
	}
	v.Validate(report)
	if login, ok := v.(interface {
		ValidateLogin(func(key, problem string))
	}); ok {
		login.ValidateLogin(report)
	}
	return keys, text
}

func TestValidConfigs(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"as it is": func(c *Config) {},
		"sandbox":  func(c *Config) { c.Environment = Sandbox },
		"own URLs": func(c *Config) {
			c.APIURL, c.TokenURL = "https://api.example.com/leads/", "http://localhost:8765/token"
		},
		"loopback":        func(c *Config) { c.APIURL, c.TokenURL = "http://127.0.0.1:1/", "http://[::1]:1/" },
		"motors":          func(c *Config) { c.Marketplace = "EBAY_MOTORS_US" },
		"refresh token":   func(c *Config) { c.Grant, c.RefreshToken = RefreshToken, secret.New(testRefresh) },
		"status and item": func(c *Config) { c.Status, c.Items = Answered, []string{"110000000001", "v1|110000000002|0"} },
	} {
		c := valid()
		change(&c)
		if _, text := problems(&c); text != "" {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestInvalidConfigs(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		keys   []string
	}{
		{"nothing", func(c *Config) { *c = Config{} }, []string{"environment", "account", "marketplace", "client-id", "client-secret", "grant"}},
		{"no refresh token", func(c *Config) { c.Grant = RefreshToken }, []string{"refresh-token"}},
		{"a refresh token for nothing", func(c *Config) { c.RefreshToken = secret.New(testRefresh) }, []string{"refresh-token"}},
		{"both secrets", func(c *Config) { c.ClientSecretFile = "/nowhere" }, []string{"client-secret"}},
		{"no such file", func(c *Config) { c.ClientSecret, c.ClientSecretFile = secret.Secret{}, "/nowhere" }, []string{"client-secret-file"}},
		{"no refresh file", func(c *Config) { c.Grant, c.RefreshTokenFile = RefreshToken, "/nowhere" }, []string{"refresh-token-file"}},
		{"http", func(c *Config) { c.APIURL, c.TokenURL = "http://api.example.com/", "http://192.168.1.1/" }, []string{"api-url", "token-url"}},
		{"no URLs", func(c *Config) { c.APIURL, c.TokenURL = "apiz.ebay.com/sell", "https:///path" }, []string{"api-url", "token-url"}},
		{"odd URLs", func(c *Config) { c.APIURL, c.TokenURL = "https://user:pass@example.com/", "https://example.com/?a=b" }, []string{"api-url", "token-url"}},
		{"unparsable URLs", func(c *Config) { c.APIURL, c.TokenURL = "https://example.com/%zz", "ftp://example.com" }, []string{"api-url", "token-url"}},
		{"marketplaces", func(c *Config) { c.Marketplace = "ebay_de" }, []string{"marketplace"}},
		{"marketplace alone", func(c *Config) { c.Marketplace = "EBAY" }, []string{"marketplace"}},
		{"header injection", func(c *Config) { c.Marketplace = "EBAY_DE\r\nX: y" }, []string{"marketplace"}},
		{"account", func(c *Config) { c.Account = "../shop" }, []string{"account"}},
		{"status", func(c *Config) { c.Status = "answered" }, []string{"status"}},
		{"items", func(c *Config) { c.Items = []string{"1", "1", "x", "v1|1"} }, []string{"items", "items", "items"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := valid()
			test.change(&c)
			keys, text := problems(&c)
			if !slices.Equal(keys, test.keys) {
				t.Errorf("problems of %v, want of %v:\n%s", keys, test.keys, text)
			}
			if strings.Contains(text, testSecret) || strings.Contains(text, "pass@") {
				t.Errorf("a secret shows:\n%s", text)
			}
		})
	}
}

func TestLimitsConfig(t *testing.T) {
	good := Limits{Timeout: time.Minute, MaxAttempts: 6, DailyQuota: 5000, QuotaReserve: 4999}
	if _, text := problems(&good); text != "" {
		t.Error(text)
	}
	keys, _ := problems(&Limits{QuotaReserve: -1})
	if want := []string{"timeout", "max-attempts", "daily-quota", "quota-reserve"}; !slices.Equal(keys, want) {
		t.Errorf("problems of %v, want of %v", keys, want)
	}
	keys, _ = problems(&Limits{Timeout: time.Minute, MaxAttempts: 6, DailyQuota: 5000, QuotaReserve: 5000})
	if !slices.Equal(keys, []string{"quota-reserve"}) {
		t.Errorf("problems of %v", keys)
	}
}

func TestEndpoints(t *testing.T) {
	for _, test := range []struct{ environment, apiURL, tokenURL, api, token string }{
		{Production, "", "", "https://apiz.ebay.com/sell/leads/v1", "https://api.ebay.com/identity/v1/oauth2/token"},
		{Sandbox, "", "", "https://apiz.sandbox.ebay.com/sell/leads/v1", "https://api.sandbox.ebay.com/identity/v1/oauth2/token"},
		{Sandbox, "https://example.com/leads/", "", "https://example.com/leads", "https://api.sandbox.ebay.com/identity/v1/oauth2/token"},
		{Production, "", "https://example.com/token", "https://apiz.ebay.com/sell/leads/v1", "https://example.com/token"},
	} {
		c := Config{Environment: test.environment, APIURL: test.apiURL, TokenURL: test.tokenURL}
		if api, token := c.Endpoints(); api != test.api || token != test.token {
			t.Errorf("%+v: %s, %s", test, api, token)
		}
	}
}

func TestQueries(t *testing.T) {
	c := Config{Status: Answered, IncludeMessages: true}
	if got, want := c.Queries(), []journal.Query{{Status: Answered, Messages: true}}; !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	c.Items = []string{"2", "1"}
	want := []journal.Query{{Item: "1", Status: Answered, Messages: true}, {Item: "2", Status: Answered, Messages: true}}
	if got := c.Queries(); !slices.Equal(got, want) || c.Items[0] != "2" {
		t.Errorf("got %+v of %v", got, c.Items)
	}
}

func TestNewReadsSecretFiles(t *testing.T) {
	c := valid()
	c.ClientSecretFile = "/nowhere"
	if _, err := New(c, Limits{}, Options{Logger: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("two secrets are accepted")
	}
	c = valid()
	c.RefreshTokenFile = "/nowhere"
	if _, err := New(c, Limits{}, Options{Logger: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a file that is not there is accepted")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := valid()
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s"} {
		fmt.Fprintf(&text, verb+"\n", c.ClientSecret)
		fmt.Fprintf(&text, verb+"\n", &c.ClientSecret)
		fmt.Fprintf(&text, verb+"\n", c)
		fmt.Fprintf(&text, verb+"\n", &c)
	}
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	text.Write(b)
	for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&text, nil)} {
		slog.New(h).Info("secrets", "secret", c.ClientSecret, "config", c, "pointer", &c)
	}
	if got := text.String(); strings.Contains(got, testSecret) || strings.Contains(got, fmt.Sprintf("%x", testSecret)) || strings.Contains(got, testSecret[:3]+"\n") {
		t.Errorf("the secret shows:\n%s", got)
	}
}
