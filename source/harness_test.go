package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/secret"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Credentials of the tests. They have what needs to be encoded, and nothing
// else contains them.
const (
	testID      = "Example-App:PRD+1 &2"
	testSecret  = "s3cr3t/with+all=of&it:%ü 42"
	testRefresh = "v^1.1#i^1#refresh+/=token#r^1"
)

// api is a server that plays both endpoints by the functions a test gives it.
type api struct {
	// leads answers requests for leads; n counts them from 1.
	leads func(w http.ResponseWriter, r *http.Request, n int)
	// token answers token requests; nil gives good tokens.
	token func(w http.ResponseWriter, r *http.Request, n int)

	calls, tokens atomic.Int64
	mu            sync.Mutex
	requests      []*http.Request
	log           bytes.Buffer // what the client logged, at debug level
	setup         setup
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		_ = r.ParseForm() // the server learns that the client is gone only after the body
		n := int(a.tokens.Add(1))
		if a.token != nil {
			a.token(w, r, n)
			return
		}
		giveToken(w, n, 7200)
		return
	}
	n := int(a.calls.Add(1))
	a.mu.Lock()
	a.requests = append(a.requests, r)
	a.mu.Unlock()
	a.leads(w, r, n)
}

func (a *api) seen() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

// ranges are the bounds that were asked for.
func (a *api) ranges() []string {
	var all []string
	for _, r := range a.seen() {
		all = append(all, r.URL.Query().Get("startTime")+".."+r.URL.Query().Get("endTime"))
	}
	return all
}

// Write makes a the target of the client's log.
func (a *api) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.Write(p)
}

func (a *api) logged() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.String()
}

func (a *api) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(a, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// setup is what a test may change before the client is made.
type setup struct {
	config  Config
	limits  Limits
	options Options
}

func testSetup(base string, logger *slog.Logger) setup {
	return setup{
		config: Config{
			Environment: Production, APIURL: base + "/sell/leads/v1", TokenURL: base + "/token",
			Account: "shop", Marketplace: "EBAY_DE", Grant: ClientCredentials,
			ClientID: testID, ClientSecret: secret.New(testSecret), IncludeMessages: true,
		},
		limits:  Limits{Timeout: 10 * time.Second, MaxAttempts: 6, DailyQuota: 5000},
		options: Options{Logger: logger, Version: "1.2.3", Backoff: time.Millisecond},
	}
}

// start serves a over TCP and returns a client for it.
func (a *api) start(t *testing.T, change ...func(*setup)) *Client {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.setup = testSetup(server.URL, a.logger())
	return a.client(t, change...)
}

// client returns another client for what was started.
func (a *api) client(t *testing.T, change ...func(*setup)) *Client {
	t.Helper()
	s := a.setup
	for _, f := range change {
		f(&s)
	}
	s.config.Validate(func(key, problem string) { t.Errorf("config: %s: %s", key, problem) })
	s.config.ValidateLogin(func(key, problem string) { t.Errorf("config: %s: %s", key, problem) })
	s.limits.Validate(func(key, problem string) { t.Errorf("limits: %s: %s", key, problem) })
	c, err := New(s.config, s.limits, s.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// startInBubble serves a in memory, for tests within synctest.Test: HTTP as
// always, but time passes only when all wait for it.
func (a *api) startInBubble(t *testing.T, change ...func(*setup)) *Client {
	t.Helper()
	pipe := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: a}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(pipe)
	}()
	transport := &http.Transport{DialContext: pipe.dial, DisableCompression: true, MaxIdleConnsPerHost: 200}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Shutdown(context.Background()) // waits for the handlers
		<-done
	})
	a.setup = testSetup("http://localhost", a.logger())
	a.setup.options.HTTPTransport = transport
	a.setup.options.Backoff = 0
	return a.client(t, change...)
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// giveToken answers as eBay does, token type included.
func giveToken(w http.ResponseWriter, n, seconds int) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	fmt.Fprintf(w, `{"access_token":"%s","expires_in":%d,"token_type":"Application Access Token"}`, tokenNumber(n), seconds)
}

func tokenNumber(n int) string { return fmt.Sprintf("v^1.1#i^1#access-%04d", n) }

// zip is text as gzip.
func zip(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

// unzip is the JSON of a page.
func unzip(t *testing.T, p *journal.Page) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(p.Body))
	if err != nil {
		t.Fatalf("the page's body is no gzip: %v", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("the page's body cannot be read: %v", err)
	}
	return string(text)
}

// answer is a page with so many leads of one listing, as JSON.
func answer(leads int, totals string) string {
	response := `{"submittedTime":"1999-09-01T10:00:00.000Z","userId":"buyer"}`
	return `{"classifiedLeads":[{"itemId":"110000000001","responses":[` +
		strings.TrimSuffix(strings.Repeat(response+",", leads), ",") + `]}]` + totals + `}`
}

// page is an answer that is complete.
func page(leads int) string {
	return answer(leads, fmt.Sprintf(`,"totalItems":1,"totalLeads":%d`, leads))
}

func writeZip(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(zip(text))
}

// fail answers in eBay's form.
func fail(w http.ResponseWriter, status int, errors ...string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(requestIDHeader, "ri=abc,rci=xyz")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[%s]}`, strings.Join(errors, ","))
}

func ebayError(id int, category, message string) string {
	return fmt.Sprintf(`{"errorId":%d,"domain":"API_LEADS","category":"%s","message":"%s"}`, id, category, message)
}

// reset breaks the connection off with a TCP reset.
func reset(t *testing.T, w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// The windows lie in the past of a bubble's clock, which begins with 2000.
var (
	day    = window.New(at("1999-09-01T00:00:00Z"), at("1999-09-02T00:00:00Z"))
	oneSec = window.New(at("1999-09-01T10:00:00Z"), at("1999-09-01T10:00:01Z"))
	all    = journal.Query{Messages: true}
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func contextWith(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}
