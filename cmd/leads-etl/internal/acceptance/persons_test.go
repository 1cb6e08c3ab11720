package acceptance

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// tokenPrefix begins the simulator's tokens, as it does eBay's.
const tokenPrefix = "v^1.1#i^1"

// persons are the values of personal columns that must not be shown, with their
// columns.
type persons map[string]string

// shortest is how long a value must be to be looked for: what is shorter is in
// every text by chance.
const shortest = 6

// add takes in the world as it is now.
func (p persons) add(w *world) {
	w.t.Helper()
	p.addRows(w.t, expect(w.sim.AllTruth(window.New(w.sim.Range().From, time.Now().Add(time.Hour)))))
}

func (p persons) addRows(t testing.TB, all rows) {
	t.Helper()
	for _, row := range all {
		for _, c := range schema.Columns {
			if !c.Personal {
				continue
			}
			// Whatever the values are made of, JSON has four kinds of it.
			var value any
			data, err := json.Marshal(row[c.Name])
			if err == nil {
				err = json.Unmarshal(data, &value)
			}
			if err != nil {
				t.Fatal(err)
			}
			p.take(c.Name, value)
		}
	}
}

// take takes the texts in a value.
func (p persons) take(column string, value any) {
	switch v := value.(type) {
	case string:
		if len(v) >= shortest {
			p[v] = column
		}
	case []any:
		for _, element := range v {
			p.take(column, element)
		}
	case map[string]any:
		for name, member := range v {
			if name != "created_at" {
				p.take(column, member)
			}
		}
	}
}

// wantNotIn asserts that nothing of the persons, and no secret, is in the text.
func (p persons) wantNotIn(t testing.TB, text string) {
	t.Helper()
	columns := make(map[string]int)
	for value, column := range p {
		columns[column]++
		if i := strings.Index(text, value); i >= 0 {
			t.Errorf("a value of %s is shown: …%q…", column, text[max(0, i-100):i])
		}
	}
	for _, c := range schema.Columns {
		// Postal codes are five digits, and so is every other number.
		if c.Personal && c.Name != "postal_code" && columns[c.Name] == 0 {
			t.Errorf("no value of %s was looked for", c.Name)
		}
	}
	if strings.Contains(text, secret) {
		t.Error("the secret is shown")
	}
	if i := strings.Index(text, tokenPrefix); i >= 0 {
		t.Errorf("a token is shown: …%q", text[max(0, i-100):i])
	}
	t.Logf("%d values were looked for in %d bytes", len(p), len(text))
}
