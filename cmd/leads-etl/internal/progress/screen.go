package progress

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Sequences every terminal of the last forty years understands.
const (
	toStart   = "\r"
	eraseLine = "\x1b[K"
	lineUp    = "\x1b[A"
	eraseDown = "\x1b[J"
)

// Screen is a stream of lines (log, messages) with at most one line below them
// that is redrawn. It is safe for concurrent use.
type Screen struct {
	mu   sync.Mutex
	w    io.Writer
	line string

	// Width is how many cells a row of the terminal has now. It is nil, and to be
	// set before the first line is, where a terminal that becomes narrower cuts
	// lines off instead of breaking them into several rows.
	Width func() int
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
	b.WriteString(s.erase())
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
	text := toStart + line + eraseLine
	if s.rows() > 1 {
		text = s.erase() + line
	}
	s.line = line
	// A terminal that is gone is no reason to end the work.
	_, _ = io.WriteString(s.w, text)
}

// rows is how many rows the line takes now: the terminal may have become narrower
// since it was drawn, and have broken it.
func (s *Screen) rows() int {
	cells := utf8.RuneCountInString(s.line)
	if s.Width == nil || cells == 0 {
		return 1
	}
	if width := s.Width(); width > 0 {
		return (cells + width - 1) / width
	}
	return 1
}

// erase removes the line, in however many rows it is.
func (s *Screen) erase() string {
	rows := s.rows()
	if rows == 1 {
		return toStart + eraseLine
	}
	return toStart + strings.Repeat(lineUp, rows-1) + eraseDown
}

// Clear removes the line.
func (s *Screen) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == "" {
		return
	}
	text := s.erase()
	s.line = ""
	_, _ = io.WriteString(s.w, text)
}
