package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// show lets the user see what the export wrote, and says what to try with it.
func (c *demoCommand) show(ctx context.Context, p *process, s *settings) error {
	for _, part := range []func() error{
		func() error { return showRows(p.out, s.NDJSON.Dir) },
		func() error { return showRecord(ctx, p.out, s.Kafka.Brokers, s.Kafka.Topic) },
		func() error { return showTree(p.out, c.Dir, p.ascii) },
	} {
		if err := part(); err != nil {
			return fmt.Errorf("showing what was exported: %w", err)
		}
		fmt.Fprintln(p.out)
	}
	return c.showCommands(p.out, s)
}

// sampleColumns are shown of a few rows. The people are invented.
var sampleColumns = []string{"submitted_time", "lead_status", "item_title", "first_name", "email", "fee_amount", "message_count"}

// Bounds of the samples.
const (
	sampleRows  = 3
	sampleWidth = 30
	valueWidth  = 400
)

// showRows shows the first rows of the table that are easy to read.
func showRows(w io.Writer, dir string) error {
	rows, err := readSample(dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "\nRows:")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  "+strings.Join(sampleColumns, "\t"))
	for _, row := range rows {
		cells := make([]string, len(sampleColumns))
		for i, column := range sampleColumns {
			cells[i] = cell(row[column])
		}
		fmt.Fprintln(table, "  "+strings.Join(cells, "\t"))
	}
	return table.Flush()
}

// readSample reads a few rows from the files.
func readSample(dir string) ([]map[string]any, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*", "date=2*", "*.ndjson"))
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	for _, path := range paths {
		if rows, err = appendSample(rows, path); err != nil || len(rows) >= sampleRows {
			return rows, err
		}
	}
	return rows, nil
}

func appendSample(rows []map[string]any, path string) ([]map[string]any, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	for len(rows) < sampleRows {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return rows, nil // the end of the file
		}
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if row["first_name"] != nil && row["email"] != nil && legible(row) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// legible reports whether what is shown of the row consists of letters that line
// up on every terminal: the simulator likes scripts that do not.
func legible(row map[string]any) bool {
	for _, column := range sampleColumns {
		if strings.ContainsFunc(cell(row[column]), func(r rune) bool { return r < ' ' || r > 0x24f && r != '…' }) {
			return false
		}
	}
	return true
}

// cell is a value as it is shown.
func cell(v any) string {
	if v == nil {
		return "null"
	}
	return shorten(fmt.Sprint(v), sampleWidth)
}

// shorten cuts text to so many characters.
func shorten(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// showRecord shows one record of the topic, as a consumer sees it.
func showRecord(ctx context.Context, w io.Writer, brokers []string, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer client.Close()
	fetches := client.PollRecords(ctx, 1)
	if err := fetches.Err0(); err != nil {
		return fmt.Errorf("reading from topic %s: %w", topic, err)
	}
	for r := range fetches.RecordsAll() {
		fmt.Fprintf(w, "A record in topic %s, partition %d, offset %d:\n", r.Topic, r.Partition, r.Offset)
		line := func(name, value string) { fmt.Fprintf(w, "  %-16s %s\n", name, value) }
		line("key", string(r.Key))
		line("timestamp", r.Timestamp.UTC().Format(time.RFC3339Nano))
		for _, h := range r.Headers {
			line(h.Key, string(h.Value))
		}
		line("value", shorten(string(r.Value), valueWidth))
		return nil
	}
	return fmt.Errorf("topic %s holds no record", cmp.Or(topic, "?"))
}

// showCommands says what can be done with the files now. The commands work as
// they are printed; .ci/run runs them.
func (c *demoCommand) showCommands(w io.Writer, s *settings) error {
	parquet := filepath.ToSlash(s.Parquet.Dir)
	query := fmt.Sprintf("SELECT date, count(*) AS leads, count(DISTINCT item_id) AS listings, sum(fee_amount) AS fees FROM '%s/*/*/*.parquet' GROUP BY date ORDER BY date", parquet)
	fmt.Fprintf(w, `Try next (pip install duckdb pandas pyarrow):

  duckdb -c "%[1]s"
  python3 -c "import duckdb; print(duckdb.sql(\"%[1]s\"))"
  python3 -c "import pandas; print(pandas.read_parquet('%[2]s').groupby('lead_status').size())"
  cat %[3]s/*/*/*.ndjson | jq -r 'select(.message_count > 2) | [.submitted_time, .item_id, .message_count] | @tsv' | head
`, query, parquet, filepath.ToSlash(s.NDJSON.Dir))
	if len(c.Brokers) > 0 {
		fmt.Fprintf(w, "  kcat -C -e -b %s -t %s -f '%%k %%h\\n'\n", strings.Join(c.Brokers, ","), s.Kafka.Topic)
	}
	_, err := fmt.Fprintf(w, `
%[1]s simulate runs the simulated API for exports of your own; %[1]s batch --help says how to export real leads.
`, programName)
	return err
}
