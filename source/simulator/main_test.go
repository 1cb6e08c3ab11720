package simulator

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) string { return epoch.Add(d).Format(timeLayout) }

// client is the simplest client there can be: one request at a time, no retries.
type client struct {
	t     *testing.T
	url   string
	http  *http.Client
	token string
}

// start makes a world of two months from epoch on, long past by its clock, and a
// client of it that has a token.
func start(t *testing.T, cfg Config) (*Server, *client) {
	t.Helper()
	if cfg.From.IsZero() {
		cfg.From = epoch
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return epoch.AddDate(0, 3, 0) }
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	// On a connection that was used before, Transport repeats requests by itself.
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	t.Cleanup(server.Close)
	c := &client{t: t, url: server.URL, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	c.login()
	return s, c
}

// login gets a token, however often it takes.
func (c *client) login() {
	c.t.Helper()
	for range 100 {
		status, body := c.askToken("grant_type=client_credentials&scope="+url.QueryEscape(ScopeLeads), "simulator", "simulator-secret")
		if status == http.StatusOK {
			if token, ok := body["access_token"].(string); ok {
				c.token = token
				return
			}
		}
	}
	c.t.Fatal("no token in 100 attempts")
}

// askToken sends a token request; status 0 is no answer.
func (c *client) askToken(form, id, secret string) (status int, body map[string]any) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.url+TokenPath, strings.NewReader(form))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	if json.NewDecoder(resp.Body).Decode(&body) != nil {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, body
}

// request makes a right request for a path below the leads API's.
func (c *client) request(path string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodGet, c.url+LeadsPath+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("X-EBAY-C-MARKETPLACE-ID", "EBAY_DE")
	r.Header.Set("Accept-Encoding", "gzip")
	return r
}

// reply is an answer that was read as far as it went.
type reply struct {
	status int
	header http.Header
	raw    []byte
	// err is what went wrong with the connection, the gzip or the JSON.
	err error
	leadsReply
}

type leadsReply struct {
	ClassifiedLeads []struct {
		ItemID    string            `json:"itemId"`
		Responses []json.RawMessage `json:"responses"`
	} `json:"classifiedLeads"`
	TotalItems, TotalLeads int
	Errors, Warnings       []struct {
		ErrorID  int `json:"errorId"`
		Category string
		Message  string
	}
}

// leads is how many there are in the answer.
func (r reply) leads() (n int) {
	for _, l := range r.ClassifiedLeads {
		n += len(l.Responses)
	}
	return n
}

func (c *client) do(r *http.Request) (out reply) {
	resp, err := c.http.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	out.status, out.header = resp.StatusCode, resp.Header
	var body io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, out.err = gzip.NewReader(resp.Body); out.err != nil {
			return out
		}
	}
	if out.raw, out.err = io.ReadAll(body); out.err == nil {
		out.err = json.Unmarshal(out.raw, &out.leadsReply)
	}
	return out
}

func (c *client) get(path string) reply {
	c.t.Helper()
	return c.do(c.request(path))
}

// window asks for all leads of seconds from to to, both inclusive.
func (c *client) window(from, to time.Duration) reply {
	c.t.Helper()
	return c.get("/classified_lead?includeMessages=true&startTime=" + at(from) + "&endTime=" + at(to))
}

// day is the length of most windows asked for.
const day = 24 * time.Hour
