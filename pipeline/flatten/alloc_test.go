// The race detector makes pools forget on purpose.
//go:build !race

package flatten

import (
	"strings"
	"testing"
)

// TestAllocations guards against allocations of each lead. What is left is the
// buffers that a page's rows lie in, some of each 64 KiB of its text. The bounds are
// a little above what was measured; who has a good reason moves them, and says so.
func TestAllocations(t *testing.T) {
	const leads = 1000
	answer := thousand()
	p := page(t, answer)
	p.Window, p.Leads = september, leads
	for name, test := range map[string]struct {
		f    func()
		most float64
	}{
		"Page": {func() {
			if r, err := flattener.Page(p, september); err != nil || len(r.Rows) != leads {
				t.Errorf("%d rows, %v", len(r.Rows), err)
			}
		}, 120}, // 89
		"Inspect": {func() {
			if i, err := Inspect(strings.NewReader(answer)); err != nil || i.Leads != leads {
				t.Errorf("%d leads, %v", i.Leads, err)
			}
		}, 50}, // 33
	} {
		if got := testing.AllocsPerRun(10, test.f); got > test.most {
			t.Errorf("%s: %v allocations for %d leads, want at most %v", name, got, leads, test.most)
		}
	}
}
