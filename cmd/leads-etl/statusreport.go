package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline/base"
	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// status is what there is: as text for people, as JSON for machines.
type status struct {
	State   string         `json:"state"`
	Journal *journalStatus `json:"journal,omitempty"`
	Verify  *verifyStatus  `json:"verify,omitempty"`
	Quota   quotaStatus    `json:"quota"`
	Sinks   []sinkStatus   `json:"sinks"`
	Disk    diskStatus     `json:"disk"`
	// Error is the last thing that went wrong, if anything ever did.
	Error *lastError `json:"last_error,omitempty"`
	Code  int        `json:"exit_code"`

	// err is how the command ends, apart from what it shows.
	err error
}

// judge is where it is decided whether all is well; what sinks have to say was
// added before.
func (s *status) judge(maxAge time.Duration, now time.Time) {
	if s.Quota.Used >= s.Quota.Limit {
		s.fail(exitIncomplete, "the quota is spent")
	}
	if s.Journal == nil {
		return
	}
	if len(s.Journal.Gaps) > 0 {
		s.fail(exitIncomplete, "there are gaps")
	}
	if read := s.Journal.read; maxAge > 0 && now.Sub(read) > maxAge {
		s.Journal.Stale = true
		s.fail(exitIncomplete, "nothing was read since %s", read.Format(time.RFC3339))
	}
}

// fail makes the command end with the code. What is wrong is in what it shows.
func (s *status) fail(code int, format string, args ...any) {
	s.err = errors.Join(s.err, &toldError{fmt.Errorf(format, args...), code})
}

type journalStatus struct {
	ID      string     `json:"id"`
	Account string     `json:"account"`
	Market  string     `json:"marketplace"`
	Records uint64     `json:"records"`
	Pages   int        `json:"pages"`
	Leads   int        `json:"leads_received"`
	Bytes   int64      `json:"bytes"`
	Last    *time.Time `json:"last_page,omitempty"`
	// Unfinished batches are resumed by the same command that began them.
	Unfinished []batchStatus  `json:"unfinished_batches"`
	Streams    []streamStatus `json:"streams"`
	Gaps       []gapStatus    `json:"gaps"`
	// Base is what stands for the pruned records, Holds what keeps others from being
	// pruned that are old enough.
	Base  *baseStatus `json:"base,omitempty"`
	Holds []string    `json:"pruning_held_back_by,omitempty"`
	// Stale says that nothing was read for longer than was allowed.
	Stale bool `json:"stale,omitempty"`

	// read is when something was read from the API last, as far as is on record.
	read time.Time
}

type baseStatus struct {
	Before uint64 `json:"before_record"`
	// Pages and Leads are what was received and is pruned.
	Pages int   `json:"pages"`
	Leads int   `json:"leads_received"`
	Bytes int64 `json:"bytes"`
	// Known and Vanished leads are in the base, and the rows of tables.
	Known    int `json:"known_leads"`
	Vanished int `json:"vanished_leads"`
	Rows     int `json:"rows"`
}

// baseOf is what stands for the pruned records; nil if none are.
func baseOf(j *journal.Journal, past *base.Past) (*baseStatus, error) {
	folder := j.Base()
	if folder == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	bytes, err := sizeOf(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &journal.PrunedError{Seq: past.Next} // a newer one is in its place
	}
	if err != nil {
		return nil, fmt.Errorf("looking at the base of the journal: %w", err)
	}
	return &baseStatus{
		Before: uint64(past.Next), Pages: past.Pages, Leads: past.Leads, Bytes: bytes,
		Known: past.Known, Vanished: past.Vanished, Rows: past.Rows,
	}, nil
}

type batchStatus struct {
	ID    string        `json:"id"`
	Asked string        `json:"asked"`
	Range window.Window `json:"range"`
	Begun time.Time     `json:"begun"`
}

// streamStatus is a stream, or history that one brings in.
type streamStatus struct {
	ID    string        `json:"id"`
	Asked string        `json:"asked"`
	Range window.Window `json:"range"`
	Begun time.Time     `json:"begun"`
	// Polled is when it read last, as far as the journal knows: what an idle stream
	// reads is recorded every few minutes.
	Polled *time.Time `json:"last_poll,omitempty"`
	// Watermark is the moment before which everything was read.
	Watermark *time.Time `json:"watermark,omitempty"`
	// Missing is how much of a closed range is still to be read, over all queries.
	Missing seconds `json:"missing_seconds,omitempty"`
	queries int
}

// history reports whether it has an end, and is not the stream itself.
func (s *streamStatus) history() bool { return s.Range.To.Before(openEnd) }

func streamStatusOf(b *coverage.Batch, polled map[string]time.Time) streamStatus {
	s := streamStatus{ID: b.ID, Asked: b.Spec, Range: b.Range, Begun: b.Begun, queries: len(b.Queries)}
	if t, ok := polled[b.ID]; ok {
		s.Polled = &t
	}
	if s.history() {
		for _, q := range b.Queries {
			for _, w := range b.Missing(q) {
				s.Missing += seconds(w.Length())
			}
		}
	} else if t := watermark(b); s.Polled != nil && !t.IsZero() {
		s.Watermark = &t
	}
	return s
}

func (s *streamStatus) write(line func(name, format string, args ...any)) {
	if s.history() {
		total := float64(s.Range.Length()) * float64(max(1, s.queries))
		line("history", "%s, begun %s: %.0f%% is read", s.Range, s.Begun.Format(time.RFC3339), 100*(1-float64(s.Missing)/total))
		return
	}
	text := "since " + s.Begun.Format(time.RFC3339)
	if s.Watermark != nil {
		text += ": read up to " + s.Watermark.Format(time.RFC3339)
	}
	if s.Polled != nil {
		text += ", the last poll on record at " + s.Polled.Format(time.RFC3339)
	}
	line("stream", "%s", text)
}

type gapStatus struct {
	Window window.Window `json:"window"`
	Item   string        `json:"item,omitempty"`
	Reason string        `json:"reason"`
	Time   time.Time     `json:"time"`
}

func gapStatuses(gaps []journal.Gap) []gapStatus {
	list := make([]gapStatus, 0, len(gaps))
	for _, g := range gaps {
		list = append(list, gapStatus{Window: g.Window, Item: g.Query.Item, Reason: g.Reason, Time: g.Time})
	}
	return list
}

// String is the gap in one line.
func (g gapStatus) String() string {
	of := ""
	if g.Item != "" {
		of = " of item " + g.Item
	}
	return fmt.Sprintf("%s%s, since %s: %s", g.Window, of, g.Time.Format(time.RFC3339), g.Reason)
}

type verifyStatus struct {
	Segments int      `json:"segments"`
	Records  int      `json:"records"`
	Bytes    int64    `json:"bytes"`
	Torn     bool     `json:"torn_end"`
	Damage   []string `json:"damage"`
}

type quotaStatus struct {
	Used  int       `json:"used"`
	Limit int       `json:"limit"`
	Reset time.Time `json:"reset"`
}

// journalOf is what there is to tell of a journal.
func journalOf(j *journal.Journal, seen *survey) *journalStatus {
	id := j.Identity()
	s := &journalStatus{
		ID: j.ID(), Account: id.Account, Market: id.Marketplace, Records: uint64(j.End()),
		Unfinished: []batchStatus{}, Streams: []streamStatus{},
	}
	for _, p := range j.Pages() {
		s.Pages++
		s.Leads += p.Leads
		s.Bytes += p.Bytes
		s.Last = &p.Received
	}
	for _, at := range seen.polled {
		if at.After(s.read) {
			s.read = at
		}
	}
	for _, b := range seen.open(false) {
		s.Unfinished = append(s.Unfinished, batchStatus{ID: b.ID, Asked: b.Spec, Range: b.Range, Begun: b.Begun})
	}
	for _, b := range seen.open(true) {
		s.Streams = append(s.Streams, streamStatusOf(b, seen.polled))
	}
	s.Gaps = gapStatuses(seen.tracker.Gaps())
	return s
}

// verified takes up what reading the whole journal found.
func (s *status) verified(r journal.Report) {
	s.Verify = &verifyStatus{Segments: r.Segments, Records: r.Records, Bytes: r.Bytes + r.BaseBytes, Torn: r.Torn != nil, Damage: []string{}}
	for _, p := range r.Base {
		s.Verify.Damage = append(s.Verify.Damage, p.Error())
	}
	for _, p := range r.Problems {
		s.Verify.Damage = append(s.Verify.Damage, p.Error())
	}
	if n := len(s.Verify.Damage); n > 0 {
		s.fail(exitUnexpected, "the journal is damaged in %s", progress.Plural(n, "place"))
	}
}

// write shows the status to people.
func (s *status) write(p *process) error {
	var b strings.Builder
	line := p.labelled(&b)
	line("state", "%s", s.State)
	if s.Journal == nil {
		line("journal", "nothing is landed yet")
	} else {
		s.Journal.write(line)
	}
	if v := s.Verify; v != nil {
		if len(v.Damage) == 0 {
			line("verified", "%s in %s, %s: every checksum is right", progress.Plural(v.Records, "record"), progress.Plural(v.Segments, "segment"), size(v.Bytes))
		}
		for _, d := range v.Damage {
			line("damage", "%s", d)
		}
	}
	line("quota", "%s of %s calls used; the next day begins %s", humanize.Comma(int64(s.Quota.Used)), humanize.Comma(int64(s.Quota.Limit)), s.Quota.Reset.Format(time.RFC3339))
	for _, sink := range s.Sinks {
		mark, text := sink.text()
		line("sink", "%s %s: %s", p.mark(mark), sink.Name, text)
	}
	s.Disk.write(line)
	if e := s.Error; e != nil {
		line("last error", "%s", e)
	}
	_, err := io.WriteString(p.out, b.String())
	return err
}

func (d *diskStatus) write(line func(name, format string, args ...any)) {
	parts := []string{"journal " + size(d.Journal), "known leads " + size(d.Known)}
	if d.DeadLetters > 0 {
		parts = append(parts, "dead letters "+size(d.DeadLetters))
	}
	for _, o := range d.Outputs {
		parts = append(parts, fmt.Sprintf("%s %s in %s", o.Dir, size(o.Bytes), progress.Plural(o.Files, "file")))
	}
	line("disk", "%s", strings.Join(parts, ", "))
}

// String is the error in one line.
func (e *lastError) String() string {
	how := "went on"
	if e.Ended {
		how = fmt.Sprintf("ended with exit code %d", e.Code)
	}
	text := fmt.Sprintf("%s, %s %s: %s", e.Time.Format(time.RFC3339), e.Command, how, strings.ReplaceAll(e.Text, "\n", " "))
	if e.Since != nil {
		text += fmt.Sprintf(" (a run ended well since, at %s)", e.Since.Format(time.RFC3339))
	}
	return text
}

func (j *journalStatus) write(line func(name, format string, args ...any)) {
	last := ""
	if j.Last != nil {
		last = ", the last at " + j.Last.Format(time.RFC3339)
	}
	line("journal", "%s on %s: %s received in %s, %s%s", j.Account, j.Market, progress.Plural(j.Leads, "lead"), progress.Plural(j.Pages, "page"), size(j.Bytes), last)
	if b := j.Base; b != nil {
		line("pruned", "%s with %s, before record %s: %s and %s stand for them, %s", progress.Plural(b.Pages, "page"), progress.Plural(b.Leads, "lead"),
			humanize.Comma(int64(b.Before)), progress.Plural(b.Rows, "row"), progress.Plural(b.Known+b.Vanished, "known lead"), size(b.Bytes))
	}
	for _, h := range j.Holds {
		line("not pruned", "%s", h)
	}
	for _, b := range j.Unfinished {
		line("unfinished", "%s, begun %s: the same command goes on with it", b.Asked, b.Begun.Format(time.RFC3339))
	}
	for i := range j.Streams {
		j.Streams[i].write(line)
	}
	if len(j.Gaps) == 0 {
		line("gaps", "none")
	}
	for _, g := range j.Gaps {
		line("gap", "%s", g)
	}
}

// size is a number of bytes for people.
func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }
