package source

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/fetch"
)

// bomb is a page that unfolds to about n bytes from a thousandth of them.
func bomb(n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, `{"classifiedLeads":[],"more":"`)
	letters := []byte(strings.Repeat("a", 1<<20))
	for ; n > 0; n -= len(letters) {
		_, _ = z.Write(letters)
	}
	_, _ = io.WriteString(z, `"}`)
	_ = z.Close()
	return b.Bytes()
}

func TestBombIsRefused(t *testing.T) {
	body := bomb(8 << 20)
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body)
	}}
	c := a.start(t, func(s *setup) { s.limits.MaxAttempts = 3 })
	c.bounds.suspicious = 1 << 20 // the race detector makes 32 MiB take long
	_, err := c.Fetch(t.Context(), day, all)
	failed, ok := errors.AsType[*fetch.WindowError](err)
	if _, large := errors.AsType[*TooLargeError](err); !ok || !large || failed.Window != day {
		t.Fatalf("got %T: %v", err, err)
	}
	if n := a.calls.Load(); n != 1 {
		t.Errorf("%d calls: a smaller window is the better bet", n)
	}
	_, err = c.Fetch(t.Context(), oneSec, all)
	if _, large := errors.AsType[*TooLargeError](err); !large || a.calls.Load() != 4 {
		t.Errorf("got %v after %d calls: a second cannot be split", err, a.calls.Load())
	}
	if n := c.Stats().Outcomes[OutcomeTooLarge]; n != 4 {
		t.Errorf("%d of 4 answers counted as too large", n)
	}
}

func TestLimitsOfBodies(t *testing.T) {
	plain := page(2000) // some 130 KB that compress well
	noise := noisePage(50 << 10)
	for _, test := range []struct {
		name   string
		limits bodyLimits
		body   string
		gzip   bool
		limit  string // what is exceeded; empty if it passes
	}{
		{"within", bodyLimits{wire: 1 << 20, json: 1 << 20, suspicious: 1 << 20, ratio: 1}, plain, true, ""},
		{"just within", bodyLimits{wire: 1 << 20, json: int64(len(plain)), suspicious: 1 << 20, ratio: 1}, plain, true, ""},
		{"JSON", bodyLimits{wire: 1 << 20, json: int64(len(plain)) - 1, suspicious: 1 << 20, ratio: 1}, plain, true, "bytes of JSON"},
		{"JSON sent plain", bodyLimits{wire: 1 << 20, json: int64(len(plain)) - 1, suspicious: 1 << 20, ratio: 1}, plain, false, "bytes of JSON"},
		{"gzip", bodyLimits{wire: 16 << 10, json: 1 << 20, suspicious: 1 << 20, ratio: 1}, noise, true, "of gzip"},
		{"gzip of what was sent plain", bodyLimits{wire: 16 << 10, json: 1 << 20, suspicious: 1 << 20, ratio: 1}, noise, false, "of gzip"},
		{"ratio", bodyLimits{wire: 1 << 20, json: 1 << 20, suspicious: 64 << 10, ratio: 5}, plain, true, "for each byte of gzip"},
		{"ratio of what is small", bodyLimits{wire: 1 << 20, json: 1 << 20, suspicious: 256 << 10, ratio: 5}, plain, true, ""},
		{"ratio of what is plain", bodyLimits{wire: 1 << 20, json: 1 << 20, suspicious: 1, ratio: 1}, plain, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
				if test.gzip {
					writeZip(w, test.body)
					return
				}
				_, _ = w.Write([]byte(test.body))
			}}
			c := a.start(t)
			c.bounds = test.limits
			p, err := c.Fetch(t.Context(), day, all)
			if test.limit == "" {
				if err != nil || unzip(t, p) != test.body {
					t.Errorf("error %v", err)
				}
				return
			}
			e, ok := errors.AsType[*TooLargeError](err)
			if !ok || !strings.Contains(e.Limit, test.limit) {
				t.Errorf("got %T: %v", err, err)
			}
		})
	}
}

// A window that can be split is, rather than that a large answer is kept.
func TestLargeWindowsAreSplit(t *testing.T) {
	body := page(2000)
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { writeZip(w, body) }}
	c := a.start(t)
	c.bounds = bodyLimits{wire: 1 << 20, json: 1 << 20, whole: int64(len(body)) - 1, suspicious: 1 << 20, ratio: 1}
	_, err := c.Fetch(t.Context(), day, all)
	if _, large := errors.AsType[*TooLargeError](err); !large || a.calls.Load() != 1 {
		t.Errorf("a day: %v after %d calls", err, a.calls.Load())
	}
	if p, err := c.Fetch(t.Context(), oneSec, all); err != nil || unzip(t, p) != body {
		t.Errorf("a second: %v", err)
	}
}

// noisePage is a page that hardly compresses.
func noisePage(n int) string {
	letters := make([]byte, n)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range letters {
		letters[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[random.IntN(64)]
	}
	return `{"classifiedLeads":[{"itemId":"1","itemTitle":"` + string(letters) + `","responses":[]}],"totalItems":1,"totalLeads":0}`
}

func TestLargePagePasses(t *testing.T) {
	body := []byte(page(300_000)) // some 20 MB of JSON that compress by 200
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write(body)
	_ = z.Close()
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(b.Bytes())
	}}
	p, err := a.start(t).Fetch(t.Context(), day, all)
	if err != nil {
		t.Fatal(err)
	}
	if p.Leads != 300_000 || !bytes.Equal(p.Body, b.Bytes()) {
		t.Errorf("%d leads in %d bytes", p.Leads, len(p.Body))
	}
}

func TestErrorBodiesAreBounded(t *testing.T) {
	for name, write := range map[string]func(w http.ResponseWriter){
		"long": func(w http.ResponseWriter) {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"errors":[`+strings.Repeat(ebayError(352003, "REQUEST", "Time")+",", 10_000)+`]}`)
		},
		"a bomb": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(400)
			_, _ = w.Write(bomb(8 << 20))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) { write(w) }}
			c := a.start(t)
			_, err := c.Fetch(t.Context(), day, all)
			if e, ok := errors.AsType[*APIError](err); !ok || e.Status != 400 || len(e.Error()) > 1<<10 {
				t.Errorf("got %T: %v", err, err)
			}
			if n := c.Stats().Bytes; n > maxErrorBytes {
				t.Errorf("%d bytes were read", n)
			}
		})
	}
	a := &api{leads: func(w http.ResponseWriter, r *http.Request, n int) {
		long := strings.Repeat("very long words ", 100)
		fail(w, 400, ebayError(352003, "REQUEST", long), ebayError(352003, "REQUEST", "line\\nbreak\\u0000\\u202e and "+long))
	}}
	_, err := a.start(t).Fetch(t.Context(), day, all)
	if text := err.Error(); len(text) > 1200 || strings.ContainsAny(text, "\n\x00\u202e") {
		t.Errorf("%d bytes: %q", len(text), text)
	}
}
