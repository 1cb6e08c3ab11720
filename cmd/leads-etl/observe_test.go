package main

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// urlOf is the value of the key url in what was logged.
func urlOf(t *testing.T, logged string) string {
	t.Helper()
	_, rest, ok := strings.Cut(logged, "url=")
	if !ok {
		t.Fatalf("no url in %s", logged)
	}
	return strings.TrimSuffix(strings.Fields(rest)[0], "/metrics")
}

// awaitReady asks until the status is the wanted one, and returns what was said.
func awaitReady(t *testing.T, url string, status int) string {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode == status {
			return string(text)
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is still %d: %s", answer.StatusCode, text)
		}
	}
}

// A stream is ready while it polls, says why it is not during an outage, and at
// its end.
func TestStreamIsWatched(t *testing.T) {
	dir := t.TempDir()
	server, environ := liveAPI(t, 50)
	environ = append(environ, "LEADS_ETL_NDJSON_DIR=out", "LEADS_ETL_FETCH_MAX_ATTEMPTS=1")
	stream := startLogged(t, dir, environ, "stream", "--json", "--listen=0", "--drain-timeout=30s")
	url := urlOf(t, stream.await(t, "metrics are served"))
	go func() { _, _ = io.Copy(io.Discard, stream.log) }()
	if said := awaitReady(t, url, http.StatusOK); said != "ready\n" {
		t.Errorf("ready: %s", said)
	}
	server.SetOutage(true)
	if said := awaitReady(t, url, http.StatusServiceUnavailable); !strings.Contains(said, "the API does not work at present: ") && !strings.Contains(said, "the API cannot be reached: ") {
		t.Errorf("during an outage: %s", said)
	}
	server.SetOutage(false)
	awaitReady(t, url, http.StatusOK)
	signalTo(t, stream, syscall.SIGTERM)
	if err := stream.Wait(); err != nil {
		t.Error(err)
	}
}
