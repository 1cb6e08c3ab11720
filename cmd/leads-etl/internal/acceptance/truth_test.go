package acceptance

import (
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/schema"
	"github.com/leads-etl/leads-etl/source/simulator"
	"github.com/leads-etl/leads-etl/source/simulator/oracle"
)

// expect returns the rows that the leads have to give.
func expect(leads iter.Seq[simulator.Lead]) rows {
	return oracle.Rows(leads, oracle.Options{Account: account, Marketplace: marketplace, Messages: true})
}

// wantRows asserts that the output holds each expected row exactly once, equal
// in every column, and nothing else.
func wantRows(t testing.TB, name string, got, want rows) {
	t.Helper()
	expected := make(map[string]oracle.Row, len(want))
	for _, row := range want {
		expected[row["lead_id"].(string)] = row
	}
	seen := make(map[string]int)
	var twice, foreign, wrong, lost []string
	for _, row := range got {
		id, _ := row["lead_id"].(string)
		if seen[id]++; seen[id] > 1 {
			twice = append(twice, id)
			continue
		}
		exp, ok := expected[id]
		if !ok {
			foreign = append(foreign, id)
			continue
		}
		if diff := difference(row, exp); diff != "" {
			wrong = append(wrong, id+": "+diff)
		}
	}
	for id := range expected {
		if seen[id] == 0 {
			lost = append(lost, id)
		}
	}
	t.Logf("%s: %d rows, %d expected: %d lost, %d twice, %d wrong, %d foreign", name, len(got), len(want), len(lost), len(twice), len(wrong), len(foreign))
	if len(lost)+len(twice)+len(wrong)+len(foreign) > 0 {
		t.Errorf("%s: lost %v\ntwice %v\nwrong %v\nforeign %v", name, some(lost), some(twice), some(wrong), some(foreign))
	}
	if len(expected) != len(want) {
		t.Errorf("the oracle gives %d leads the id of another", len(want)-len(expected))
	}
}

func some(all []string) []string { return all[:min(3, len(all))] }

// difference names the columns that differ. Amounts may be unscaled integers.
func difference(got, want oracle.Row) string {
	var names []string
	columns := maps.Clone(want)
	for k := range got {
		columns[k] = nil
	}
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		g, w := got[column], want[column]
		switch {
		case column == "extracted_at":
			if g == nil {
				names = append(names, column)
			}
			continue
		case strings.HasPrefix(column, "fee_") && strings.HasSuffix(column, "_amount"):
			if unscaled, ok := g.(int64); ok {
				text, _ := w.(string)
				d, err := schema.ParseDecimal(text)
				if err != nil || d.Unscaled != unscaled {
					names = append(names, fmt.Sprintf("%s (got %d, want %q)", column, unscaled, text))
				}
				continue
			}
		}
		if !reflect.DeepEqual(g, w) {
			names = append(names, fmt.Sprintf("%s (got %.200s, want %.200s)", column, fmt.Sprint(g), fmt.Sprint(w)))
		}
	}
	return strings.Join(names, ", ")
}

// wantAll asserts that all sinks hold exactly the rows.
func (w *world) wantAll(want rows) {
	w.t.Helper()
	if w.ndjsonOn {
		wantRows(w.t, "ndjson", w.ndjson(), want)
	}
	if w.parquetOn {
		wantRows(w.t, "parquet", w.parquet(), want)
	}
	if w.kafkaOn {
		wantRows(w.t, "kafka", w.kafka(), want)
	}
}

// wantNoPersonIn asserts that no secret and nothing of a person is in the output
// of a run.
func wantNoPersonIn(t testing.TB, output string, want rows) {
	t.Helper()
	all := make(persons)
	all.addRows(t, want)
	all.wantNotIn(t, output)
}
