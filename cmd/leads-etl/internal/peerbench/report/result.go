// Package report holds what a comparison measured and shows it: the ratios, a
// table in Markdown, a chart in SVG. It reads and writes the file of results.
// What must not be here: running anything.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Results are all that one comparison measured: the content of results.json.
type Results struct {
	Setting Setting             `json:"setting"`
	Samples map[string][]Sample `json:"samples"` // by contender, in the order of the rounds
	Rows    []Row               `json:"rows"`
}

// Setting is where, when and with what it was measured.
type Setting struct {
	Date    time.Time `json:"date"`
	Commit  string    `json:"commit"`
	Go      string    `json:"go"`
	OS      string    `json:"os"`
	CPU     string    `json:"cpu"`
	Cores   int       `json:"cores"`
	Threads int       `json:"threads"`
	// Peers are the versions of what leads-etl is compared with, by name.
	Peers map[string]string `json:"peers"`
	Leads int               `json:"leads"`
	// LeadBytes is the mean size of a lead's JSON as the API sends it.
	LeadBytes float64 `json:"lead_bytes"`
	Rounds    int     `json:"rounds"`
	// Others is the most that others took of the machine before a run, in percent of
	// all cores.
	Others float64 `json:"others"`
}

// Sample is one run of a contender.
type Sample struct {
	// Seconds is how long the work took: what the contender says of itself, if it
	// says so (a peer's time for starting up is not held against it), else the
	// wall-clock time of the process.
	Seconds float64 `json:"seconds"`
	// CPU is the CPU time of the work in seconds, user and system, measured as
	// Seconds is.
	CPU float64 `json:"cpu"`
	// PeakMB is the largest resident memory of the process, in millions of bytes.
	PeakMB float64 `json:"peak_mb"`
	// Leads is how many leads came out.
	Leads int `json:"leads"`
	// More are figures of single contenders, by name.
	More map[string]float64 `json:"more,omitempty"`
}

// Row is a line of the table: one figure and its target.
type Row struct {
	ID   string `json:"id"`
	Work string `json:"work"`
	// Ours and Peer are the contenders; Peer is empty where there is none.
	Ours string `json:"ours"`
	Peer string `json:"peer,omitempty"`
	// OursValue and PeerValue are the medians in Unit, with their spreads.
	OursValue Spread `json:"ours_value"`
	PeerValue Spread `json:"peer_value,omitzero"`
	Unit      string `json:"unit"`
	// Figure is what has a target: a ratio of the medians, or OursValue itself.
	// Paired is the same of the runs of each round.
	Figure float64 `json:"figure"`
	Paired Spread  `json:"paired,omitzero"`
	// FigureUnit is "×", "%", "MB", "ms".
	FigureUnit string  `json:"figure_unit"`
	Target     float64 `json:"target"`
	// AtMost says that the target is an upper bound.
	AtMost bool `json:"at_most,omitempty"`
}

// Met reports whether the figure reaches its target.
func (r *Row) Met() bool {
	if r.AtMost {
		return r.Figure <= r.Target
	}
	return r.Figure >= r.Target
}

// Load reads results.
func Load(path string) (*Results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the results: %w", err)
	}
	var r Results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("reading the results in %s: %w", path, err)
	}
	return &r, nil
}

// The files that Save writes.
const (
	ResultsFile = "results.json"
	TableFile   = "table.md"
	ChartFile   = "comparison.svg"
)

// Save writes the results, the table and the chart into a folder.
func (r *Results) Save(dir string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	for name, content := range map[string]string{
		ResultsFile: string(text) + "\n",
		TableFile:   r.Markdown(),
		ChartFile:   r.SVG(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil { //nolint:gosec // to be read by everybody
			return fmt.Errorf("writing the results: %w", err)
		}
	}
	return nil
}
