package display

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
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
	// Rank decides which columns are left out where there is no room: those with the
	// lowest are the most wanted, and those with 0 always there.
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

// fit sets the widths by the sample. Where there is no room for all columns, those
// with rank 0 are shown and of the others, the most wanted first, what there is room
// for beside them; the widest that may be cut are then cut. The width of a column
// that is left out is -1.
func (t *Table) fit(sample [][]string) {
	t.widths = make([]int, len(t.Columns))
	empty := make([]bool, len(t.Columns))
	for i, title := range t.titles() {
		empty[i] = true
		t.widths[i] = runewidth.StringWidth(title)
		for _, cells := range sample {
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(cells[i]))
			empty[i] = empty[i] && cells[i] == ""
		}
	}
	if t.Width == 0 || t.total() <= t.Width {
		return
	}
	t.choose(empty)
	for {
		over := t.total() - t.Width
		i := t.widest()
		if over <= 0 || i < 0 {
			return
		}
		t.widths[i] = max(leastWidth, t.widths[i]-over)
	}
}

// choose leaves out columns for which there is no room however the others are cut,
// those that are empty before all others.
func (t *Table) choose(empty []bool) {
	widths := slices.Clone(t.widths)
	var ranked []int
	least := func(i int) int {
		if t.Columns[i].Shrinks {
			return min(widths[i], leastWidth)
		}
		return widths[i]
	}
	room := t.Width + len(gap)
	for i, c := range t.Columns {
		if c.Rank > 0 {
			t.widths[i] = -1
			ranked = append(ranked, i)
			continue
		}
		room -= least(i) + len(gap)
	}
	slices.SortStableFunc(ranked, func(i, j int) int {
		if empty[i] != empty[j] {
			if empty[i] {
				return 1
			}
			return -1
		}
		return cmp.Compare(t.Columns[i].Rank, t.Columns[j].Rank)
	})
	for _, i := range ranked {
		if need := least(i) + len(gap); need <= room {
			t.widths[i] = widths[i]
			room -= need
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
