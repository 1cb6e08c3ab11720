// Package deliver brings what is landed in the journal to the sinks: each sink
// at its own pace, from its own position, as a table (files of a batch) or as a
// log (a topic). It declares the contract of sinks.
//
// Delivery is a pure function of the journal and of the position that the sink
// stored with its output. What must not be here: fetching, and anything that
// knows a format or a broker.
package deliver
