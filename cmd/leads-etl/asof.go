package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/config"
	"github.com/leads-etl/leads-etl/cmd/leads-etl/internal/progress"
	"github.com/leads-etl/leads-etl/pipeline/browse"
	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/sinks/ndjson"
	"github.com/leads-etl/leads-etl/sinks/parquet"
)

// pastFlags ask for the table as it was known at some moment.
type pastFlags struct {
	AsOf config.Time `name:"as-of" placeholder:"TIME" help:"The table as it was known then, from the pages that were landed by then, into --out; outputs and positions stay as they are."`
	Out  string      `name:"out" placeholder:"DIR" help:"Folder for --as-of: a new or an empty one."`
}

// check reports what is wrong with the flags.
func (c *pastFlags) check(sinks []string, now time.Time) error {
	switch {
	case c.AsOf.IsZero() != (c.Out == ""):
		return errors.New("--as-of and --out belong together")
	case c.AsOf.After(now):
		return fmt.Errorf("--as-of: %s lies in the future", config.FormatTime(c.AsOf.Time))
	}
	for _, sink := range sinks {
		if !c.AsOf.IsZero() && !slices.Contains(pastFormats, sink) {
			return fmt.Errorf("--sink: with --as-of, %q is none of %s", sink, strings.Join(pastFormats, ", "))
		}
	}
	return nil
}

// pastFormats are those that a table of the past can be written in.
var pastFormats = []string{"parquet", "ndjson"}

// pastMark is a file that says what a folder holds.
const pastMark = "_as-of.json"

type pastContent struct {
	Journal string    `json:"journal"`
	AsOf    time.Time `json:"as_of"`
	// Complete is false while the table is being written.
	Complete bool `json:"complete"`
}

// pastSummary is what was written.
type pastSummary struct {
	AsOf     time.Time     `json:"as_of"`
	Out      string        `json:"out"`
	Sinks    []sinkSummary `json:"sinks"`
	Duration seconds       `json:"duration_seconds"`
	Code     int           `json:"exit_code"`
}

// replayPast writes the table as it was known at a moment.
func (s *settings) replayPast(ctx context.Context, p *process, c *pastFlags, formats []string, asJSON bool) error {
	begun := time.Now()
	landed, closing, err := s.openLanded(ctx, p, c.AsOf.Time)
	if err != nil {
		return askedFor(err, "replay")
	}
	defer closing()
	content := pastContent{Journal: landed.Journal().ID(), AsOf: c.AsOf.UTC()}
	if err := occupy(c.Out, content); err != nil {
		return err
	}
	// Bound to a source of its own, no later run takes it for the journal's output.
	source := content.Journal + " as of " + content.AsOf.Format(time.RFC3339Nano)
	written, err := s.writePast(ctx, p, landed, c.Out, formats, source)
	if err != nil {
		return err
	}
	content.Complete = true
	if err := content.mark(c.Out); err != nil {
		return err
	}
	sum := pastSummary{AsOf: content.AsOf, Out: c.Out, Duration: seconds(time.Since(begun))}
	for _, w := range written {
		sum.Sinks = append(sum.Sinks, sinkSummary{Name: w.Sink, Rows: w.Rows, Files: w.Files, Bytes: w.Bytes})
	}
	if asJSON {
		return writeJSON(p.out, sum)
	}
	return sum.write(p)
}

func (s *settings) writePast(ctx context.Context, p *process, landed *browse.Landed, out string, formats []string, source string) (_ []browse.Written, err error) {
	var sinks []deliver.Sink
	defer func() {
		for _, sink := range sinks {
			err = errors.Join(err, sink.Close())
		}
	}()
	binding := deliver.Binding{JournalID: source, Account: s.EBay.Account, Marketplace: s.EBay.Marketplace}
	for _, format := range s.formats(formats) {
		dir := filepath.Join(out, format)
		var sink deliver.Sink
		var err error
		if format == "parquet" {
			c := s.Parquet
			c.Dir = dir
			sink, err = opening(c, parquet.Open)(ctx, binding, p.log)
		} else {
			c := s.NDJSON
			c.Dir = dir
			sink, err = opening(c, ndjson.Open)(ctx, binding, p.log)
		}
		if err != nil {
			return nil, &deliver.SinkError{Sink: format, Err: err}
		}
		sinks = append(sinks, sink)
	}
	return landed.Table(ctx, sinks, source)
}

// formats are those that were asked for, else those that the configuration turns
// on, else Parquet.
func (s *settings) formats(asked []string) []string {
	if len(asked) > 0 {
		return asked
	}
	var on []string
	if s.Parquet.On() {
		on = append(on, "parquet")
	}
	if s.NDJSON.On() {
		on = append(on, "ndjson")
	}
	if len(on) == 0 {
		on = pastFormats[:1]
	}
	return on
}

// occupy makes the folder, or takes one that is empty, or that the same table was
// begun in.
func occupy(dir string, content pastContent) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking at --out: %w", err)
	}
	if len(entries) > 0 {
		var have pastContent
		data, err := os.ReadFile(filepath.Join(dir, pastMark))
		if err == nil {
			err = json.Unmarshal(data, &have)
		}
		if err != nil {
			return &usageError{err: fmt.Errorf("--out: %s holds something else: name a new folder", dir), command: "replay"}
		}
		if have.Journal != content.Journal || !have.AsOf.Equal(content.AsOf) {
			return &usageError{err: fmt.Errorf("--out: %s holds the table as of %s: name a new folder", dir, have.AsOf.Format(time.RFC3339Nano)), command: "replay"}
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making --out: %w", err)
	}
	return content.mark(dir)
}

// mark says in the folder what it holds.
func (c pastContent) mark(dir string) error {
	data, err := json.Marshal(c)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, pastMark), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing to --out: %w", err)
	}
	return nil
}

func (s *pastSummary) write(p *process) error {
	var b strings.Builder
	fmt.Fprintf(&b, "The table as it was known at %s, in %s (%s)\n", s.AsOf.Format(time.RFC3339Nano), s.Out, progress.Clock(time.Duration(s.Duration)))
	for _, sink := range s.Sinks {
		fmt.Fprintf(&b, "  %-11s %s\n", sink.Name, sink.text())
	}
	_, err := fmt.Fprint(p.out, b.String())
	return err
}
