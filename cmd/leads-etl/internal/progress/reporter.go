package progress

import (
	"context"
	"log/slog"
	"time"
)

// How often a terminal's line is drawn, and a log line written. The first log
// line comes early, so that one sees that something happens.
const (
	drawEvery = 150 * time.Millisecond
	firstLog  = 10 * time.Second
	logEvery  = 30 * time.Second
)

// Reporter shows the progress of one piece of work.
type Reporter struct {
	// Poll returns the present state; it is called by one goroutine at a time.
	Poll func() Snapshot
	// Screen and Width are for a terminal; Live says that there is one.
	Screen *Screen
	Width  func() int
	Live   bool
	ASCII  bool
	// Logger gets a line now and then if there is no terminal.
	Logger *slog.Logger
}

// Start begins to report; the function it returns ends that and removes the
// line. It blocks until the last line is gone, and may be called once only.
func (r *Reporter) Start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if r.Live {
			r.draw(ctx)
		} else {
			r.log(ctx)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (r *Reporter) draw(ctx context.Context) {
	defer r.Screen.Clear()
	ticker := time.NewTicker(drawEvery)
	defer ticker.Stop()
	var m meter
	for spin := 0; ; spin++ {
		m.observe(time.Now(), r.Poll())
		r.Screen.SetLine(m.line(r.Width(), r.ASCII, spin))
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (r *Reporter) log(ctx context.Context) {
	timer := time.NewTimer(firstLog)
	defer timer.Stop()
	var m meter
	m.observe(time.Now(), r.Poll())
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(logEvery)
		}
		s := r.Poll()
		m.observe(time.Now(), s)
		attrs := []slog.Attr{
			slog.String("phase", s.Phase), slog.Int64("leads", s.Leads), slog.Int64("pages", s.Pages),
			slog.Int64("retries", s.Retries), slog.Int64("gaps", s.Gaps), slog.Int64("leads_per_second", int64(m.leads.rate())),
		}
		if f := s.fraction(); f >= 0 {
			attrs = append(attrs, slog.Int("percent", int(100*f)))
		}
		if left, ok := m.left(); ok {
			attrs = append(attrs, slog.Duration("left", left))
		}
		r.Logger.LogAttrs(ctx, slog.LevelInfo, "progress", attrs...)
	}
}
