package schema

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenFiles are the files of the folder of this schema version, by the format
// that they hold: they come with each release.
var goldenFiles = map[string]string{
	"json-schema":    "lead_event.schema.json",
	"avro":           "lead_event.avsc",
	"parquet":        "lead_event.parquet.txt",
	"sql":            "lead_events.duckdb.sql",
	"sql-duckdb":     "lead_events.duckdb.sql",
	"sql-spark":      "lead_events.spark.sql",
	"sql-bigquery":   "lead_events.bigquery.sql",
	"sql-snowflake":  "lead_events.snowflake.sql",
	"sql-clickhouse": "lead_events.clickhouse.sql",
}

// The descriptions are a contract with readers: they change on purpose only.
func TestDescribeGolden(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			name, ok := goldenFiles[format]
			if !ok {
				t.Fatal("there is no golden file for it")
			}
			path := filepath.Join(fmt.Sprint("v", Version), name)
			var got bytes.Buffer
			if err := Describe(&got, format); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s is not what the table says; -update writes it anew. It says:\n%s", path, &got)
			}
		})
	}
	if len(Formats()) != len(goldenFiles) {
		t.Errorf("%d formats, %d of them have golden files", len(Formats()), len(goldenFiles))
	}
}

// Every format names every column, once as a column, in the order of the table,
// and the members of messages.
func TestDescribeNamesAll(t *testing.T) {
	for _, format := range Formats() {
		var b strings.Builder
		if err := Describe(&b, format); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") {
			t.Errorf("%s does not end in one line end", format)
		}
		at := 0
		for _, c := range Columns {
			i := indexWord(text[at:], c.Name)
			if i < 0 {
				t.Fatalf("%s: column %s is missing, or not in order", format, c.Name)
			}
			at += i + len(c.Name)
		}
		for _, c := range MessageColumns {
			if format != "sql-snowflake" && indexWord(text, c.Name) < 0 {
				t.Errorf("%s: the messages' %s is missing", format, c.Name)
			}
		}
	}
}

func indexWord(text, word string) int {
	letter := func(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' }
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return -1
		}
		from, to := at+i, at+i+len(word)
		if (from == 0 || !letter(text[from-1])) && (to == len(text) || !letter(text[to])) {
			return from
		}
		at = to
	}
}

func TestDescribeRefuses(t *testing.T) {
	for _, format := range []string{"", "xml", "SQL", "sql-", "sql-oracle", "duckdb"} {
		var b strings.Builder
		err := Describe(&b, format)
		if err == nil || b.Len() > 0 {
			t.Errorf("%q: %q, %v", format, &b, err)
			continue
		}
		for _, choice := range Formats() {
			if !strings.Contains(err.Error(), choice) {
				t.Errorf("%q: the error does not offer %s: %v", format, choice, err)
			}
		}
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestDescribeReportsWriteErrors(t *testing.T) {
	full := errors.New("disk full")
	if err := Describe(brokenWriter{full}, "avro"); !errors.Is(err, full) {
		t.Errorf("the error is %v", err)
	}
}

func TestSQL(t *testing.T) {
	duckdb, err := SQL("")
	if err != nil {
		t.Fatal(err)
	}
	var dialects []string
	for _, format := range Formats() {
		dialect, ok := strings.CutPrefix(format, "sql-")
		if !ok {
			continue
		}
		dialects = append(dialects, dialect)
		text, err := SQL(dialect)
		if err != nil {
			t.Fatal(err)
		}
		if (text == duckdb) != (dialect == "duckdb") {
			t.Errorf("the default is %s", dialect)
		}
	}
	if want := []string{"duckdb", "spark", "bigquery", "snowflake", "clickhouse"}; !slices.Equal(dialects, want) {
		t.Errorf("the dialects are %v, want %v", dialects, want)
	}
	_, err = SQL("oracle")
	if err == nil {
		t.Fatal("there is no such dialect")
	}
	for _, dialect := range dialects {
		if !strings.Contains(err.Error(), dialect) {
			t.Errorf("the error does not offer %s: %v", dialect, err)
		}
	}
}

// Who reads a schema sees which columns are personal, and no others.
func TestDescribeMarksPersonal(t *testing.T) {
	for _, format := range Formats() {
		if !strings.HasPrefix(format, "sql-") {
			continue
		}
		var b strings.Builder
		if err := Describe(&b, format); err != nil {
			t.Fatal(err)
		}
		for _, c := range Columns {
			marked := slices.ContainsFunc(strings.Split(b.String(), "\n"), func(line string) bool {
				return (strings.HasPrefix(line, "  "+c.Name+" ") || strings.Contains(line, "."+c.Name+" IS ")) && strings.Contains(line, personalNote)
			})
			if marked != c.Personal {
				t.Errorf("%s: column %s is marked %v", format, c.Name, marked)
			}
		}
	}
	_, names, _ := strings.Cut(Parquet(), "// Personal data: ")
	for _, c := range Columns {
		if (indexWord(names, c.Name) >= 0) != c.Personal {
			t.Errorf("parquet: column %s is marked %v", c.Name, !c.Personal)
		}
	}
}
