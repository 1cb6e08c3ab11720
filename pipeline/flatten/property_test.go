package flatten

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/leads-etl/leads-etl/pipeline/window"
	"github.com/leads-etl/leads-etl/schema"
)

// TestPageAgreesWithOracle: Page gives what the slow and obvious way gives.
func TestPageAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		answer := answers().Draw(rt, "answer")
		got, want := flatten(t, answer), consult(t, answer)
		compareRows(rt, t, "dated", got.Rows, want.dated)
		compareRows(rt, t, "undated", got.Undated, want.undated)
		if len(got.Dead) != want.dead || got.Unfit != want.unfit {
			rt.Fatalf("got %d dead letters and %d misfits, want %d and %d", len(got.Dead), got.Unfit, want.dead, want.unfit)
		}
		assertInspected(rt, answer, got)
	})
}

// compareRows holds rows to the oracle's, which have neither ids nor the text
// of extra.
func compareRows(rt *rapid.T, t *testing.T, which string, got []schema.Row, want []oracleRow) {
	if len(got) != len(want) {
		rt.Fatalf("got %d %s rows, want %d", len(got), which, len(want))
	}
	expected := make([]schema.Row, len(want))
	for i := range want {
		extra := map[string]any{}
		if got[i].Extra.Valid {
			extra = decode(t, got[i].Extra.Value)
		}
		if !reflect.DeepEqual(extra, want[i].extra) || got[i].Extra.Valid != (len(extra) > 0) {
			rt.Fatalf("%s row %d: extra is %s, want %v", which, i, got[i].Extra.Value, want[i].extra)
		}
		expected[i] = want[i].row
		expected[i].Extra = got[i].Extra
	}
	slowIdentify(expected)
	for i := range got {
		if !reflect.DeepEqual(got[i], expected[i]) {
			rt.Fatalf("%s row %d differs\n got: %s\nwant: %s", which, i, encode(t, &got[i]), encode(t, &expected[i]))
		}
	}
}

// slowIdentify gives a row the ordinal that counts those of its id which come
// before it by hash; those of the same hash count by their place.
func slowIdentify(rows []schema.Row) {
	for i := range rows {
		rows[i].ContentHash = schema.ContentHash(&rows[i])
		rows[i].LeadID = ""
	}
	for i := range rows {
		ordinal := 1
		for j := range rows {
			before := rows[j].ContentHash < rows[i].ContentHash || rows[j].ContentHash == rows[i].ContentHash && j < i
			if before && schema.LeadID(&rows[j], 1) == schema.LeadID(&rows[i], 1) {
				ordinal++
			}
		}
		rows[i].LeadID = schema.LeadID(&rows[i], ordinal)
		rows[i].EventID = schema.EventID(&rows[i])
	}
}

// TestSlicesOfPage: a page read slice by slice gives each row that it gives as
// a whole once, with the same ids, and what has no time in every slice.
func TestSlicesOfPage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		answer := answers().Draw(rt, "answer")
		p := page(t, answer)
		p.Window = september
		whole, err := flattener.Page(p, p.Window)
		if err != nil {
			rt.Fatal(err)
		}
		var rows []schema.Row
		for _, slice := range cut(rt, september) {
			part, err := flattener.Page(p, slice)
			if err != nil {
				rt.Fatal(err)
			}
			for _, r := range part.Rows {
				if !slice.Contains(r.SubmittedTime.Value) {
					rt.Fatalf("the slice %v holds a row of %v", slice, r.SubmittedTime.Value)
				}
			}
			rows = append(rows, part.Rows...)
			if !reflect.DeepEqual(part.Undated, whole.Undated) || !reflect.DeepEqual(part.Dead, whole.Dead) {
				rt.Fatalf("the slice %v has other undated rows or dead letters than the whole", slice)
			}
		}
		byTime := func(a, b schema.Row) int { return a.SubmittedTime.Value.Compare(b.SubmittedTime.Value) }
		slices.SortStableFunc(rows, byTime)
		slices.SortStableFunc(whole.Rows, byTime)
		if len(rows) != len(whole.Rows) {
			rt.Fatalf("the slices hold %d rows, the whole %d", len(rows), len(whole.Rows))
		}
		for i := range rows {
			if !reflect.DeepEqual(rows[i], whole.Rows[i]) {
				rt.Fatalf("row %d differs\nslice: %s\nwhole: %s", i, encode(t, &rows[i]), encode(t, &whole.Rows[i]))
			}
		}
	})
}

// cut cuts a window in parts that cover it.
func cut(rt *rapid.T, w window.Window) []window.Window {
	left, right, ok := w.Split()
	if !ok || rapid.IntRange(0, 2).Draw(rt, "cut") > 0 {
		return []window.Window{w}
	}
	return slices.Concat(cut(rt, left), cut(rt, right))
}

// TestOrderDoesNotMatter: the ids of an answer do not depend on the order of
// its leads.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		leads := make([]string, rapid.IntRange(0, 8).Draw(rt, "leads"))
		for i := range leads {
			var b strings.Builder
			write(rt, &b, lead(rt))
			leads[i] = b.String()
		}
		ids := func(leads []string) []string {
			result := flatten(t, leadAnswer(strings.Join(leads, ",")))
			var ids []string
			for _, r := range slices.Concat(result.Rows, result.Undated) {
				ids = append(ids, r.LeadID+" "+r.EventID+" "+r.ContentHash)
			}
			slices.Sort(ids)
			return ids
		}
		want := ids(leads)
		if got := ids(rapid.Permutation(leads).Draw(rt, "order")); !slices.Equal(got, want) {
			rt.Fatalf("ids of the leads in another order differ\n got: %v\nwant: %v", got, want)
		}
		if unique := slices.Compact(slices.Clone(want)); len(unique) != len(want) {
			rt.Fatalf("two leads have the same id: %v", want)
		}
	})
}

// TestWithin: rows of the seconds beside the page's window belong to its
// neighbours, even if they are asked for. Those further off no neighbour need
// ever show: they come with those that have no time.
func TestWithin(t *testing.T) {
	answer := leadAnswer(`{"submittedTime":"2026-08-31T23:59:59.999Z"},{"submittedTime":"2026-09-01T00:00:00Z"},
		{"submittedTime":"2026-09-30T23:59:59.999Z"},{"submittedTime":"2026-10-01T00:00:00Z"},{"submittedTime":"never"}`)
	day := window.New(september.From, september.From.Add(24*time.Hour))
	tests := []struct {
		name           string
		window, within window.Window
		want           []string
		undated        int // with the strays
	}{
		{"all", september, september, []string{"2026-09-01T00:00:00.000Z", "2026-09-30T23:59:59.999Z"}, 1},
		{"a part", september, day, []string{"2026-09-01T00:00:00.000Z"}, 1},
		{"more than the page", day, always, []string{"2026-09-01T00:00:00.000Z"}, 3},
		{"nothing", september, window.Window{}, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := page(t, answer)
			p.Window = tt.window
			p.Leads = 5
			result, err := flattener.Page(p, tt.within)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range result.Rows {
				got = append(got, schema.FormatTime(r.SubmittedTime.Value))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("rows of %v, want %v", got, tt.want)
			}
			if len(result.Undated) != tt.undated {
				t.Errorf("got %d undated rows, want %d", len(result.Undated), tt.undated)
			}
			inspection, err := Inspector{Asked: tt.window}.Inspect(strings.NewReader(answer))
			if err != nil || inspection.Undated != tt.undated {
				t.Errorf("inspected: %d undated, want %d; %v", inspection.Undated, tt.undated, err)
			}
		})
	}
}
