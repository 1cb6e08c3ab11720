package flatten

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// nested returns objects and arrays in each other, depth of them.
func nested(depth int) string {
	return strings.Repeat(`{"a}]":[`, depth/2) + strings.Repeat("[]", depth%2) + strings.Repeat(`]}`, depth/2)
}

// TestDeep: a value that nests deeper than any reader takes becomes a dead
// letter, wherever it is, and costs no other lead. 10,000 is where the decoder
// gives up.
func TestDeep(t *testing.T) {
	const good = `{"userId":"good"}`
	for _, depth := range []int{maxDepth - 1, maxDepth + 1, 9_996, 9_997, 10_001, 100_000} {
		deep := nested(depth)
		lead := `{"a":` + deep + `}`
		letter := func(listing, response int, reason, raw string) DeadLetter {
			return DeadLetter{Listing: listing, Response: response, Reason: reason, Raw: []byte(raw)}
		}
		tests := []struct {
			name, answer string
			rows         int          // good ones
			tooDeep      []DeadLetter // what is dead if it is too deep
			shallow      []DeadLetter // what is dead otherwise
		}{
			{"lead", `{"classifiedLeads":[{"responses":[` + good + `,` + lead + `,` + good + `]},{"responses":[` + good + `]}]}`, 3,
				[]DeadLetter{letter(0, 1, reasonLeadDepth, lead)}, nil},
			{"only lead", `{"classifiedLeads":[{"responses":[` + lead + "\n]},\t{\"responses\":[" + good + `]}]}`, 1,
				[]DeadLetter{letter(0, 0, reasonLeadDepth, lead)}, nil},
			{"lead that is an array", `{"classifiedLeads":[{"responses":[` + good + `,[` + deep + `]]}]}`, 1,
				[]DeadLetter{letter(0, 1, reasonLeadDepth, `[`+deep+`]`)}, []DeadLetter{letter(0, 1, reasonLead, `[`+deep+`]`)}},
			{"several", `{"classifiedLeads":[{"responses":[` + lead + `,` + good + `,` + lead + `],"x":` + deep + `}]}`, 1,
				[]DeadLetter{letter(0, 0, reasonLeadDepth, lead), letter(0, 2, reasonLeadDepth, lead), letter(0, -1, reasonListingMember, deep)}, nil},
			{"listing", `{"classifiedLeads":[[` + deep + `],{"responses":[` + good + `]}]}`, 1,
				[]DeadLetter{letter(0, -1, reasonListing, `[`+deep+`]`)}, []DeadLetter{letter(0, -1, reasonListing, `[`+deep+`]`)}},
			{"listing's member", `{"classifiedLeads":[{"x": ` + deep + `,"responses":[` + good + `]}]}`, 1,
				[]DeadLetter{letter(0, -1, reasonListingMember, deep)}, nil},
			{"responses", `{"classifiedLeads":[{"responses":` + lead + `},{"responses":[` + good + `]}]}`, 1,
				[]DeadLetter{letter(0, -1, reasonResponses, lead)}, []DeadLetter{letter(0, -1, reasonResponses, lead)}},
			{"classifiedLeads", `{"classifiedLeads":` + lead + `,"totalLeads":1}`, 0,
				[]DeadLetter{letter(-1, -1, reasonListings, lead)}, []DeadLetter{letter(-1, -1, reasonListings, lead)}},
			{"answer's member", `{"x":` + deep + `,"classifiedLeads":[{"responses":[` + good + `]}]}`, 1, nil, nil},
		}
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s, %d", tt.name, depth), func(t *testing.T) {
				result := flatten(t, tt.answer)
				rows := 0
				for _, r := range result.Undated {
					if r.UserID.Value == "good" {
						rows++
					}
				}
				if rows != tt.rows {
					t.Errorf("got %d good rows, want %d", rows, tt.rows)
				}
				want := tt.shallow
				if depth > maxDepth {
					want = tt.tooDeep
				}
				assertDead(t, result.Dead, want)
				assertInspected(t, tt.answer, result)
			})
		}
	}
}

// assertInspected checks that Inspect counts what Page returned of all times.
func assertInspected(t interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}, answer string, r Result) {
	t.Helper()
	inspection, err := Inspect(strings.NewReader(answer))
	if err != nil {
		t.Fatalf("Inspect: %v", err)
	}
	leads := len(r.Rows) + len(r.Undated)
	for _, d := range r.Dead {
		if d.Response >= 0 {
			leads++
		}
	}
	if inspection.Leads != leads || inspection.Undated != len(r.Undated) {
		t.Errorf("Inspect counts %d leads, %d of them undated; Page %d and %d", inspection.Leads, inspection.Undated, leads, len(r.Undated))
	}
}

func assertDead(t *testing.T, got, want []DeadLetter) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d dead letters, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("dead letter %d is at %d, %d, %q, with %d bytes; want %d, %d, %q, with %d bytes", i,
				got[i].Listing, got[i].Response, got[i].Reason, len(got[i].Raw), want[i].Listing, want[i].Response, want[i].Reason, len(want[i].Raw))
		}
	}
}

// TestDeepAndBroken: passing over a deep value does not hide that the answer
// ends early, or goes wrong behind it.
func TestDeepAndBroken(t *testing.T) {
	deep := nested(20_000)
	whole := `{"classifiedLeads":[{"responses":[` + deep + `,{}]}]}`
	for name, broken := range map[string]string{
		"ends within":       whole[:len(whole)/2],
		"ends within text":  `{"classifiedLeads":[{"responses":[` + strings.Repeat("[", 20_000) + `"abc`,
		"ends behind":       whole[:len(whole)-7],
		"no comma behind":   strings.Replace(whole, ",{}", "{}", 1),
		"wrong brace":       strings.Replace(whole, ",{}]", ",{}}", 1),
		"garbage at end":    whole + "x",
		"second value":      whole + whole,
		"top level, nested": strings.Repeat("[", 20_000),
	} {
		_, err := Inspect(strings.NewReader(broken))
		corrupt, ok := errors.AsType[*CorruptError](err)
		if !ok {
			t.Errorf("%s: Inspect = %v, want a *CorruptError", name, err)
			continue
		}
		if strings.HasPrefix(name, "ends") && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: Inspect = %v, want unexpected EOF", name, err)
		}
		if (strings.HasPrefix(name, "ends") || name == "garbage at end") && corrupt.Offset < int64(len(strings.TrimSuffix(broken, "x")))-4 {
			t.Errorf("%s: offset = %d of %d", name, corrupt.Offset, len(broken))
		}
		if _, err := flattener.Page(page(t, broken), always); err == nil {
			t.Errorf("%s: Page takes it", name)
		}
	}
}
