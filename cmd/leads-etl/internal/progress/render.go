package progress

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// Bounds of the bar, in cells, without its ends.
const (
	shortestBar = 8
	longestBar  = 30
)

// line renders a snapshot in at most width cells; one is left free, since some
// terminals wrap when the last is written. What does not fit is left out, the
// least important first. All characters used are one cell wide.
func (m *meter) line(width int, ascii bool, spin int) string {
	width--
	s := m.from
	var parts []string
	if f := s.fraction(); f >= 0 {
		parts = append(parts, fmt.Sprintf("%3.0f%%", 100*f))
	} else {
		parts = append(parts, spinner(spin, ascii))
	}
	if len(s.Facts) > 0 {
		parts = append(parts, s.Facts...)
	} else {
		parts = append(parts, m.numbers()...)
	}
	separator := " · "
	if ascii {
		separator = " | "
	}
	text := s.Phase
	if utf8.RuneCountInString(text) > width {
		return ""
	}
	for i, part := range parts {
		glue := separator
		if i == 0 {
			glue = " "
		}
		if utf8.RuneCountInString(text)+utf8.RuneCountInString(glue+part) > width {
			break
		}
		text += glue + part
	}
	if f := s.fraction(); f >= 0 {
		if room := width - utf8.RuneCountInString(text) - 3; room >= shortestBar {
			bar := " " + bar(f, min(room, longestBar), ascii)
			text = strings.Replace(text, s.Phase, s.Phase+bar, 1)
		}
	}
	return text
}

// numbers are what is shown of a snapshot, the most important first.
func (m *meter) numbers() []string {
	s := m.from
	parts := []string{humanize.Comma(s.Leads) + " leads"}
	if left, ok := m.left(); ok {
		parts = append(parts, Clock(left)+" left")
	}
	parts = append(parts, fmt.Sprintf("%s/s", humanize.CommafWithDigits(float64(int64(m.leads.rate())), 0)))
	if s.Gaps > 0 {
		parts = append(parts, Plural(s.Gaps, "gap"))
	}
	parts = append(parts, Plural(s.Pages, "page"))
	if s.Retries > 0 {
		parts = append(parts, Plural(s.Retries, "retry"))
	}
	return parts
}

// bar draws a fraction in cells between its two ends.
func bar(fraction float64, cells int, ascii bool) string {
	full, empty, left, right := "━", "─", "", ""
	if ascii {
		full, empty, left, right = "#", "-", "[", "]"
	}
	n := int(fraction * float64(cells))
	return left + strings.Repeat(full, n) + strings.Repeat(empty, cells-n) + right
}

func spinner(step int, ascii bool) string {
	signs := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	if ascii {
		signs = []rune(`|/-\`)
	}
	return string(signs[step%len(signs)])
}

// Plural is "1 page", "2 pages", "3 retries", with separators of thousands.
func Plural[N int | int64](n N, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "y"):
		noun = strings.TrimSuffix(noun, "y") + "ies"
	default:
		noun += "s"
	}
	return humanize.Comma(int64(n)) + " " + noun
}

// Clock is a length of time as "0:07", "12:30", "1:02:03".
func Clock(d time.Duration) string {
	s := int(d.Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
