package report

import (
	"fmt"
	"html"
	"strings"
)

// Measures of the chart, in its own units: a page of the repository is some 900
// wide.
const (
	chartWidth = 860
	barLeft    = 300
	barRight   = 620
	barHeight  = 16
	barGap     = 4
	rowGap     = 20
	chartTop   = 64
	chartFoot  = 44
)

// chartStyle works on light and on dark pages: the picture follows what the
// reader's system prefers, and brings its own background, for a page may be dark
// where the system is light.
const chartStyle = `<style>
  .page { fill: #ffffff } text { fill: #1f2328; font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
  .title { font-size: 16px; font-weight: 600 } .note { fill: #59636e; font-size: 12px } .ratio { font-weight: 600 }
  .ours { fill: #0969da } .peer { fill: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #f0f6fc } .note { fill: #9198a1 } .ours { fill: #4493f8 } .peer { fill: #656c76 }
  }
</style>
`

// SVG draws the rows in which leads-etl is compared with a peer: two bars each,
// the longer one full, with the ratio beside them.
func (r *Results) SVG() string {
	var b strings.Builder
	y := chartTop
	for i := range r.Rows {
		if row := &r.Rows[i]; row.drawn() {
			row.draw(&b, y)
			y += 2*barHeight + barGap + rowGap
		}
	}
	height := y - rowGap + chartFoot
	s := &r.Setting
	var head strings.Builder
	fmt.Fprintf(&head, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="leads-etl beside what could be used instead">`+"\n",
		chartWidth, height, chartWidth, height)
	head.WriteString(chartStyle)
	fmt.Fprintf(&head, `<rect class="page" width="%d" height="%d" rx="6"/>`+"\n", chartWidth, height)
	fmt.Fprintf(&head, `<text class="title" x="20" y="30">leads-etl beside what could be used instead</text>`+"\n")
	fmt.Fprintf(&head, `<text class="note" x="20" y="49">%s leads, median of %d rounds, %d cores (%s), %s</text>`+"\n",
		thousands(float64(s.Leads)), s.Rounds, s.Cores, html.EscapeString(s.CPU), s.Date.UTC().Format("2006-01-02"))
	fmt.Fprintf(&b, `<text class="note" x="20" y="%d">Longer is more work a second; for CPU time, shorter is less. Lines show the lowest and the highest round. Repeat it: make bench</text>`+"\n", height-16)
	return head.String() + b.String() + "</svg>\n"
}

// drawn reports whether the row compares with a program that one could use
// instead, as the figures of leads-etl beside itself do not.
func (r *Row) drawn() bool { return r.Peer != "" && PeerName(r.Peer) != "leads-etl" }

func (r *Row) draw(b *strings.Builder, y int) {
	longest := max(r.OursValue.Max, r.PeerValue.Max)
	fmt.Fprintf(b, `<text x="20" y="%d">%s</text>`+"\n", y+barHeight-3, html.EscapeString(plain(r.Work)))
	for i, bar := range []struct {
		class, name string
		value       Spread
	}{{"ours", "leads-etl", r.OursValue}, {"peer", PeerName(r.Peer), r.PeerValue}} {
		top := y + i*(barHeight+barGap)
		length := func(v float64) float64 { return float64(barRight-barLeft) * divide(v, longest) }
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n",
			bar.class, barLeft, top, length(bar.value.Median), barHeight)
		middle := float64(top) + barHeight/2.0
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#8b949e" stroke-width="2"/>`+"\n",
			barLeft+length(bar.value.Min), middle, barLeft+length(bar.value.Max))
		fmt.Fprintf(b, `<text class="note" x="%.1f" y="%d">%s, %s</text>`+"\n",
			barLeft+length(bar.value.Max)+6, top+barHeight-4, html.EscapeString(bar.name), withUnit(bar.value.Median, r.Unit))
	}
	fmt.Fprintf(b, `<text class="ratio" x="20" y="%d">%s</text>`+"\n", y+2*barHeight+barGap-3, withUnit(r.Figure, r.FigureUnit))
}

// plain takes Markdown's marks away.
func plain(text string) string { return strings.NewReplacer("`", "", "*", "").Replace(text) }
