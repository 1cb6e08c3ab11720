package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/sinks/kafka/kafkatest"
	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// rows are event rows by column name, in the form of the oracle.
type rows []oracle.Row

// dataFiles returns the files that an engine finds below dir: what begins with
// "." or "_" is passed over.
func dataFiles(t testing.TB, dir, suffix string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case path != dir && strings.ContainsAny(d.Name()[:1], "._"):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && strings.HasSuffix(path, suffix):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// wantPartition asserts that the row is in the folder that it belongs to.
func wantPartition(t testing.TB, path string, row oracle.Row) {
	t.Helper()
	date := "__HIVE_DEFAULT_PARTITION__"
	if submitted, ok := row["submitted_time"].(string); ok {
		date = submitted[:len(time.DateOnly)]
	}
	if !strings.Contains(path, "marketplace="+marketplace+"/date="+date+"/") {
		t.Errorf("a row of %s is in %s", date, path)
	}
}

// eventsPrefix begins the names of what streams write, beside the tables of batches.
const eventsPrefix = "events-"

// tableFiles leaves out the files of streams.
func tableFiles(paths []string) []string {
	return slices.DeleteFunc(paths, func(path string) bool { return strings.HasPrefix(filepath.Base(path), eventsPrefix) })
}

// eventFiles are the files of streams.
func eventFiles(paths []string) []string {
	return slices.DeleteFunc(paths, func(path string) bool { return !strings.HasPrefix(filepath.Base(path), eventsPrefix) })
}

func (w *world) ndjsonFiles() []string  { return dataFiles(w.t, w.path("ndjson"), ".ndjson.zst") }
func (w *world) parquetFiles() []string { return dataFiles(w.t, w.path("parquet"), ".parquet") }

// ndjson reads all NDJSON files.
func (w *world) ndjson() rows { return w.readNDJSON(w.ndjsonFiles()) }

func (w *world) readNDJSON(paths []string) rows {
	w.t.Helper()
	var all rows
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			w.t.Fatal(err)
		}
		plain, err := zstd.NewReader(f)
		if err != nil {
			w.t.Fatal(err)
		}
		lines := bufio.NewReader(plain)
		for {
			line, err := lines.ReadBytes('\n')
			if errors.Is(err, io.EOF) && len(line) == 0 {
				break
			}
			if err != nil {
				w.t.Fatalf("%s: %v", path, err)
			}
			row := fromJSON(w.t, line)
			wantPartition(w.t, path, row)
			all = append(all, row)
		}
		plain.Close()
		f.Close()
	}
	return all
}

// kafka reads the topic, as a read_committed consumer.
func (w *world) kafka() rows {
	w.t.Helper()
	var all rows
	for _, r := range kafkatest.ReadCommitted(w.t, w.broker.Brokers, w.topic) {
		row := fromJSON(w.t, r.Value)
		if row["lead_id"] != string(r.Key) {
			w.t.Errorf("key %s of a record of lead %v", r.Key, row["lead_id"])
		}
		headers := make(map[string]string)
		for _, h := range r.Headers {
			headers[h.Key] = string(h.Value)
		}
		if headers["ce_id"] != row["event_id"] || headers["ce_type"] != fmt.Sprint("com.ebay.sell.lead.", row["event_type"]) ||
			headers["ce_source"] != "/sell/leads/v1/"+marketplace+"/"+account || headers["ce_specversion"] != "1.0" {
			w.t.Errorf("headers %v of event %v", headers, row["event_id"])
		}
		if at := schema.FormatTime(r.Timestamp.UTC()); at != row["extracted_at"] {
			w.t.Errorf("record time %s of an event extracted at %v", at, row["extracted_at"])
		}
		all = append(all, row)
	}
	return all
}

// fromJSON brings a line into the oracle's form.
func fromJSON(t testing.TB, line []byte) oracle.Row {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var row oracle.Row
	if err := d.Decode(&row); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	integers(t, row)
	if list, ok := row["messages"].([]any); ok {
		messages := make([]map[string]any, 0, len(list))
		for _, m := range list {
			message := m.(map[string]any)
			integers(t, message)
			messages = append(messages, message)
		}
		row["messages"] = messages
	}
	if list, ok := row["changed_fields"].([]any); ok {
		changed := make([]string, 0, len(list))
		for _, name := range list {
			changed = append(changed, name.(string))
		}
		row["changed_fields"] = changed
	}
	return row
}

func integers(t testing.TB, object map[string]any) {
	t.Helper()
	for k, v := range object {
		if n, ok := v.(json.Number); ok {
			i, err := n.Int64()
			if err != nil {
				t.Fatalf("%s: %v", k, err)
			}
			object[k] = i
		}
	}
}

// parquet reads all Parquet files. Amounts are unscaled integers in them.
func (w *world) parquet() rows { return w.readParquet(w.parquetFiles()) }

func (w *world) readParquet(paths []string) rows {
	w.t.Helper()
	var all rows
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			w.t.Fatalf("%s: %v", path, err)
		}
		for _, group := range f.RowGroups() {
			for _, row := range readGroup(w.t, f, group) {
				wantPartition(w.t, path, row)
				all = append(all, row)
			}
		}
	}
	return all
}

func readGroup(t testing.TB, f *parquet.File, group parquet.RowGroup) rows {
	t.Helper()
	leaves := f.Schema().Columns()
	reader := group.Rows()
	defer reader.Close()
	var all rows
	buf := make([]parquet.Row, 64)
	for {
		n, err := reader.ReadRows(buf)
		for _, values := range buf[:n] {
			all = append(all, fromParquet(leaves, values))
		}
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fromParquet brings a row of leaf values, which come leaf by leaf, into the
// oracle's form.
func fromParquet(leaves [][]string, values parquet.Row) oracle.Row {
	row := oracle.Row{}
	var messages []map[string]any
	at := 0 // the message that the value belongs to
	for _, v := range values {
		path := leaves[v.Column()]
		column, field := path[0], path[len(path)-1]
		switch {
		case column == "changed_fields":
			if v.DefinitionLevel() == 0 { // no list
				continue
			}
			changed, _ := row[column].([]string)
			if changed == nil {
				changed = []string{}
			}
			if !v.IsNull() {
				changed = append(changed, string(v.ByteArray()))
			}
			row[column] = changed
			continue
		case column != "messages":
			if !v.IsNull() {
				row[column] = scalar(column, v)
			}
			continue
		case v.DefinitionLevel() == 0: // no list
			continue
		case messages == nil:
			messages = []map[string]any{}
		}
		if v.DefinitionLevel() == 1 { // an empty list
			continue
		}
		if at++; v.RepetitionLevel() == 0 {
			at = 0
		}
		if at == len(messages) {
			messages = append(messages, map[string]any{})
		}
		if !v.IsNull() {
			messages[at][field] = scalar(field, v)
		}
	}
	if messages != nil {
		row["messages"] = messages
	}
	return row
}

func scalar(column string, v parquet.Value) any {
	switch v.Kind() {
	case parquet.Boolean:
		return v.Boolean()
	case parquet.Int32:
		return int64(v.Int32())
	case parquet.Int64:
		switch column {
		case "submitted_time", "extracted_at", "created_at":
			return schema.FormatTime(time.UnixMicro(v.Int64()).UTC())
		}
		return v.Int64()
	default:
		return string(v.ByteArray())
	}
}
