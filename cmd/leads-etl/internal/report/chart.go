package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize"
)

// All charts have the same measures, in units of their own that are pixels where
// there is room, so that texts and bars are of one size on the page.
const (
	halfWidth   = 580.0 // of a chart beside another
	fullWidth   = 1160.0
	plotHeight  = 180.0
	plotTop     = 14.0
	axisLeft    = 52.0
	axisBottom  = 24.0
	plotRight   = 10.0
	rowHeight   = 24.0
	columnsGap  = 0.22 // of a column's width
	mostColumn  = 44.0 // a column is no wider
	characterPx = 6.8  // of a small text
)

// chart is a drawing: the template makes SVG of it.
type chart struct {
	// Label says in words what is drawn; Empty is shown in the place of the drawing.
	Label, Empty  string
	Width, Height float64
	Shapes        []shape
	Lines         []line
	Texts         []text
}

// shape is a rectangle. Class is its colour, Tip what a pointer on it tells.
type shape struct {
	X, Y, W, H float64
	Class      string
	Opacity    float64
	Tip        string
}

type line struct {
	X1, Y1, X2, Y2 float64
	Class          string
}

type text struct {
	X, Y   float64
	Anchor string
	Class  string
	Text   string
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

func (c *chart) rect(x, y, w, h float64, class, tip string) {
	c.Shapes = append(c.Shapes, shape{round(x), round(y), round(w), round(h), class, 1, tip})
}

func (c *chart) line(x1, y1, x2, y2 float64, class string) {
	c.Lines = append(c.Lines, line{round(x1), round(y1), round(x2), round(y2), class})
}

func (c *chart) text(x, y float64, anchor, class, s string) {
	c.Texts = append(c.Texts, text{round(x), round(y), anchor, class, s})
}

// column is one place on the axis of a column chart: its parts are stacked.
type column struct {
	label string
	parts []part
}

type part struct {
	value      float64
	class, tip string
}

func (c *column) total() (sum float64) {
	for _, p := range c.parts {
		sum += p.value
	}
	return sum
}

// columns draws a column chart of a width. limit is a line across, 0 for none; limitText says
// what it is.
func columns(label string, width float64, all []column, limit float64, limitText string) chart {
	c := chart{Label: label, Width: width, Height: plotTop + plotHeight + axisBottom}
	most := limit
	for i := range all {
		most = max(most, all[i].total())
	}
	if most == 0 {
		c.Empty = "Nothing to show."
		return c
	}
	step, top := scale(most)
	bottom, right := plotTop+plotHeight, width-plotRight
	at := func(v float64) float64 { return bottom - v/top*plotHeight }
	for v := 0.0; v <= top+step/2; v += step {
		c.line(axisLeft, at(v), right, at(v), gridClass(v))
		c.text(axisLeft-6, at(v)+4, "end", "tick", short(v))
	}
	each := (right - axisLeft) / float64(len(all))
	wide := min(mostColumn, max(1, each*(1-columnsGap)))
	for i := range all {
		x, y := axisLeft+(float64(i)+0.5)*each-wide/2, bottom
		for _, p := range all[i].parts {
			if p.value <= 0 {
				continue
			}
			h := p.value / top * plotHeight
			y -= h
			c.rect(x, y, wide, h, p.class, p.tip)
		}
	}
	labels := make([]string, len(all))
	for i := range all {
		labels[i] = all[i].label
	}
	c.axisLabels(labels, axisLeft, each, bottom+16)
	if limit > 0 {
		c.line(axisLeft, at(limit), right, at(limit), "limit")
		c.text(right, at(limit)-4, "end", "limit", limitText)
	}
	return c
}

func gridClass(v float64) string {
	if v == 0 {
		return "axis"
	}
	return "grid"
}

// axisLabels writes as many labels as there is room for, at even distances: each
// in the middle of its column.
func (c *chart) axisLabels(labels []string, left, each, y float64) {
	widest := 1
	for _, label := range labels {
		widest = max(widest, len([]rune(label)))
	}
	room := float64(widest) * characterPx
	every := max(1, int(math.Ceil((room+12)/each)))
	for i := 0; i < len(labels); i += every {
		if x := left + (float64(i)+0.5)*each; x+room/2 <= c.Width {
			c.text(x, y, "middle", "tick", labels[i])
		}
	}
}

// bar is one row of a bar chart.
type bar struct {
	label, value, class, tip string
	n                        float64
}

// bars draws rows with a bar each, and its value at its end.
func bars(label string, all []bar) chart {
	const labels, values = 150.0, 112.0
	c := chart{Label: label, Width: halfWidth, Height: float64(len(all))*rowHeight + 8}
	most := 0.0
	for i := range all {
		most = max(most, all[i].n)
	}
	if most == 0 {
		c.Empty = "Nothing to show."
		return c
	}
	for i, b := range all {
		y := float64(i)*rowHeight + 4
		w := b.n / most * (halfWidth - labels - values)
		c.text(labels-8, y+rowHeight/2+4, "end", "name", cut(b.label, 21))
		if b.n > 0 {
			c.rect(labels, y+4, max(1.5, w), rowHeight-8, b.class, b.tip)
		}
		c.text(labels+w+6, y+rowHeight/2+4, "start", "value", b.value)
	}
	c.line(labels, 4, labels, c.Height-4, "axis")
	return c
}

// heat draws a table whose cells are the darker the more they hold. The places of
// rows and columns are those of values.
func heat(label string, rows []string, totals []string, cols []string, values [][]float64, tip func(row, col int) string) chart {
	const labels, sums, cell = 300.0, 60.0, 22.0
	c := chart{Label: label, Width: fullWidth, Height: float64(len(rows))*cell + axisBottom + 4}
	most := 0.0
	for _, row := range values {
		for _, v := range row {
			most = max(most, v)
		}
	}
	if most == 0 {
		c.Empty = "Nothing to show."
		return c
	}
	width := (fullWidth - labels - sums) / float64(len(cols))
	for i := range rows {
		y := float64(i) * cell
		c.text(labels-8, y+cell/2+4, "end", "name", cut(rows[i], 40))
		c.text(fullWidth-plotRight, y+cell/2+4, "end", "value", totals[i])
		for k, v := range values[i] {
			s := shape{round(labels + float64(k)*width), y + 1, round(max(1, width-1)), cell - 2, "one", 1, tip(i, k)}
			if v == 0 {
				s.Class = "none"
			} else {
				s.Opacity = round(0.18 + 0.82*math.Sqrt(v/most))
			}
			c.Shapes = append(c.Shapes, s)
		}
	}
	c.axisLabels(cols, labels, width, float64(len(rows))*cell+16)
	return c
}

// scale returns a round distance of four or so grid lines, and the last of them.
func scale(most float64) (step, top float64) {
	raw := most / 4
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if step = m * power; step >= raw {
			break
		}
	}
	if most >= 4 { // counts have no fractions
		step = math.Ceil(step)
	}
	return step, math.Ceil(most/step-1e-9) * step
}

// short is a number of an axis: 950, 1.5k, 20k, 3M.
func short(v float64) string {
	unit := ""
	switch {
	case v >= 1e6:
		v, unit = v/1e6, "M"
	case v >= 1e4:
		v, unit = v/1e3, "k"
	case v >= 1e3:
		return humanize.Comma(int64(v))
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") + unit
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
