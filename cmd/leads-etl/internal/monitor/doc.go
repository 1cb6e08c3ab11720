// Package monitor tells those who watch over a run how it is doing: Prometheus,
// by /metrics or by a file for node_exporter's textfile collector, and who asks
// /healthz and /readyz.
//
// Nothing is counted here. The parts of a run keep their counts as it is, and a
// Snapshot of them is taken when somebody asks. What must not be here: anything of
// a person, in a label or a reason, and labels whose values grow in number with
// the data: there are account, marketplace, sink, type, outcome, phase and
// command.
package monitor
