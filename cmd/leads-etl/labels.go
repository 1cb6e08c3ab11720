package main

import (
	"fmt"
	"strings"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/display"
)

// labelWidth is that of the names of lines, with the gap behind them.
const labelWidth = 12

// labelled returns what writes a line with its name before it. On a terminal, what is
// too long for it goes on below itself, broken between words.
func (c *console) labelled(b *strings.Builder) func(name, format string, args ...any) {
	width := c.outWidth()
	return func(name, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if width > 0 {
			text = display.Wrap(text, width-labelWidth, strings.Repeat(" ", labelWidth))
		}
		fmt.Fprintf(b, "%-*s %s\n", labelWidth-1, name, text)
	}
}
