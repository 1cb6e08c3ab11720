package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Markdown is the table as the README shows it.
func (r *Results) Markdown() string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Setting.sentence())
	b.WriteString("\n| work | leads-etl | peer | ratio or figure | round by round | target | |\n|---|---|---|---|---|---|---|\n")
	for i := range r.Rows {
		row := &r.Rows[i]
		peer, paired := "–", "–"
		if row.Peer != "" {
			peer = fmt.Sprintf("%s: %s", peerLabel(row.Peer), row.PeerValue.in(row.Unit))
			paired = row.Paired.in(row.FigureUnit)
		}
		mark := "met"
		if !row.Met() {
			mark = "**missed**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | **%s** | %s | %s | %s |\n", row.Work, row.OursValue.in(row.Unit), peer,
			withUnit(row.Figure, row.FigureUnit), paired, row.target(), mark)
	}
	return b.String()
}

// sentence says where and with what it was measured.
func (s *Setting) sentence() string {
	var peers []string
	for _, name := range slices.Sorted(maps.Keys(s.Peers)) {
		peers = append(peers, s.Peers[name])
	}
	return fmt.Sprintf("%s, leads-etl %s (%s) beside %s; %s leads of %.0f bytes of JSON; %s, %s cores, %d threads, %s; %d rounds, interleaved; others took at most %.0f %% of the machine.",
		s.Date.UTC().Format("2006-01-02"), s.Commit, s.Go, strings.Join(peers, ", "), thousands(float64(s.Leads)), s.LeadBytes,
		s.CPU, strconv.Itoa(s.Cores), s.Threads, s.OS, s.Rounds, s.Others)
}

func (r *Row) target() string {
	sign := "≥"
	if r.AtMost {
		sign = "≤"
	}
	return sign + " " + withUnit(r.Target, r.FigureUnit)
}

// in writes the spread with its unit: median (min – max).
func (s Spread) in(unit string) string {
	if s.Min == s.Max {
		return withUnit(s.Median, unit)
	}
	return fmt.Sprintf("%s (%s – %s)", withUnit(s.Median, unit), number(s.Min), number(s.Max))
}

func withUnit(v float64, unit string) string {
	if unit == "" {
		return number(v)
	}
	return number(v) + " " + unit
}

// number writes three figures that count, more only before the point.
func number(v float64) string {
	switch size := math.Abs(v); {
	case size >= 1000:
		return thousands(v)
	case size >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

func thousands(v float64) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if v < 0 {
		text = "-" + text
	}
	return text
}

// PeerName is what a contender is called in table and chart: what stands before
// the slash in its id.
func PeerName(contender string) string {
	name, _, _ := strings.Cut(contender, "/")
	return name
}

// peerLabel is the name, and what follows a comma in the work, which tells
// leads-etl from itself.
func peerLabel(contender string) string {
	name, work, _ := strings.Cut(contender, "/")
	if _, how, ok := strings.Cut(work, ", "); ok {
		return name + ", " + how
	}
	return name
}
