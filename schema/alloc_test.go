// The race detector makes pools forget on purpose.
//go:build !race

package schema

import "testing"

// What is computed for each row must not allocate beyond its result.
func TestAllocations(t *testing.T) {
	r := sampleRow(t)
	buf := make([]byte, 0, 4096)
	for name, test := range map[string]struct {
		f    func()
		want float64
	}{
		"AppendJSON": {func() {
			if _, err := AppendJSON(buf, r); err != nil {
				t.Error(err)
			}
		}, 0},
		"ContentHash": {func() { ContentHash(r) }, 1},
		"LeadID":      {func() { LeadID(r, 2) }, 1},
		"EventID":     {func() { EventID(r) }, 1},
	} {
		if got := testing.AllocsPerRun(200, test.f); got > test.want {
			t.Errorf("%s: %v allocations, want %v", name, got, test.want)
		}
	}
}
