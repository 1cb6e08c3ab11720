package main

import "github.com/leads-etl/leads-etl/cmd/leads-etl/internal/peerbench/report"

// line is how a row of the table is made.
type line struct {
	report.Row
	measure  report.Measure
	relation report.Relation
}

// lines are the table, with the targets that the project has set itself on two
// cores.
var lines = []line{
	{report.Row{ID: "both", Work: "landed pages → Parquet + NDJSON, both zstd", Ours: "leads-etl/both", Peer: "DuckDB/both",
		Unit: "leads/s", FigureUnit: "×", Target: 3}, report.Rate, report.Times},
	{report.Row{ID: "parquet", Work: "landed pages → Parquet (zstd)", Ours: "leads-etl/parquet", Peer: "DuckDB/parquet",
		Unit: "leads/s", FigureUnit: "×", Target: 3.5}, report.Rate, report.Times},
	{report.Row{ID: "ndjson", Work: "landed pages → NDJSON (zstd)", Ours: "leads-etl/ndjson", Peer: "DuckDB/ndjson",
		Unit: "leads/s", FigureUnit: "×", Target: 3.5}, report.Rate, report.Times},
	{report.Row{ID: "http", Work: "API over HTTP → Parquet, CPU time", Ours: "leads-etl/http", Peer: "dlt/http",
		Unit: "µs/lead", FigureUnit: "× less", Target: 5}, report.CPUPerLead, report.Fewer},
	{report.Row{ID: "kafka-go", Work: "landed pages → Kafka, exactly once", Ours: "leads-etl/kafka", Peer: "kafka-go/kafka",
		Unit: "leads/s", FigureUnit: "×", Target: 0.9}, report.Rate, report.Times},
	{report.Row{ID: "kafka-java", Work: "landed pages → Kafka, exactly once", Ours: "leads-etl/kafka", Peer: "ProducerPerformance/kafka",
		Unit: "leads/s", FigureUnit: "×", Target: 1}, report.Rate, report.Times},
	{report.Row{ID: "journal", Work: "the journal's share of the CPU time of landing", Ours: "leads-etl/land", Peer: "leads-etl/land, no journal",
		Unit: "µs/lead", FigureUnit: "%", Target: 5, AtMost: true}, report.CPUPerLead, report.Share},
	{report.Row{ID: "memory", Work: "peak memory, landed pages → all three sinks", Ours: "leads-etl/all",
		Unit: "MB", FigureUnit: "MB", Target: 200, AtMost: true}, report.Peak, nil},
	{report.Row{ID: "memory-tenfold", Work: "the same, ten times as many leads", Ours: "leads-etl/all, ten times",
		Unit: "MB", FigureUnit: "MB", Target: 200, AtMost: true}, report.Peak, nil},
	{report.Row{ID: "memory-growth", Work: "peak memory with ten times as many leads, difference", Ours: "leads-etl/all, ten times", Peer: "leads-etl/all",
		Unit: "MB", FigureUnit: "%", Target: 10, AtMost: true}, report.Peak, report.Apart},
	{report.Row{ID: "time-growth", Work: "time with ten times as many leads", Ours: "leads-etl/all, ten times", Peer: "leads-etl/all",
		Unit: "s", FigureUnit: "×", Target: 10.5, AtMost: true}, report.Seconds, report.Times},
	{report.Row{ID: "idle-cpu", Work: "an idle stream that knows all the leads, of one core", Ours: "leads-etl/idle",
		Unit: "%", FigureUnit: "%", Target: 1, AtMost: true}, report.More(idleCore), nil},
	{report.Row{ID: "idle-memory", Work: "an idle stream that knows all the leads, memory", Ours: "leads-etl/idle",
		Unit: "MB", FigureUnit: "MB", Target: 60, AtMost: true}, report.More(idleMemory), nil},
	{report.Row{ID: "start", Work: "start of `batch` to its first request, token at hand", Ours: "leads-etl/start",
		Unit: "ms", FigureUnit: "ms", Target: 30, AtMost: true}, report.More(firstMore), nil},
}

// rowsOf are the lines that there are samples for.
func rowsOf(samples map[string][]report.Sample) []report.Row {
	var rows []report.Row
	for _, l := range lines {
		if row := l.Row; row.Fill(samples, l.measure, l.relation) {
			rows = append(rows, row)
		}
	}
	return rows
}
