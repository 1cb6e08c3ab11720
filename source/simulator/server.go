package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Paths of the endpoints, below the base URL.
const (
	TokenPath     = "/identity/v1/oauth2/token"
	LeadsPath     = "/sell/leads/v1"
	AnalyticsPath = "/developer/analytics/v1_beta/rate_limit/"
	resource      = LeadsPath + "/classified_lead"
	elsewherePath = "/_elsewhere"
)

// grace is how long after a refusal requests of a concurrent client may still
// come in that were sent without knowing of it.
const grace = time.Second

// Server is a simulated world and the API in front of it. All its methods are
// safe for concurrent use.
type Server struct {
	cfg    Config
	world  *world
	books  *books
	tokens tokens
	limits limits
	cache  *cache
	mux    *http.ServeMux

	requests      atomic.Uint64 // for leads, since the start
	tokenRequests atomic.Uint64
	ids           atomic.Uint64
	skew          atomic.Int64
	connections   *connections
	answering     atomic.Int64 // requests to the API that are being answered
	down          atomic.Bool
	faultSeed     uint64

	mu      sync.Mutex
	current Faults
	failing map[int64]struct{} // seconds that always fail
}

// New makes the world of the config. Nothing listens yet.
func New(cfg Config) (*Server, error) {
	var problems []error
	cfg.Validate(func(key, problem string) { problems = append(problems, fmt.Errorf("%s: %s", key, problem)) })
	if len(problems) > 0 {
		return nil, fmt.Errorf("simulator config: %w", errors.Join(problems...))
	}
	cfg = cfg.withDefaults()
	if !cfg.From.Before(cfg.To) || cfg.To.Sub(cfg.From) > maxRange {
		return nil, fmt.Errorf("simulator config: from %s to %s is no range of at most 100 years",
			cfg.From.Format(time.RFC3339), cfg.To.Format(time.RFC3339))
	}
	s := &Server{
		cfg:     cfg,
		world:   newWorld(cfg),
		books:   newBooks(),
		tokens:  tokens{given: make(map[string]*token)},
		limits:  limits{early: make(map[string]time.Time)},
		cache:   newCache(cfg.CacheBytes),
		mux:     http.NewServeMux(),
		failing: make(map[int64]struct{}),

		connections: newConnections(),
	}
	s.skew.Store(int64(cfg.Skew))
	s.SetFaults(cfg.Faults)
	s.mux.HandleFunc(TokenPath, s.tokenEndpoint)
	s.mux.HandleFunc(resource, s.leadsEndpoint)
	s.mux.HandleFunc(resource+"/{item}", s.leadsEndpoint)
	s.mux.HandleFunc(AnalyticsPath, s.analyticsEndpoint)
	s.mux.HandleFunc(elsewherePath, s.elsewhere)
	s.mux.HandleFunc("/", s.unknownEndpoint)
	s.adminRoutes()
	return s, nil
}

// Config returns the config with its defaults filled in.
func (s *Server) Config() Config { return s.cfg }

// Now is the simulated clock.
func (s *Server) Now() time.Time { return s.cfg.Now().Add(time.Duration(s.skew.Load())).UTC() }

// SetSkew sets how far the simulated clock is ahead of the real one.
func (s *Server) SetSkew(d time.Duration) { s.skew.Store(int64(d)) }

// Handler serves the API and the admin surface.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Date", s.Now().Format(http.TimeFormat))
		if strings.HasPrefix(r.URL.Path, adminPath) {
			s.mux.ServeHTTP(w, r)
			return
		}
		s.answering.Add(1)
		defer s.answering.Add(-1)
		h.Set("X-EBAY-C-REQUEST-ID", s.requestID())
		s.mux.ServeHTTP(w, r)
	})
}

// requestID looks like eBay's.
func (s *Server) requestID() string {
	n := newRNG(s.cfg.Seed, aspectID, s.ids.Add(1))
	return "ri=" + strconv.FormatUint(n.next(), 36) + ",rci=" + strconv.FormatUint(n.next(), 16)
}

// Start serves on the address ("127.0.0.1:0" takes any free port) and, if the
// config says so, lets the world change. stop ends it: it breaks off what is
// being answered and returns when nothing runs any more. It may be called more
// than once.
func (s *Server) Start(addr string) (baseURL string, stop func(), err error) {
	ctx, cancel := context.WithCancel(context.Background())
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		cancel()
		return "", nil, fmt.Errorf("simulator: %w", err)
	}
	server := &http.Server{
		Handler:           s.Handler(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 30 * time.Second,
		ConnState:         s.connections.watch,
	}
	s.connections.listen(listener.Addr().String())
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) }) // ends by stop, with ErrServerClosed
	if s.cfg.Churn > 0 {
		running.Go(func() { s.Churn(ctx, s.cfg.Churn) })
	}
	stop = sync.OnceFunc(func() {
		cancel()
		_ = server.Close() // closes the listener; nothing to be done if it is closed
		running.Wait()
	})
	return "http://" + listener.Addr().String(), stop, nil
}

func (s *Server) unknownEndpoint(w http.ResponseWriter, r *http.Request) {
	s.books.request("other")
	s.books.forbid(r.Method+" "+r.URL.Path, "there is no such endpoint")
	writeErrors(w, r, errNotFound)
}

// elsewhere stands for the other host that a redirect leads to.
func (s *Server) elsewhere(w http.ResponseWriter, r *http.Request) {
	what := "followed a redirect to another host"
	if r.Header.Get("Authorization") != "" {
		what += ", with the token"
	}
	s.books.forbid(r.Method+" "+r.URL.Path, what)
	w.WriteHeader(http.StatusTeapot)
}
