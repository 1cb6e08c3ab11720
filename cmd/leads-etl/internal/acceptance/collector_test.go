package acceptance

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector is what traces are sent to: it keeps them.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	raw   strings.Builder
	spans []*trace.Span
}

// newCollector starts a collector, and tells the program's runs of it.
func (w *world) newCollector() *collector {
	c := new(collector)
	c.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { c.take(w.t, rw, r) }))
	w.t.Cleanup(c.Close)
	w.environ = append(w.environ, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_BSP_SCHEDULE_DELAY=200")
	return c
}

func (c *collector) take(t testing.TB, w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body = unzipped
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return // the program was ended
	}
	var request coltrace.ExportTraceServiceRequest
	if err := proto.Unmarshal(data, &request); err != nil || r.URL.Path != "/v1/traces" {
		t.Errorf("%s: %v", r.URL.Path, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(data)
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// sent is all that was sent, as it was sent: texts are in it as they are.
func (c *collector) sent() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// tracesOf are the names of the spans of each trace whose root has the name, each
// name once.
func (c *collector) tracesOf(root string) [][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make(map[string][]string)
	var roots []string
	for _, s := range c.spans {
		names[string(s.TraceId)] = append(names[string(s.TraceId)], s.Name)
		if s.Name == root && len(s.ParentSpanId) == 0 {
			roots = append(roots, string(s.TraceId))
		}
	}
	var traces [][]string
	for _, id := range roots {
		slices.Sort(names[id])
		traces = append(traces, slices.Compact(names[id]))
	}
	return traces
}
