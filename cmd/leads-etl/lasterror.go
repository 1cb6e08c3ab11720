package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// lastErrorFile keeps, in the state folder, the last thing that went wrong, for
// those who come later and ask: a file of one small JSON object. As the log, whose
// words it holds, it has neither personal data nor secrets.
const lastErrorFile = "last-error.json"

// lastError is what went wrong.
type lastError struct {
	Time    time.Time `json:"time"`
	Command string    `json:"command"`
	Text    string    `json:"text"`
	// Ended says that it ended the run, with Code; else the run went on.
	Ended bool `json:"ended"`
	Code  int  `json:"exit_code,omitempty"`
	// Since is when a run last ended well after it.
	Since *time.Time `json:"ended_well_since,omitempty"`
}

// longestError bounds the text.
const longestError = 1000

// errorKeeper writes the last error of the process that holds the state folder.
type errorKeeper struct {
	dir, command string

	mu   sync.Mutex
	last lastError
}

// keep writes what went wrong. A keeper that cannot write does no harm: whatever
// is wrong with the disk, others say.
func (k *errorKeeper) keep(e lastError) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e.Time, e.Command, e.Text = time.Now().UTC().Truncate(time.Millisecond), k.command, cutText(e.Text, longestError)
	if e.Text == k.last.Text && !e.Ended && e.Time.Sub(k.last.Time) < time.Minute {
		return // the same again
	}
	k.last = e
	k.write(e)
}

func (k *errorKeeper) write(e lastError) {
	data, err := json.Marshal(e)
	if err != nil {
		return
	}
	path := filepath.Join(k.dir, lastErrorFile)
	if os.WriteFile(path+".tmp", append(data, '\n'), 0o600) == nil {
		_ = os.Rename(path+".tmp", path)
	}
}

// ended takes down how the run ended.
func (k *errorKeeper) ended(err error) {
	switch code := exitCode(err); code {
	case exitInterrupted:
	case exitDone:
		k.mu.Lock()
		defer k.mu.Unlock()
		if e, readErr := readLastError(k.dir); readErr == nil && e != nil {
			now := time.Now().UTC().Truncate(time.Millisecond)
			e.Since = &now
			k.write(*e)
		}
	default:
		var texts []string
		for _, f := range failures(err) {
			if f.text != "" {
				texts = append(texts, f.text)
			}
		}
		k.keep(lastError{Text: strings.Join(texts, "; "), Ended: true, Code: code})
	}
}

// readLastError returns nil if nothing ever went wrong.
func readLastError(dir string) (*lastError, error) {
	path := filepath.Join(dir, lastErrorFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // nothing went wrong
	}
	if err != nil {
		return nil, fmt.Errorf("reading the last error: %w", err)
	}
	var e lastError
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("%s is damaged: remove it", path)
	}
	return &e, nil
}

// logger returns a logger that also keeps what is said of errors.
func (k *errorKeeper) logger(l *slog.Logger) *slog.Logger {
	return slog.New(&keepingHandler{Handler: l.Handler(), keeper: k})
}

// keepingHandler is a handler that passes everything on, and keeps warnings and
// errors that have an error with them.
type keepingHandler struct {
	slog.Handler
	keeper *errorKeeper
}

// Enabled lets warnings through whatever the level of the log is.
func (h *keepingHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || h.Handler.Enabled(ctx, level)
}

// Handle keeps and passes on.
func (h *keepingHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "error" {
				h.keeper.keep(lastError{Text: r.Message + ": " + a.Value.String()})
				return false
			}
			return true
		})
	}
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs and WithGroup keep on keeping.
func (h *keepingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &keepingHandler{h.Handler.WithAttrs(attrs), h.keeper}
}

// WithGroup is as WithAttrs.
func (h *keepingHandler) WithGroup(name string) slog.Handler {
	return &keepingHandler{h.Handler.WithGroup(name), h.keeper}
}

// cutText cuts text to so many bytes or less, at a character.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
