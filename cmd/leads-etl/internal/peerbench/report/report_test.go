package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// invented are results of nothing, with round figures.
func invented() *Results {
	r := &Results{
		Setting: Setting{
			Date: time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC), Commit: "abc1234", Go: "go1.26", OS: "linux/amd64",
			CPU: "Invented <CPU>", Cores: 2, Threads: 2, Peers: map[string]string{"DuckDB": "DuckDB 2.0.1", "dlt": "dlt 1.31.0"},
			Leads: 1_000_000, LeadBytes: 1147, Rounds: 3, Others: 1,
		},
		Samples: map[string][]Sample{
			"leads-etl/both": {{Seconds: 10, Leads: 1_000_000, CPU: 18, PeakMB: 150}, {Seconds: 12.5, Leads: 1_000_000, CPU: 20, PeakMB: 160}, {Seconds: 8, Leads: 1_000_000, CPU: 19, PeakMB: 155}},
			"DuckDB/both":    {{Seconds: 40, Leads: 1_000_000, CPU: 70, PeakMB: 1100}, {Seconds: 25, Leads: 1_000_000, CPU: 60, PeakMB: 1000}, {Seconds: 50, Leads: 1_000_000, CPU: 80, PeakMB: 900}},
		},
	}
	rate := Row{ID: "both", Work: "landed pages → `Parquet` + NDJSON", Ours: "leads-etl/both", Peer: "DuckDB/both", Unit: "leads/s", FigureUnit: "×", Target: 5}
	rate.Fill(r.Samples, Rate, Times)
	cpu := Row{ID: "cpu", Work: "CPU time", Ours: "leads-etl/both", Peer: "DuckDB/both", Unit: "µs/lead", FigureUnit: "× less", Target: 3}
	cpu.Fill(r.Samples, CPUPerLead, Fewer)
	memory := Row{ID: "memory", Work: "peak memory", Ours: "leads-etl/both", Unit: "MB", FigureUnit: "MB", Target: 200, AtMost: true}
	memory.Fill(r.Samples, Peak, nil)
	r.Rows = []Row{rate, cpu, memory}
	return r
}

func TestFill(t *testing.T) {
	rows := invented().Rows
	rate := rows[0]
	if rate.OursValue != (Spread{100_000, 80_000, 125_000}) || rate.PeerValue != (Spread{25_000, 20_000, 40_000}) {
		t.Errorf("%+v and %+v", rate.OursValue, rate.PeerValue)
	}
	// Round by round: 100/25, 80/40, 125/20 thousand.
	if rate.Figure != 4 || rate.Paired != (Spread{4, 2, 6.25}) || rate.Met() {
		t.Errorf("figure %v, paired %+v, met %v", rate.Figure, rate.Paired, rate.Met())
	}
	if cpu := rows[1]; cpu.OursValue.Median != 19 || cpu.Figure != 70.0/19 || !cpu.Met() {
		t.Errorf("CPU: %+v", cpu)
	}
	if memory := rows[2]; memory.Figure != 155 || !memory.Met() {
		t.Errorf("memory: %+v", memory)
	}
	for _, missing := range []Row{{Ours: "nobody"}, {Ours: "leads-etl/both", Peer: "nobody"}} {
		if missing.Fill(invented().Samples, Rate, Times) {
			t.Errorf("%+v has no samples, and was filled", missing)
		}
	}
}

func TestRelations(t *testing.T) {
	for name, c := range map[string]struct {
		relation         Relation
		ours, peer, want float64
	}{
		"share":             {Share, 10, 9.5, 5},
		"share, negative":   {Share, 10, 11, -10},
		"apart, above":      {Apart, 110, 100, 10},
		"apart, below":      {Apart, 90, 100, 10},
		"times of nothing":  {Times, 1, 0, 0},
		"nothing and fewer": {Fewer, 0, 1, 0},
	} {
		if got := c.relation(c.ours, c.peer); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	const want = `2026-11-24, leads-etl abc1234 (go1.26) beside DuckDB 2.0.1, dlt 1.31.0; 1,000,000 leads of 1147 bytes of JSON; Invented <CPU>, 2 cores, 2 threads, linux/amd64; 3 rounds, interleaved; others took at most 1 % of the machine.

| work | leads-etl | peer | ratio or figure | round by round | target | |
|---|---|---|---|---|---|---|
| landed pages → ` + "`Parquet`" + ` + NDJSON | 100,000 leads/s (80,000 – 125,000) | DuckDB: 25,000 leads/s (20,000 – 40,000) | **4 ×** | 4 × (2 – 6.25) | ≥ 5 × | **missed** |
| CPU time | 19 µs/lead (18 – 20) | DuckDB: 70 µs/lead (60 – 80) | **3.68 × less** | 3.89 × less (3 – 4.21) | ≥ 3 × less | met |
| peak memory | 155 MB (150 – 160) | – | **155 MB** | – | ≤ 200 MB | met |
`
	if got := invented().Markdown(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The chart is XML, has two bars for each comparison with a peer, and none for
// what has none.
func TestSVG(t *testing.T) {
	svg := invented().SVG()
	d := xml.NewDecoder(strings.NewReader(svg))
	bars := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" {
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					bars[a.Value]++
				}
			}
		}
	}
	if bars["ours"] != 2 || bars["peer"] != 2 {
		t.Errorf("bars: %v", bars)
	}
	if strings.Contains(svg, "peak memory") {
		t.Error("a figure without a peer is drawn")
	}
}

func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	if err := invented().Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := Load(filepath.Join(dir, ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{TableFile: again.Markdown(), ChartFile: again.SVG()} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is not drawn from the results: %v", name, err)
		}
	}
}
