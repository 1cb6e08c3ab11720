package progress

import (
	"bytes"
	"io"
	"sync"
)

// Sequences every terminal of the last forty years understands.
const (
	toStart   = "\r"
	eraseLine = "\x1b[K"
)

// Screen is a stream of lines (log, messages) with at most one line below them
// that is redrawn. It is safe for concurrent use.
type Screen struct {
	mu   sync.Mutex
	w    io.Writer
	line string
}

// NewScreen returns a Screen without a line. Until SetLine is called it writes
// what it is given, and nothing else.
func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

// Write writes whole lines, above the redrawn one.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == "" {
		return s.w.Write(p)
	}
	var b bytes.Buffer
	b.WriteString(toStart + eraseLine)
	b.Write(p)
	b.WriteString(s.line)
	if _, err := s.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetLine draws the line, in the place of the one before. It must fit the
// terminal's width.
func (s *Screen) SetLine(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if line == s.line {
		return
	}
	s.line = line
	// A terminal that is gone is no reason to end the work.
	_, _ = io.WriteString(s.w, toStart+line+eraseLine)
}

// Clear removes the line.
func (s *Screen) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == "" {
		return
	}
	s.line = ""
	_, _ = io.WriteString(s.w, toStart+eraseLine)
}
