package source

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/secret"
)

// Values of Config.Environment.
const (
	Production = "production"
	Sandbox    = "sandbox"
)

// Values of Config.Grant.
const (
	ClientCredentials = "client-credentials"
	RefreshToken      = "refresh-token"
)

// Values of the API's status filter, as the reference spells them.
const (
	Answered   = "Answered"
	Unanswered = "Unanswered"
)

// scope is the only one that the Leads API takes (reference, "Scope
// restrictions").
const scope = "https://api.ebay.com/oauth/api_scope/sell.leads"

// endpoints are eBay's own. The API is under apiz, the tokens are under api
// (the API's OpenAPI document).
var endpoints = map[string]struct{ api, token string }{
	Production: {"https://apiz.ebay.com/sell/leads/v1", "https://api.ebay.com/identity/v1/oauth2/token"},
	Sandbox:    {"https://apiz.sandbox.ebay.com/sell/leads/v1", "https://api.sandbox.ebay.com/identity/v1/oauth2/token"},
}

// Config is the [ebay] section: whom to ask, as whom, and for what.
type Config struct {
	Environment string `name:"environment" default:"production" env:"ENVIRONMENT" placeholder:"NAME" help:"production or sandbox."`
	APIURL      string `name:"api-url" env:"API_URL" placeholder:"URL" help:"Root of the API, if not eBay's own."`
	TokenURL    string `name:"token-url" env:"TOKEN_URL" placeholder:"URL" help:"Token endpoint, if not eBay's own."`

	Account     string `name:"account" default:"default" env:"ACCOUNT" placeholder:"NAME" help:"Your name for the seller; it stands in every row."`
	Marketplace string `name:"marketplace" env:"MARKETPLACE" placeholder:"ID" help:"The marketplace, such as EBAY_US, EBAY_DE or EBAY_MOTORS_US."`

	Grant            string        `name:"grant" default:"client-credentials" env:"GRANT" placeholder:"NAME" help:"How to log in: client-credentials or refresh-token."`
	ClientID         string        `name:"client-id" env:"CLIENT_ID" placeholder:"ID" help:"The application's client id (App ID)."`
	ClientSecret     secret.Secret `name:"client-secret" env:"CLIENT_SECRET" placeholder:"SECRET" help:"The application's client secret (Cert ID)."`
	ClientSecretFile string        `name:"client-secret-file" env:"CLIENT_SECRET_FILE" placeholder:"FILE" help:"File that holds the client secret."`
	RefreshToken     secret.Secret `name:"refresh-token" env:"REFRESH_TOKEN" placeholder:"TOKEN" help:"The seller's refresh token, for the refresh-token grant."`
	RefreshTokenFile string        `name:"refresh-token-file" env:"REFRESH_TOKEN_FILE" placeholder:"FILE" help:"File that holds the refresh token."`

	IncludeMessages bool     `name:"include-messages" default:"true" negatable:"" env:"INCLUDE_MESSAGES" help:"Ask for the messages between seller and buyer too."`
	Status          string   `name:"status" env:"STATUS" placeholder:"STATUS" help:"Only leads that are Answered, or Unanswered; both if empty."`
	Items           []string `name:"items" env:"ITEMS" placeholder:"ID" help:"Only leads of these listings; of all active ones if empty."`
}

var (
	marketplaceForm = regexp.MustCompile(`^EBAY(_[A-Z]+)+$`)
	accountForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	// A listing's id is a number; the RESTful form wraps it as v1|number|variation.
	// Few runs ask for listings, and all would wait for the expression when they start.
	itemForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]{1,20}|v1\|[0-9]{1,20}\|[0-9]{1,20})$`) })
)

// Validate reports everything that is missing, malformed or contradictory, but
// for the login, which is not needed by what does not call the API.
func (c *Config) Validate(report func(key, problem string)) {
	if _, known := endpoints[c.Environment]; !known {
		report("environment", fmt.Sprintf("%q is neither %s nor %s", c.Environment, Production, Sandbox))
	}
	if problem := urlProblem(c.APIURL); problem != "" {
		report("api-url", problem)
	}
	if problem := urlProblem(c.TokenURL); problem != "" {
		report("token-url", problem)
	}
	if !accountForm.MatchString(c.Account) {
		report("account", fmt.Sprintf("%q is not a name of up to 64 letters, digits, dots, dashes and underscores", c.Account))
	}
	switch {
	case c.Marketplace == "":
		report("marketplace", "missing: say which marketplace, such as EBAY_US or EBAY_DE")
	case !marketplaceForm.MatchString(c.Marketplace):
		report("marketplace", fmt.Sprintf("%q does not look like a marketplace, such as EBAY_US or EBAY_MOTORS_US", c.Marketplace))
	}
	if c.Status != "" && c.Status != Answered && c.Status != Unanswered {
		report("status", fmt.Sprintf("%q is neither %s nor %s", c.Status, Answered, Unanswered))
	}
	seen := make(map[string]bool, len(c.Items))
	for _, item := range c.Items {
		if !itemForm().MatchString(item) {
			report("items", fmt.Sprintf("%q is not the id of a listing", item))
		} else if seen[item] {
			report("items", item+" is there twice")
		}
		seen[item] = true
	}
}

// ValidateLogin reports what is wrong with client id, secrets and grant. It reads
// the files that hold secrets.
func (c *Config) ValidateLogin(report func(key, problem string)) {
	if c.ClientID == "" {
		report("client-id", "missing: it is the App ID of your application's keys")
	}
	check := func(key string, value secret.Secret, path, missing string) {
		resolved, err := secret.Resolve(value, path)
		switch {
		case errors.Is(err, secret.ErrBoth):
			report(key, err.Error())
		case err != nil:
			report(key+"-file", err.Error())
		case resolved.IsZero():
			report(key, missing)
		}
	}
	check("client-secret", c.ClientSecret, c.ClientSecretFile,
		"missing: it is the Cert ID of your application's keys")
	switch c.Grant {
	case RefreshToken:
		check("refresh-token", c.RefreshToken, c.RefreshTokenFile,
			"missing: the grant needs it")
	case ClientCredentials:
		if !c.RefreshToken.IsZero() || c.RefreshTokenFile != "" {
			report("refresh-token", fmt.Sprintf("is of no use with the grant %s; set grant to %s", c.Grant, RefreshToken))
		}
	default:
		report("grant", fmt.Sprintf("%q is neither %s nor %s", c.Grant, ClientCredentials, RefreshToken))
	}
}

// urlProblem says what is wrong with an endpoint, or nothing. Plain HTTP would
// carry the token and the leads in clear, so it is for this machine only.
func urlProblem(raw string) string {
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "is not a URL" // the parser's error repeats it, password and all
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return "is not a URL of the form https://host/path"
	case u.User != nil:
		return "must not hold a user name or password"
	case u.RawQuery != "" || u.Fragment != "":
		return "must not hold a query or fragment"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "must be https: tokens and personal data would travel in clear (http is for this machine only)"
	}
	return ""
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Endpoints returns the API's root, without a slash at its end, and the token
// endpoint: eBay's for the environment where the config does not say otherwise.
func (c *Config) Endpoints() (api, token string) {
	known := endpoints[c.Environment]
	api, token = known.api, known.token
	if c.APIURL != "" {
		api = c.APIURL
	}
	if c.TokenURL != "" {
		token = c.TokenURL
	}
	return strings.TrimRight(api, "/"), token
}

// Queries returns what every window is to be asked for: one query, or one for
// each item, in the order of their ids.
func (c *Config) Queries() []journal.Query {
	query := journal.Query{Status: c.Status, Messages: c.IncludeMessages}
	if len(c.Items) == 0 {
		return []journal.Query{query}
	}
	queries := make([]journal.Query, 0, len(c.Items))
	for _, item := range slices.Sorted(slices.Values(c.Items)) {
		query.Item = item
		queries = append(queries, query)
	}
	return queries
}
