package display

import (
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

// Changes stand on one line where they have room there, of the terminal too, and no
// line is wider than it.
func TestChange(t *testing.T) {
	long := strings.Repeat("限量版 ", 40)
	for _, c := range []struct {
		before, now string
		width       int
		want        string
	}{
		{"NEW", "RESPONDED", 0, "  lead_status                  NEW → RESPONDED\n"},
		{"NEW", "RESPONDED", 46, "  lead_status                  NEW → RESPONDED\n"},
		{"NEW", "RESPONDED", 45, "  lead_status                  NEW\n                               → RESPONDED\n"},
		{strings.Repeat("a", 25), strings.Repeat("b", 25), 80, "  lead_status                  " + strings.Repeat("a", 25) + "\n                               → " + strings.Repeat("b", 25) + "\n"},
		{long, long, 0, "  lead_status                  " + long + "\n                               → " + long + "\n"},
	} {
		if got := Change("lead_status", c.before, c.now, c.width, false); got != c.want {
			t.Errorf("width %d: %q", c.width, got)
		}
	}
	for _, text := range []string{"NEW", strings.Repeat("a", 30), long} {
		for width := valuesAt + leastValue + 3; width < 200; width++ {
			for line := range strings.Lines(Value("lead_status", text, width, true) + Change("lead_status", text, text, width, true)) {
				if w := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); w > width {
					t.Fatalf("width %d: a line of %d: %q", width, w, line)
				}
			}
		}
	}
}
