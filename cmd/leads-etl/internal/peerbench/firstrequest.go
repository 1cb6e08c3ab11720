package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"
)

// starts is how often a round starts the program.
const starts = 9

// firstMore is the figure's name in the samples.
const firstMore = "first_request_ms"

// firstRequest measures how long after the start of the program its first request
// comes, whichever that is, if it has a token from an earlier run.
func (b *bench) firstRequest(ctx context.Context) (report.Sample, facts, error) {
	sim, err := simulate(ctx, b.binary, 1000)
	if err != nil {
		return report.Sample{}, nil, err
	}
	defer sim.stop()
	gate, err := newGate(sim.url)
	if err != nil {
		return report.Sample{}, nil, err
	}
	defer gate.close()
	dir := filepath.Join(b.work, "first")
	e := exporter{binary: b.binary, threads: b.threads, api: gate.url, state: filepath.Join(dir, "state"), ndjson: filepath.Join(dir, "ndjson")}
	var waits []float64
	var all report.Sample
	for i := range starts + 1 {
		cmd, err := e.command(ctx, "batch", "--from", "2026-09-01", "--to", "2026-09-02")
		if err != nil {
			return report.Sample{}, nil, err
		}
		gate.arm()
		var begun time.Time
		if all, _, err = measureStarted(cmd, &begun); err != nil {
			return report.Sample{}, nil, err
		}
		first := gate.first()
		if first.IsZero() {
			return report.Sample{}, nil, fmt.Errorf("%s made no request", cmd)
		}
		if i > 0 { // the first run gets the token
			waits = append(waits, first.Sub(begun).Seconds()*1e3)
		}
	}
	all.More = map[string]float64{firstMore: report.SpreadOf(waits).Median}
	return all, nil, nil
}

// gate stands before the simulator and notes when a request comes.
type gate struct {
	url    string
	server *http.Server

	mu sync.Mutex
	at time.Time
}

func newGate(behind string) (*gate, error) {
	target, err := url.Parse(behind)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is there at once
	if err != nil {
		return nil, err
	}
	g := &gate{url: "http://" + listener.Addr().String()}
	proxy := httputil.NewSingleHostReverseProxy(target)
	g.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		g.mu.Lock()
		if g.at.IsZero() {
			g.at = now
		}
		g.mu.Unlock()
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = g.server.Serve(listener) }() // it ends with close
	return g, nil
}

// arm forgets what came.
func (g *gate) arm() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = time.Time{}
}

// first is when the first request came since arm, zero if none has.
func (g *gate) first() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.at
}

func (g *gate) close() { _ = g.server.Close() }
