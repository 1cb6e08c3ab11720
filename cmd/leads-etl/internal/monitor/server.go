package monitor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ListenError says that the address of [metrics] listen cannot be had.
type ListenError struct{ Err error }

func (e *ListenError) Error() string { return "[metrics] listen: " + e.Err.Error() }

// Unwrap returns the network's error.
func (e *ListenError) Unwrap() error { return e.Err }

const (
	headerTimeout = 5 * time.Second
	// goodbye is how long those that are being answered are waited for.
	goodbye = time.Second
)

// Serve listens as the configuration says, if it does. stop ends it, and returns
// when nothing runs any more. The error is *ListenError.
func (m *Monitor) Serve(ctx context.Context, c ServerConfig, logger *slog.Logger) (stop func(), err error) {
	if c.Listen == "" {
		return func() {}, nil
	}
	address, problem := c.address()
	if problem != "" {
		return nil, &ListenError{errors.New(problem)}
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &ListenError{err}
	}
	server := &http.Server{
		Handler: m.handler(c.PProf), ReadHeaderTimeout: headerTimeout,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	logger.InfoContext(ctx, "metrics are served", "url", "http://"+listener.Addr().String()+"/metrics")
	return func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		if err := server.Shutdown(ending); err != nil {
			_ = server.Close() // who takes longer is cut off
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			logger.WarnContext(ctx, "metrics were not served to the end", "error", err)
		}
	}, nil
}

const index = `leads-etl
/metrics      for Prometheus
/healthz      200 while the process is alive
/readyz       200 while it does what it is for, 503 and why if not
`

func (m *Monitor) handler(profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry}))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, index) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := m.unready(); why != "" {
			say(w, http.StatusServiceUnavailable, why+"\n")
			return
		}
		say(w, http.StatusOK, "ready\n")
	})
	if profiles {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// Nothing can be done if who asked is gone.
	_, _ = io.WriteString(w, text)
}
