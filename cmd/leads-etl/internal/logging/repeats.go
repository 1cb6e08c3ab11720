package logging

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// RepeatedKey is the key of how many records like it a record stands for, besides
// itself.
const RepeatedKey = "repeated"

// How long the first repetitions are held back, and the longest: each time it is
// twice as long.
const (
	firstPeriod   = time.Minute
	longestPeriod = time.Hour
)

// circumstances are the keys of attributes that may differ from one repetition to
// the next.
var circumstances = []string{"error", "reason", RequestIDKey, "until", "wait", "attempt", "attempts", "took"}

// Repeats passes on the first of warnings and errors that repeat, and of the
// others one in a while, which says how many there were: an outage of hours is
// not told at every poll. Two are the same if level, message and all attributes
// are, but for those that are circumstances. What is less severe is passed on as
// it is: it tells what was done, each time.
//
// Close it, or what is held back is lost.
type Repeats struct {
	next  slog.Handler
	about string // the attributes that it has been given
	*memory
}

// memory is what all handlers that derive from one another share.
type memory struct {
	mu     sync.Mutex
	seen   map[string]*repetition
	closed bool
}

// repetition is one record that may come again.
type repetition struct {
	period time.Duration
	timer  *time.Timer
	held   int // records that were not passed on
	// last is the newest of them, for the handler that it came through.
	last    slog.Record
	handler slog.Handler
}

// NewRepeats returns the handler in front of next.
func NewRepeats(next slog.Handler) *Repeats {
	return &Repeats{next: next, memory: &memory{seen: make(map[string]*repetition)}}
}

// Enabled implements slog.Handler.
func (h *Repeats) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// WithAttrs implements slog.Handler.
func (h *Repeats) WithAttrs(attrs []slog.Attr) slog.Handler {
	about := h.about
	for _, a := range attrs {
		about += identity(a)
	}
	return &Repeats{next: h.next.WithAttrs(attrs), about: about, memory: h.memory}
}

// WithGroup implements slog.Handler.
func (h *Repeats) WithGroup(name string) slog.Handler {
	return &Repeats{next: h.next.WithGroup(name), about: h.about + name + "\x00", memory: h.memory}
}

// Handle implements slog.Handler.
func (h *Repeats) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn || h.first(r) {
		return h.next.Handle(ctx, r)
	}
	return nil
}

// first reports whether the record is the first of its kind; if not, it is held back.
func (h *Repeats) first(r slog.Record) bool {
	key := h.keyOf(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return true
	}
	known, ok := h.seen[key]
	if !ok {
		known = &repetition{period: firstPeriod}
		known.timer = time.AfterFunc(known.period, func() { h.due(key) })
		h.seen[key] = known
		return true
	}
	known.held++
	known.last, known.handler = r.Clone(), h.next
	return false
}

// due tells of what was held back for a period, or forgets what has not come
// again.
func (m *memory) due(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.seen[key]
	if !ok || m.closed {
		return
	}
	if known.held == 0 {
		delete(m.seen, key)
		return
	}
	known.tell()
	known.period = min(2*known.period, longestPeriod)
	known.timer.Reset(known.period)
}

// tell passes the newest on, with the number of those before it.
func (r *repetition) tell() {
	if r.held > 1 {
		r.last.AddAttrs(slog.Int(RepeatedKey, r.held-1))
	}
	r.held = 0
	// A log that cannot be written has nowhere to say so.
	_ = r.handler.Handle(context.Background(), r.last)
}

// Close tells of what is held back. What comes later is passed on as it comes. A
// nil handler holds nothing back.
func (h *Repeats) Close() {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	var held []*repetition
	for _, known := range h.seen {
		known.timer.Stop()
		if known.held > 0 {
			held = append(held, known)
		}
	}
	slices.SortFunc(held, func(a, b *repetition) int { return a.last.Time.Compare(b.last.Time) })
	for _, known := range held {
		known.tell()
	}
	clear(h.seen)
}

// keyOf is the same for records that are the same.
func (h *Repeats) keyOf(r slog.Record) string {
	var key strings.Builder
	fmt.Fprintf(&key, "%s\x00%s\x00%s", r.Level, r.Message, h.about)
	r.Attrs(func(a slog.Attr) bool {
		key.WriteString(identity(a))
		return true
	})
	return key.String()
}

// identity is what an attribute adds to a key.
func identity(a slog.Attr) string {
	if slices.Contains(circumstances, a.Key) {
		return ""
	}
	return a.Key + "=" + a.Value.Resolve().String() + "\x00"
}
