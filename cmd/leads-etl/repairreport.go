package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline/journal"
)

// repairReport is what a repair found and did, for people and as JSON.
type repairReport struct {
	State    string   `json:"state"`
	Segments int      `json:"segments"`
	Records  int      `json:"records_readable"`
	Pages    int      `json:"pages_readable"`
	Bytes    int64    `json:"bytes"`
	Torn     string   `json:"torn_end,omitempty"`
	Notes    []string `json:"notes"`
	Damage   []string `json:"damage"`
	// Lost are stretches of records that are given up.
	Lost     []repairLoss `json:"lost"`
	Gaps     []gapStatus  `json:"gaps"`
	Sinks    []repairSink `json:"sinks"`
	Sound    bool         `json:"sound"`
	Repaired bool         `json:"repaired"`
	// Aside is where the damaged files are.
	Aside string       `json:"damaged_files,omitempty"`
	Kept  []repairKept `json:"kept_tables,omitempty"`
}

type repairLoss struct {
	First journal.Seq `json:"first"`
	Last  journal.Seq `json:"last"`
	What  string      `json:"what"`
}

type repairSink struct {
	Name string      `json:"name"`
	Next journal.Seq `json:"delivered_before_record"`
}

type repairKept struct {
	Sink   string `json:"sink"`
	Files  int    `json:"files"`
	Folder string `json:"folder"`
}

// found takes up what reading the journal found.
func (r *repairReport) found(s *journal.Salvage) {
	r.Segments, r.Records, r.Pages, r.Bytes = s.Report.Segments, s.Report.Records, s.Report.Pages, s.Report.Bytes
	r.Notes, r.Damage, r.Lost, r.Sound = append([]string{}, s.Notes...), []string{}, []repairLoss{}, s.Sound()
	if t := s.Report.Torn; t != nil {
		r.Torn = fmt.Sprintf("%s, offset %d: %s; nothing of it was confirmed, and the next run cuts it off", t.Segment, t.Offset, t.Reason)
	}
	for _, p := range s.Report.Problems {
		r.Damage = append(r.Damage, p.Error())
	}
	for _, l := range s.Lost {
		what := lossText(l.Lost)
		if n := len(r.Lost); n > 0 && l.Lost.Page == nil && r.Lost[n-1].What == what && r.Lost[n-1].Last+1 == l.Seq {
			r.Lost[n-1].Last = l.Seq
			continue
		}
		r.Lost = append(r.Lost, repairLoss{First: l.Seq, Last: l.Seq, What: what})
	}
}

// lossText says what a lost record was, as far as that is known.
func lossText(l *journal.Lost) string {
	text := "what it was cannot be told"
	switch {
	case l.Page != nil:
		text = fmt.Sprintf("the answer for %s with %s: its window is known, what it held is lost", l.Page.Window, progress.Plural(l.Page.Leads, "lead"))
	case l.Kind == "page":
		text = "an answer of which not even the window is known"
	case l.Kind != "":
		text = "no answer, but a mark (" + l.Kind + ")"
	}
	if l.Begin != nil {
		text += "; another record says what it must have said of its batch"
	}
	return text
}

func (l repairLoss) String() string {
	if l.First == l.Last {
		return fmt.Sprintf("record %d: %s", l.First, l.What)
	}
	return fmt.Sprintf("records %d to %d: %s", l.First, l.Last, l.What)
}

// write shows the report to people.
func (r *repairReport) write(out io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("state", "%s", r.State)
	line("readable", "%s (%s) in %s, %s", progress.Plural(r.Records, "record"), progress.Plural(r.Pages, "page"), progress.Plural(r.Segments, "segment"), size(r.Bytes))
	for _, s := range r.Sinks {
		line("sink", "%s holds what was landed before record %d", s.Name, s.Next)
	}
	if r.Torn != "" {
		line("torn end", "%s", r.Torn)
	}
	for _, n := range r.Notes {
		line("note", "%s", n)
	}
	for _, d := range r.Damage {
		line("damage", "%s", d)
	}
	for _, l := range r.Lost {
		line("lost", "%s", l)
	}
	for _, g := range r.Gaps {
		of := ""
		if g.Item != "" {
			of = " of item " + g.Item
		}
		line("gap", "%s%s: %s", g.Window, of, g.Reason)
	}
	for _, k := range r.Kept {
		line("kept", "%s of %s below %s: leads whose listing has ended since may be in them alone", progress.Plural(k.Files, "file"), k.Sink, k.Folder)
	}
	switch {
	case r.Sound:
		line("result", "nothing is damaged: there is nothing to repair")
	case r.Repaired:
		line("repaired", "the damaged files are kept in %s; the next run fetches the gaps again", r.Aside)
	default:
		line("result", "nothing was changed; 'leads-etl repair --write' keeps what is readable, and marks the gaps")
	}
	_, err := io.WriteString(out, b.String())
	return err
}
