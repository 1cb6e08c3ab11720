package report

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// gapsChart draws the gaps on a line of time.
func (f *Facts) gapsChart() chart {
	c := chart{Label: "Open gaps by the time of the leads that are missing", Width: halfWidth, Height: 62}
	if len(f.Gaps) == 0 {
		c.Empty = "No gap is open."
		return c
	}
	from, to := f.Gaps[0].Window.From, f.Gaps[0].Window.To
	for _, g := range f.Gaps {
		from, to = earlier(from, g.Window.From), later(to, g.Window.To)
	}
	for d := range f.days {
		from, to = earlier(from, d.time()), later(to, (d+1).time())
	}
	const left, top, height = 10.0, 10.0, 24.0
	width := halfWidth - left - plotRight
	at := func(t time.Time) float64 { return left + float64(t.Sub(from))/float64(max(1, to.Sub(from)))*width }
	c.rect(left, top, width, height, "none", "")
	for _, g := range f.Gaps {
		x := at(g.Window.From)
		c.rect(min(x, left+width-2), top, max(2, at(g.Window.To)-x), height, "bad", g.words())
	}
	c.text(left, top+height+18, "start", "tick", from.UTC().Format("2006-01-02 15:04"))
	c.text(left+width, top+height+18, "end", "tick", to.UTC().Format("2006-01-02 15:04"))
	return c
}

func (g *Gap) words() string {
	words := fmt.Sprintf("%s to %s", g.Window.From.Format("2006-01-02 15:04:05"), g.Window.To.Format("2006-01-02 15:04:05"))
	if g.Item != "" {
		words += ", listing " + g.Item
	}
	return words
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// callsChart draws the answers on record of the last days of the quota, and the
// calls of today, which are counted.
func (f *Facts) callsChart() chart {
	calls := maps.Clone(f.Calls)
	if f.Used > 0 && calls != nil {
		calls[f.Today] = max(f.Used, calls[f.Today])
	}
	days := slices.Sorted(maps.Keys(calls))
	if len(days) > 0 {
		days = daysBetween(days[0], days[len(days)-1])
	}
	days = days[max(0, len(days)-mostColumns):]
	all := make([]column, len(days))
	for i, d := range days {
		what := plural(calls[d], "answer")
		if d == f.Today {
			what = plural(calls[d], "call") + " so far"
		}
		day, _ := time.Parse(time.DateOnly, d) // written by time.Format
		all[i] = column{day.Format("Jan 2"), []part{{float64(calls[d]), "one", d + ": " + what}}}
	}
	return columns("Calls by day of eBay's quota", halfWidth, all, float64(f.Quota), fmt.Sprintf("quota %s", count(f.Quota)))
}

// daysBetween returns all days from one to another.
func daysBetween(from, to string) []string {
	first, _ := time.Parse(time.DateOnly, from) // written by time.Format, both
	last, _ := time.Parse(time.DateOnly, to)
	var days []string
	for d := later(first, last.AddDate(0, 0, -mostColumns)); !d.After(last); d = d.AddDate(0, 0, 1) {
		days = append(days, d.Format(time.DateOnly))
	}
	return days
}

func (f *Facts) listingTable() table {
	t := table{Head: []string{"Listing", "Id", "Leads", "Answered", "Share of all"}}
	var rest tally
	others := 0
	for i, l := range f.ranked() {
		if i >= listedListings {
			others++
			rest.leads, rest.answered = rest.leads+l.leads, rest.answered+l.answered
			continue
		}
		t.Rows = append(t.Rows, []string{l.name(), l.id, count(l.leads), percent(l.answered, l.leads), percent(l.leads, f.leads)})
	}
	if others > 0 {
		t.Rows = append(t.Rows, []string{"and " + plural(others, "other listing"), "", count(rest.leads), percent(rest.answered, rest.leads), percent(rest.leads, f.leads)})
	}
	t.Total = []string{"All", "", count(f.leads), percent(f.answers.answered(), f.leads), percent(f.leads, f.leads)}
	return t
}

func (f *Facts) statusTable() table {
	t := table{Head: []string{"Status", "Leads", "Share"}}
	for _, name := range f.rankedStatuses() {
		t.Rows = append(t.Rows, []string{name, count(f.statuses[name]), percent(f.statuses[name], f.leads)})
	}
	t.Total = []string{"All", count(f.leads), percent(f.leads, f.leads)}
	return t
}

// feeTable has no total: sums of several currencies are none.
func (f *Facts) feeTable() table {
	t := table{Head: []string{"Currency", "Leads with a fee", "Sum", "Mean"}}
	for _, c := range f.currencies() {
		t.Rows = append(t.Rows, []string{c.currency, count(c.leads), amount(c.total()), amount(c.total() / float64(c.leads))})
	}
	return t
}

func (f *Facts) gapTable() table {
	t := table{Head: []string{"Missing", "Why"}, Text: true}
	for i := range f.Gaps {
		if i >= listedGaps {
			t.Rows = append(t.Rows, []string{"and " + plural(len(f.Gaps)-i, "other gap"), ""})
			break
		}
		t.Rows = append(t.Rows, []string{f.Gaps[i].words(), f.Gaps[i].Reason})
	}
	return t
}
