package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	// Place is where it was found: "leads-etl.toml:12", "LEADS_ETL_FETCH_WINDOW",
	// "--fetch-window"; empty if the trouble is that something is missing.
	Place string
	// Key is what is wrong, as people write it: "[fetch] window"; empty if the
	// trouble is not with a key.
	Key string
	// Text says what is wrong. It holds no secret.
	Text string
	// Hint says what to do about it; may be empty.
	Hint string
}

// String is the problem in one line, without its hint.
func (p Problem) String() string {
	var parts []string
	for _, s := range []string{p.Place, p.Key, p.Text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Problems is the error of a configuration that cannot be used: everything that
// is wrong with it.
type Problems []Problem

// Sort orders the problems by their lines in the file, which it keeps in front
// of all others.
func (ps Problems) Sort(file string) {
	line := func(p Problem) int {
		if digits, ok := strings.CutPrefix(p.Place, file+":"); ok {
			if n, err := strconv.Atoi(digits); err == nil {
				return n
			}
		}
		return math.MaxInt
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Compare(line(a), line(b)) })
}

// Error lists the problems, each on a line of its own with its hint below.
func (ps Problems) Error() string {
	var b strings.Builder
	if len(ps) == 1 {
		b.WriteString("the configuration has a problem")
	} else {
		fmt.Fprintf(&b, "the configuration has %d problems", len(ps))
	}
	for _, p := range ps {
		fmt.Fprintf(&b, "\n  %s", p)
		if p.Hint != "" {
			fmt.Fprintf(&b, "\n    hint: %s", p.Hint)
		}
	}
	return b.String()
}
