package base

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/coverage"
	"github.com/leads-etl/leads-etl/pipeline/journal"
	"github.com/leads-etl/leads-etl/pipeline/window"
)

// Past is what the records before Next say besides their leads. The zero value is
// that of no records.
type Past struct {
	Next     journal.Seq    `json:"next"`
	Coverage coverage.State `json:"coverage"`
	Queries  []QueryPast    `json:"queries,omitempty"`
	// Polled is when each open batch was answered last.
	Polled map[string]time.Time `json:"polled,omitempty"`
	// Batches and Streams say that there were any, whether they have ended or not.
	Batches bool `json:"batches,omitempty"`
	Streams bool `json:"streams,omitempty"`
	// Pages and Leads were received, and took so many Bytes.
	Pages int   `json:"pages"`
	Leads int   `json:"leads"`
	Bytes int64 `json:"bytes"`
	// Known and Vanished leads were known, and Rows are what tables held.
	Known    int `json:"known"`
	Vanished int `json:"vanished"`
	Rows     int `json:"rows"`
	// Until is when the last of the pages was received; zero in bases of before it
	// was kept: Base.Until knows what is as good.
	Until time.Time `json:"until,omitzero"`
	// Days are the UTC days that windows of pages touch, "2026-09-01", each with the
	// last such page, and Undated is the last page with leads that have no time.
	Days    map[string]journal.Seq `json:"days,omitempty"`
	Undated *journal.Seq           `json:"undated,omitempty"`
}

// QueryPast is what was learned of one query.
type QueryPast struct {
	Query journal.Query `json:"query"`
	// Read are the windows that were ever read or tried. When they were read is not
	// kept: it was long ago.
	Read []window.Window `json:"read,omitempty"`
	// Leads were on pages of so many Seconds.
	Leads   int     `json:"leads"`
	Seconds float64 `json:"seconds"`
}

// LongAgo is the time that stands for when a moment of the past was read.
var LongAgo = time.Unix(0, 0).UTC()

const pastFile = "past.json"

// ReadPast returns what the pruned records of a journal say, without opening its
// databases: another process may have these open. It is the zero Past if nothing
// was pruned, and the caller's.
func ReadPast(j *journal.Journal) (*Past, error) {
	folder := j.Base()
	if folder == "" {
		return &Past{}, nil
	}
	return readPast(folder)
}

func readPast(folder string) (*Past, error) {
	path := filepath.Join(folder, pastFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &journal.BaseError{Path: path, Problem: "it is missing"}
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal's base: %w", err)
	}
	var p Past
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, &journal.BaseError{Path: path, Problem: err.Error()}
	}
	return &p, nil
}

func (p *Past) write(folder string) error {
	b, err := json.Marshal(p)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, pastFile), b, 0o600) // synced with all of the base
	}
	if err != nil {
		return fmt.Errorf("write the journal's base: %w", err)
	}
	return nil
}

// chronicle takes in records.
type chronicle struct {
	Past
	tracker coverage.Tracker
	read    map[journal.Query]*window.Set
}

func newChronicle(p *Past) *chronicle {
	c := &chronicle{Past: *p, tracker: p.Coverage.Tracker(), read: make(map[journal.Query]*window.Set)}
	if c.Days == nil {
		c.Days = make(map[string]journal.Seq)
	}
	if c.Polled == nil {
		c.Polled = make(map[string]time.Time)
	}
	for _, q := range p.Queries {
		set := new(window.Set)
		for _, w := range q.Read {
			set.Add(w)
		}
		c.read[q.Query] = set
	}
	return c
}

// apply takes in the next record; a page need not have its body.
func (c *chronicle) apply(r journal.Record, bytes int64) {
	c.tracker.Apply(r)
	c.Next = r.Seq + 1
	switch {
	case r.Begin != nil && r.Begin.Stream:
		c.Streams = true
	case r.Begin != nil:
		c.Batches = true
	case r.Gap != nil:
		c.reading(r.Gap.Query, r.Gap.Window)
	case r.Poll != nil:
		c.reading(r.Poll.Query, r.Poll.Windows...)
		c.Polled[r.Poll.Batch] = r.Poll.Received
	case r.Page != nil:
		c.page(r.Seq, r.Page, bytes)
	}
}

func (c *chronicle) page(seq journal.Seq, p *journal.Page, bytes int64) {
	c.Pages++
	c.Leads += p.Leads
	c.Bytes += bytes
	if p.Received.After(c.Until) {
		c.Until = p.Received
	}
	c.Polled[p.Batch] = p.Received
	of := c.query(p.Query)
	of.Leads += p.Leads
	of.Seconds += p.Window.Length().Seconds()
	if !p.Short {
		c.reading(p.Query, p.Window)
	}
	if !p.Window.Empty() {
		const day = 24 * time.Hour
		for d := p.Window.From.UTC().Truncate(day); d.Before(p.Window.To); d = d.Add(day) {
			c.Days[d.Format(time.DateOnly)] = seq
		}
	}
	if p.Undated > 0 {
		c.Undated = &seq
	}
}

func (c *chronicle) query(q journal.Query) *QueryPast {
	i := slices.IndexFunc(c.Queries, func(p QueryPast) bool { return p.Query == q })
	if i < 0 {
		i = len(c.Queries)
		c.Queries = append(c.Queries, QueryPast{Query: q})
	}
	return &c.Queries[i]
}

func (c *chronicle) reading(q journal.Query, windows ...window.Window) {
	if c.read[q] == nil {
		c.query(q)
		c.read[q] = new(window.Set)
	}
	for _, w := range windows {
		c.read[q].Add(w)
	}
}

// past is what the records came to.
func (c *chronicle) past() *Past {
	p := c.Past
	p.Coverage = c.tracker.State()
	for batch := range p.Polled {
		if _, open := c.tracker.Batch(batch); !open {
			delete(p.Polled, batch)
		}
	}
	for i := range p.Queries {
		if set := c.read[p.Queries[i].Query]; set != nil {
			p.Queries[i].Read = set.Windows()
		}
	}
	return &p
}
