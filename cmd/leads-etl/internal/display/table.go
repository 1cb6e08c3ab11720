package display

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/leads-etl/leads-etl/schema"
)

// Column is a column of a table for people.
type Column struct {
	Title string
	Text  func(r *schema.Row) string
	// Right aligns it with its right end, as numbers are.
	Right bool
	// Shrinks says that it may be cut; others are shown whole, or not at all.
	Shrinks bool
	// Rank decides which columns are left out where there is no room: those with
	// the highest first, never those with 0.
	Rank int
}

// Table writes rows as lines. Its zero Width is no limit.
type Table struct {
	Columns []Column
	Width   int
	ASCII   bool

	widths []int
}

// sampled is how many rows are looked at before the widths are set; they are in
// memory together.
const sampled = 200

// leastWidth is what a column is shrunk to at most.
const leastWidth = 10

const gap = "  "

// Write writes the rows as they come, and returns how many there were.
func (t *Table) Write(out io.Writer, rows iter.Seq2[schema.Row, error]) (n int, err error) {
	w := bufio.NewWriter(out)
	var sample [][]string
	show := func() {
		t.fit(sample)
		if len(sample) > 0 {
			t.line(w, t.titles())
		}
		for _, cells := range sample {
			t.line(w, cells)
		}
		sample = nil
	}
	for row, err := range rows {
		if err != nil {
			return n, err
		}
		cells := t.cells(&row)
		n++
		switch {
		case n < sampled:
			sample = append(sample, cells)
		case n == sampled:
			sample = append(sample, cells)
			show()
		default:
			t.line(w, cells)
		}
	}
	if n < sampled {
		show()
	}
	return n, w.Flush()
}

func (t *Table) cells(r *schema.Row) []string {
	cells := make([]string, len(t.Columns))
	for i := range t.Columns {
		cells[i] = t.Columns[i].Text(r)
	}
	return cells
}

func (t *Table) titles() []string {
	titles := make([]string, len(t.Columns))
	for i := range t.Columns {
		titles[i] = strings.ToUpper(t.Columns[i].Title)
	}
	return titles
}

// fit sets the widths by the sample, shrinks the widest column that may be cut
// while there is no room, and leaves columns out where that is not enough: their
// width is -1.
func (t *Table) fit(sample [][]string) {
	t.widths = make([]int, len(t.Columns))
	for i, title := range t.titles() {
		t.widths[i] = runewidth.StringWidth(title)
		for _, cells := range sample {
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(cells[i]))
		}
	}
	for t.Width > 0 {
		over := t.total() - t.Width
		if over <= 0 {
			return
		}
		if i := t.widest(); i >= 0 {
			t.widths[i] = max(leastWidth, t.widths[i]-over)
			continue
		}
		i := t.leastWanted()
		if i < 0 {
			return
		}
		t.widths[i] = -1
		t.fitAgain(sample, i)
	}
}

// fitAgain gives the columns that were shrunk their width back, now that one is
// left out.
func (t *Table) fitAgain(sample [][]string, out int) {
	kept := *t
	kept.Width = 0
	kept.fit(sample)
	for i, width := range t.widths {
		if width >= 0 && i != out {
			t.widths[i] = kept.widths[i]
		}
	}
}

// total is the width of a line.
func (t *Table) total() int {
	total := -len(gap)
	for _, width := range t.widths {
		if width >= 0 {
			total += width + len(gap)
		}
	}
	return total
}

// widest is the place of the column that is shrunk next; -1 for none.
func (t *Table) widest() int {
	widest := -1
	for i, c := range t.Columns {
		if c.Shrinks && t.widths[i] > leastWidth && (widest < 0 || t.widths[i] > t.widths[widest]) {
			widest = i
		}
	}
	return widest
}

// leastWanted is the place of the column that is left out next; -1 for none.
func (t *Table) leastWanted() int {
	least := -1
	for i, c := range t.Columns {
		if t.widths[i] >= 0 && c.Rank > 0 && (least < 0 || c.Rank > t.Columns[least].Rank) {
			least = i
		}
	}
	return least
}

func (t *Table) line(w io.Writer, cells []string) {
	var b strings.Builder
	for i, cell := range cells {
		width := t.widths[i]
		if width < 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(gap)
		}
		if t.Columns[i].Shrinks && t.Width > 0 {
			cell = Shorten(cell, width, t.ASCII)
		}
		if t.Columns[i].Right {
			b.WriteString(runewidth.FillLeft(cell, width))
		} else {
			b.WriteString(runewidth.FillRight(cell, width))
		}
	}
	fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
}

// Shorten cuts text that is wider than so many cells, and marks that it did.
func Shorten(s string, width int, ascii bool) string {
	tail := "…"
	if ascii {
		tail = "~"
	}
	return runewidth.Truncate(s, width, tail)
}
