package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
)

//go:embed page.gohtml
var pageText string

// pageTemplate is parsed when a page is written: every other command would wait for
// it when it starts.
var pageTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })

// Bounds of what is drawn and listed: the rest is summed up.
const (
	mostColumns    = 62
	drawnListings  = 14
	listedListings = 40
	drawnFees      = 3
	listedGaps     = 50
)

// page is what the template shows.
type page struct {
	Title, Range, Made string
	Tiles              []tile
	Days, Heat         chart
	Answers, Statuses  chart
	Fees               []titled
	Gaps, Calls        chart

	Listings, StatusTable, FeeTable, GapTable table
}

type tile struct{ Name, Value, Note string }

type titled struct {
	Title string
	Chart chart
}

// table is a table with a line of totals; the first column is text, all others are
// numbers.
type table struct {
	Head  []string
	Rows  [][]string
	Total []string
	// Text says that all columns are text.
	Text bool
}

// Write writes the page.
func (f *Facts) Write(w io.Writer) error {
	if err := pageTemplate().Execute(w, f.page()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (f *Facts) page() *page {
	a := f.axis()
	p := &page{
		Title: "Leads of " + f.Account + " on " + f.Marketplace,
		Range: a.words(), Made: f.Made.UTC().Format("2006-01-02 15:04 MST"),
		Tiles: f.tiles(),
		Days:  f.daysChart(a), Heat: f.heatChart(a),
		Answers: f.answersChart(), Statuses: f.statusChart(),
		Gaps: f.gapsChart(), Calls: f.callsChart(),
		Listings: f.listingTable(), StatusTable: f.statusTable(), FeeTable: f.feeTable(), GapTable: f.gapTable(),
	}
	for i, c := range f.currencies() {
		if i < drawnFees {
			p.Fees = append(p.Fees, titled{c.currency, c.chart(a)})
		}
	}
	return p
}

// axis is the days from the first to the last lead, in columns of as many days as
// it takes for them to fit.
type axis struct {
	first day
	each  int // days of a column
	n     int // columns
}

func (f *Facts) axis() axis {
	a := axis{each: 1}
	if len(f.days) == 0 {
		return a
	}
	last := day(-1 << 31)
	a.first = 1<<31 - 1
	for d := range f.days {
		a.first, last = min(a.first, d), max(last, d)
	}
	days := int(last-a.first) + 1
	switch {
	case days <= mostColumns:
	case days <= 7*mostColumns:
		a.each = 7
	default:
		a.each = (days + mostColumns - 1) / mostColumns
	}
	a.n = (days + a.each - 1) / a.each
	return a
}

func (a axis) at(d day) int { return int(d-a.first) / a.each }

// label is short, name in full.
func (a axis) label(i int) string {
	form := "Jan 2"
	if a.each*a.n > 400 {
		form = "Jan 06"
	}
	return (a.first + day(i*a.each)).time().Format(form)
}

func (a axis) name(i int) string {
	from := a.first + day(i*a.each)
	if a.each == 1 {
		return from.date()
	}
	return from.date() + " to " + (from + day(a.each-1)).date()
}

func (a axis) words() string {
	if a.n == 0 {
		return "No lead"
	}
	words := "Submitted " + a.first.date() + " to " + (a.first + day(a.n*a.each-1)).date() + " (UTC)"
	if a.each > 1 {
		words += fmt.Sprintf(", drawn in steps of %d days", a.each)
	}
	return words
}

func (f *Facts) tiles() []tile {
	tiles := []tile{
		{"Leads", count(f.leads), plural(len(f.listings), "listing")},
		{"Answered", percent(f.answers.answered(), f.leads), count(f.answers.none) + " not answered"},
	}
	median := tile{"Median answer time", "–", "no answer has a date"}
	if m, ok := f.answers.median(); ok {
		median.Value, median.Note = lengthOf(m), "of "+plural(f.answers.timed, "dated answer")
	}
	tiles = append(tiles, median)
	for i, c := range f.currencies() {
		if i < 2 {
			tiles = append(tiles, tile{"Fees, " + c.currency, amount(c.total()), "of " + plural(c.leads, "lead")})
		}
	}
	gaps := tile{"Open gaps", count(len(f.Gaps)), "none is known"}
	if len(f.Gaps) > 0 {
		gaps.Note = "tried again first by the next run"
	}
	tiles = append(tiles, gaps)
	if f.Quota > 0 {
		tiles = append(tiles, tile{"Calls today", count(f.Used), "of " + count(f.Quota)})
	}
	return tiles
}

func (f *Facts) daysChart(a axis) chart {
	sums := make([]tally, a.n)
	for d, t := range f.days {
		sums[a.at(d)].leads += t.leads
		sums[a.at(d)].answered += t.answered
	}
	all := make([]column, a.n)
	for i, t := range sums {
		tip := fmt.Sprintf("%s: %s, %s of them answered", a.name(i), plural(t.leads, "lead"), count(t.answered))
		all[i] = column{a.label(i), []part{{float64(t.answered), "one", tip}, {float64(t.leads - t.answered), "two", tip}}}
	}
	return columns("Leads by the day on which they were submitted", fullWidth, all, 0, "")
}

func (f *Facts) heatChart(a axis) chart {
	top := f.ranked()
	top = top[:min(len(top), drawnListings)]
	var names, totals, cols []string
	values := make([][]float64, len(top))
	for i, l := range top {
		names, totals = append(names, l.name()), append(totals, count(l.leads))
		values[i] = make([]float64, a.n)
		for _, d := range l.days {
			values[i][a.at(d.day)] += float64(d.leads)
		}
	}
	for i := range a.n {
		cols = append(cols, a.label(i))
	}
	return heat("Leads by listing and day", names, totals, cols, values, func(row, col int) string {
		return fmt.Sprintf("%s (%s), %s: %s", top[row].name(), top[row].id, a.name(col), plural(int(values[row][col]), "lead"))
	})
}

// name is the title, or the id of a listing that has none.
func (l *listing) name() string {
	if l.title == "" {
		return l.id
	}
	return l.title
}

func (f *Facts) answersChart() chart {
	var all []bar
	add := func(name string, n int, class string) {
		all = append(all, bar{name, count(n) + " · " + percent(n, f.leads), class, fmt.Sprintf("%s: %s", name, plural(n, "lead")), float64(n)})
	}
	for i, class := range answerClasses {
		add(class.title, f.answers.classes[i], "one")
	}
	add("answered, undated", f.answers.untimed, "mute")
	add("not answered", f.answers.none, "two")
	return bars("Leads by the time until they were answered", all)
}

// rankedStatuses are the statuses, those of most leads first.
func (f *Facts) rankedStatuses() []string {
	names := make([]string, 0, len(f.statuses))
	for name := range f.statuses {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.SortStableFunc(names, func(a, b string) int { return f.statuses[b] - f.statuses[a] })
	return names
}

func (f *Facts) statusChart() chart {
	var all []bar
	for _, name := range f.rankedStatuses() {
		n := f.statuses[name]
		all = append(all, bar{name, count(n) + " · " + percent(n, f.leads), "one", fmt.Sprintf("%s: %s", name, plural(n, "lead")), float64(n)})
	}
	return bars("Leads by status", all)
}

func (c *fees) chart(a axis) chart {
	sums := make([]float64, a.n)
	for d, sum := range c.days {
		sums[a.at(d)] += sum
	}
	all := make([]column, a.n)
	for i, sum := range sums {
		all[i] = column{a.label(i), []part{{sum, "one", fmt.Sprintf("%s: %s %s", a.name(i), amount(sum), c.currency)}}}
	}
	return columns("Fees in "+c.currency+" by the day on which leads were submitted", fullWidth, all, 0, "")
}

func count(n int) string { return humanize.Comma(int64(n)) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

func percent(n, of int) string {
	switch {
	case of == 0:
		return "–"
	case n == 0:
		return "0 %"
	}
	share := 100 * float64(n) / float64(of)
	if share > 0 && share < 0.1 {
		return "< 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", share)
}

func amount(v float64) string { return humanize.FormatFloat("#,###.##", v) }

// lengthOf is a length of time in its two largest units.
func lengthOf(d time.Duration) string {
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case d < time.Minute:
		return "< 1 min"
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	}
	return fmt.Sprintf("%d min", minutes)
}
