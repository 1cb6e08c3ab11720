package display

import (
	"fmt"

	"github.com/mattn/go-runewidth"
)

const (
	// valuesAt is where the values of a row's columns begin, below each other.
	valuesAt = 31
	// leastValue is what is shown of a value, however narrow the terminal.
	leastValue = 10
	// besides is how wide two values are together at most to stand on one line.
	besides = 60
)

// Value is the line of a column's value; a width of 0 is no limit.
func Value(name, text string, width int, ascii bool) string {
	return fmt.Sprintf("  %-28s %s\n", name, fitting(text, width, valuesAt, ascii))
}

// Change is what was and what is of a column: on one line, or below each other where
// it is long.
func Change(name, before, now string, width int, ascii bool) string {
	arrow := "→"
	if ascii {
		arrow = "->"
	}
	change := before + " " + arrow + " " + now
	if w := runewidth.StringWidth(change); w < besides && (width == 0 || valuesAt+w <= width) {
		return Value(name, change, 0, ascii)
	}
	return Value(name, before, width, ascii) +
		fmt.Sprintf("%*s%s %s\n", valuesAt, "", arrow, fitting(now, width, valuesAt+runewidth.StringWidth(arrow)+1, ascii))
}

// fitting cuts text to what is left of the width.
func fitting(text string, width, used int, ascii bool) string {
	if width == 0 {
		return text
	}
	return Shorten(text, max(leastValue, width-used), ascii)
}
