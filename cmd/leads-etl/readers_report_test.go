//go:build readers

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// The report as a browser shows it: nothing is loaded, nothing complained of,
// nothing sticks out, whatever the colours and the width, and no personal value is
// in it. The test needs Chromium, which .ci/run installs. With REPORT_SHOTS it
// leaves pictures in that folder.
func TestReportInABrowser(t *testing.T) {
	dir := t.TempDir()
	server, environ := seller(t, dir)
	server.FailSecond(septemberAt(3, 10))
	if code, stdout, stderr := runIn(t, environ, "batch"); code != exitIncomplete {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	full, empty := filepath.Join(dir, "report.html"), filepath.Join(dir, "empty.html")
	done(t, environ, "report", "--html", full)
	done(t, environ, "report", "--html", empty, "--from", "2020-01-01", "--to", "2020-01-02")
	secrets := personal(slices.Collect(server.AllTruth(window.New(septemberAt(1, 0), septemberAt(11, 0)))))

	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 420} {
			t.Run(fmt.Sprintf("%s %d", scheme, width), func(t *testing.T) {
				b := openBrowser(t, scheme, width)
				seen := b.open(t, full)
				if seen.charts < 7 || seen.tips < 100 || seen.tables < 4 {
					t.Errorf("the page has %d charts, %d tips and %d tables", seen.charts, seen.tips, seen.tables)
				}
				if dark := seen.background != "rgb(246, 245, 242)"; dark != (scheme == "dark") {
					t.Errorf("the background is %s", seen.background)
				}
				if seen.overflow > 0 {
					t.Errorf("the page is %d px wider than the window", seen.overflow)
				}
				for _, secret := range secrets {
					if strings.Contains(seen.text, secret) {
						t.Errorf("the page shows %q", secret)
					}
				}
				if seen := b.open(t, empty); !strings.Contains(seen.text, "Nothing to show.") || seen.overflow > 0 {
					t.Errorf("without leads the page shows %q", seen.text)
				}
				b.close(t)
			})
		}
	}
}

// browser is a Chromium, and what it complained of and asked for.
type browser struct {
	ctx    context.Context
	name   string
	cancel []context.CancelFunc

	mu         sync.Mutex
	complaints []string
	requests   []string
}

func openBrowser(t *testing.T, scheme string, width int64) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, cancelAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &browser{ctx: ctx, name: fmt.Sprintf("%s-%d", scheme, width), cancel: []context.CancelFunc{cancel, cancelAllocator}}
	call(ctx, t, network.Enable, network.EnableParams{})
	call(ctx, t, log.Enable, cdp.Empty{})
	call(ctx, t, runtime.Enable, cdp.Empty{})
	call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
	call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	return b
}

func call[P, R any](ctx context.Context, t *testing.T, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		t.Fatal(err)
	}
}

// evaluate returns what a script comes to in the page.
func evaluate[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprint(e.Type))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// sight is what a page shows.
type sight struct {
	text, background               string
	charts, tips, tables, overflow int
}

// open opens a file, and looks at it.
func (b *browser) open(t *testing.T, path string) (s sight) {
	t.Helper()
	url := "file://" + path
	if err := chromedp.Do(b.ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	s.text = evaluate[string](t, b, `document.documentElement.textContent`)
	s.background = evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`)
	s.charts = evaluate[int](t, b, `document.querySelectorAll('svg').length`)
	s.tips = evaluate[int](t, b, `document.querySelectorAll('svg title').length`)
	s.tables = evaluate[int](t, b, `document.querySelectorAll('table').length`)
	s.overflow = evaluate[int](t, b, `document.documentElement.scrollWidth - innerWidth`)
	shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if folder := os.Getenv("REPORT_SHOTS"); folder != "" {
		name := strings.TrimSuffix(filepath.Base(path), ".html") + "-" + b.name + ".png"
		if err := os.WriteFile(filepath.Join(folder, name), shot, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, request := range b.requests {
		if request != url && !strings.HasPrefix(request, "data:") {
			t.Errorf("the page asks for %s", request)
		}
	}
	if len(b.requests) == 0 {
		t.Error("not even the page was seen to be loaded")
	}
	if len(b.complaints) > 0 {
		t.Errorf("the browser complains: %q", b.complaints)
	}
	b.requests = nil
	return s
}

func (b *browser) close(t *testing.T) {
	t.Helper()
	if err := chromedp.Cancel(b.ctx); err != nil {
		t.Errorf("closing the browser: %v", err)
	}
	for _, cancel := range b.cancel {
		cancel()
	}
}
